"""Federated learning sessions."""

from datetime import datetime
from typing import ClassVar, Self

import strawberry
from strawberry import UNSET

from api.database import Record
from api.graphql.ahead import SESSION, read_one
from api.graphql.documents import Document, document_of
from api.graphql.dressing import dressed
from api.graphql.links import Columns, linked
from api.graphql.money import usdfc
from api.graphql.operation import Info
from api.graphql.pages import Connection, connection, snapshot_of
from api.graphql.reading import Reading
from api.graphql.runners import Runner, runner_of
from api.graphql.scalars import Address, BigInt, Bytes32, UInt
from api.graphql.tasks import TimelineEvent
from api.graphql.where import AddressFilter, Bytes32Filter, StringFilter, plain
from api.paging import page_request
from api.queries import sessions


@strawberry.input(description="All given conditions must hold.")
class SessionWhere:
    id: Bytes32Filter | None = UNSET
    creator: AddressFilter | None = UNSET
    phase: StringFilter | None = UNSET
    node: AddressFilter | None = strawberry.field(default=UNSET, description="Some participant.")


@strawberry.type(description="What one participant contributed to a round, openly or masked.")
class Contribution:
    reading: strawberry.Private[Reading]
    slot: int
    node: Address
    update: Bytes32 = strawberry.field(description="SHA-256 digest of the update, or of the masked update.")
    samples: UInt = strawberry.field(description="Samples that it says it trained on.")
    masked: bool
    accepted: bool | None = strawberry.field(
        description="Whether it is in the model; null until the round is settled."
    )
    block_number: UInt
    tx_hash: Bytes32
    timestamp: datetime

    @classmethod
    def of(cls, reading: Reading, record: Record, *, accepted: int | None) -> Self:
        """Dress a row of `fl_events`; `accepted` has bit i for slot i, once the round is settled."""
        data, masked = record["data"], record["name"] == "Posted"
        slot = int(data["slot"])
        return cls(
            reading=reading,
            slot=slot,
            node=Address(record["node"]),
            update=Bytes32(bytes.fromhex(data["first" if masked else "update"][2:])),
            samples=UInt(int(data["second"], 16) if masked else int(data["samples"])),
            masked=masked,
            accepted=None if accepted is None else bool(accepted >> slot & 1),
            block_number=record["block_number"],
            tx_hash=record["tx_hash"],
            timestamp=record["block_time"],
        )

    @strawberry.field
    async def runner(self) -> Runner | None:
        return await runner_of(self.reading, self.node)


@strawberry.type(description="One round of a session.")
class Round:
    COLUMNS: ClassVar[Columns] = {"accepted": None}
    reading: strawberry.Private[Reading]
    session_id: strawberry.Private[bytes]
    accepted: strawberry.Private[int | None]
    round: UInt
    status: str
    attempts: int = strawberry.field(description="Attempts that came to nothing.")
    contributions: UInt
    accepted_count: UInt = strawberry.field(description="Contributions that were accepted.")
    task_id: Bytes32 | None = strawberry.field(description="The task that aggregates it.")
    model: Bytes32 | None = strawberry.field(description="SHA-256 digest of the model after it.")
    manifest: Bytes32 | None
    pay: BigInt = strawberry.field(description="Paid to participants.")
    pay_usdfc: str = usdfc("pay")
    fee: BigInt
    stop: bool = strawberry.field(description="Whether the aggregation said to stop after it.")
    started_block: UInt
    started_at: datetime
    settled_block: UInt | None
    settled_tx: Bytes32 | None
    settled_at: datetime | None

    @classmethod
    def of(cls, reading: Reading, record: Record) -> Self:
        """Dress a row of `fl_rounds`."""
        accepted = record["accepted"]
        return dressed(cls, record, reading=reading, accepted=None if accepted is None else int(accepted))

    @strawberry.field(
        description="What participants contributed, in the order of the chain, of all attempts at the round."
    )
    async def contribution_list(self) -> list[Contribution]:
        return [
            Contribution.of(self.reading, row, accepted=self.accepted)
            for row in await self.reading.contributions.load(self.session_id)
            if row["round"] == self.round
        ]

    @linked(
        "document",
        by="manifest",
        absent=Document.absent,
        description="What the aggregation says of the round, such as its metrics.",
    )
    async def manifest_document(self) -> Document | None:
        return await document_of(self.reading, self.manifest)


@strawberry.type(description="One runner's part in a session.")
class Participant:
    COLUMNS: ClassVar[Columns] = {}
    reading: strawberry.Private[Reading]
    slot: int
    node: Address
    owner: Address
    status: str
    samples: UInt | None = strawberry.field(description="Samples that it last said it trained on.")
    contributions: UInt
    accepted: UInt
    missed: UInt
    caught_round: UInt | None = strawberry.field(
        description="Round whose aggregators re-executed its training and found it to be another."
    )
    paid: BigInt
    paid_usdfc: str = usdfc("paid")
    slashed: BigInt
    joined_block: UInt
    joined_tx: Bytes32

    @classmethod
    def of(cls, reading: Reading, record: Record) -> Self:
        """Dress a row of `fl_participants`."""
        return dressed(cls, record, reading=reading)

    @linked("runner", by="node")
    async def runner(self) -> Runner | None:
        return await runner_of(self.reading, self.node)


@strawberry.type(description="A federated learning session.")
class FederatedSession:
    COLUMNS: ClassVar[Columns] = {"id": "session_id"}
    reading: strawberry.Private[Reading]
    id: Bytes32
    creator: Address
    payer: Address
    phase: str = strawberry.field(
        description="joining, training, revealing, keys, shares, masking, unmasking, aggregating, finished, failed or"
        " cancelled."
    )
    budget: BigInt = strawberry.field(description="Most that it may cost.")
    budget_usdfc: str = usdfc("budget")
    reward: BigInt = strawberry.field(description="Of each accepted contribution, fee included.")
    bond: BigInt = strawberry.field(description="Stake locked for each participant.")
    rounds: UInt = strawberry.field(description="Rounds ordered.")
    finished: UInt = strawberry.field(description="Rounds settled.")
    round: UInt = strawberry.field(description="Round that it is in; 0 before the first.")
    min_participants: int
    max_participants: int
    members: UInt = strawberry.field(description="Participants now.")
    secure: bool = strawberry.field(description="Whether aggregation is secure.")
    private_data: bool
    join_by: UInt
    deadline: UInt = strawberry.field(description="Last block of the phase; 0 in a terminal one.")
    config: Bytes32 = strawberry.field(description="SHA-256 digest of the configuration.")
    model: Bytes32 | None = strawberry.field(description="SHA-256 digest of the last round's model.")
    paid: BigInt = strawberry.field(description="Paid to participants.")
    paid_usdfc: str = usdfc("paid")
    fees: BigInt
    slashed: BigInt
    returned: BigInt
    created_block: UInt
    created_tx: Bytes32
    created_at: datetime
    ended_block: UInt | None
    ended_tx: Bytes32 | None
    ended_at: datetime | None
    updated_block: UInt

    @classmethod
    def of(cls, reading: Reading, record: Record) -> Self:
        """Dress a row of `federated_learning_sessions`."""
        return dressed(cls, record, reading=reading, id=record["session_id"])

    @linked(
        "document",
        by="config",
        absent=Document.absent,
        description="The configuration: name, architecture, method, data.",
    )
    async def config_document(self) -> Document | None:
        return await document_of(self.reading, self.config)

    @linked("rounds", by="id")
    async def round_list(self) -> list[Round]:
        return [Round.of(self.reading, record) for record in await self.reading.rounds.load(self.id)]

    @linked(
        "session_timeline",
        by="id",
        description=f"The session's newest events, at most {sessions.MAX_EVENTS}, in the order of the chain.",
    )
    async def timeline(self) -> list[TimelineEvent]:
        return [TimelineEvent.of(row) for row in await self.reading.session_timeline.load(self.id)]

    @linked("participants", by="id")
    async def participants(self) -> list[Participant]:
        rows = await self.reading.participants.load(self.id)
        return [Participant.of(self.reading, record) for record in rows]


TERMINAL = frozenset({"finished", "failed", "cancelled"})
"""Phases in which nothing happens to a session any more."""


@strawberry.type
class SessionQuery:
    @strawberry.field(description="One learning session; null if the index knows none of that id.")
    async def session(
        self,
        info: Info,
        id: Bytes32,  # noqa: A002  # GraphQL name
        min_block: UInt | None = None,
    ) -> FederatedSession | None:
        reading = info.context.reading
        await reading.require(min_block)
        return await read_one(info, reading, FederatedSession, id, loader="session", ahead=SESSION)

    @strawberry.field(description="Learning sessions, newest first.")
    async def sessions(
        self,
        info: Info,
        *,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
        where: SessionWhere | None = None,
        min_block: UInt | None = None,
    ) -> Connection[FederatedSession]:
        reading = info.context.reading
        request = page_request(first=first, after=after, last=last, before=before)
        await reading.require(min_block)
        page = await sessions.page(snapshot_of(info, reading), request, where=plain(where))
        return await connection(info, reading, page, FederatedSession)
