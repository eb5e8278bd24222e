"""Proposals, from the governor at the chain's head, and the votes on them, from the index."""

from datetime import datetime
from enum import Enum
from typing import ClassVar, Self

import strawberry
from strawberry import UNSET
from strawberry.scalars import JSON

from api.database import Record
from api.governance import Governance, ProposalRecord, ProposedCall
from api.graphql.dressing import dressed
from api.graphql.enums import ORDERINGS, VoteOrder, VoteSupport
from api.graphql.links import Columns
from api.graphql.operation import Info, reading_of
from api.graphql.pages import Connection, connection, connection_below, snapshot_of
from api.graphql.reading import Reading
from api.graphql.scalars import Address, BigInt, Bytes, Bytes32, UInt
from api.graphql.tasks import TimelineEvent
from api.graphql.where import AddressFilter, BigIntFilter, UIntFilter, plain
from api.paging import page_request
from api.queries import votes
from protocol.errors import InputError

MAX_PROPOSALS = 20


@strawberry.enum(description="State of a proposal; it depends on the time.")
class ProposalState(Enum):
    PENDING = "pending"
    ACTIVE = "active"
    CANCELED = "canceled"
    DEFEATED = "defeated"
    SUCCEEDED = "succeeded"
    QUEUED = "queued"
    EXPIRED = "expired"
    EXECUTED = "executed"


@strawberry.type(description="One call that a proposal makes when it is executed.")
class ProposalCall:
    target: Address
    value: BigInt = strawberry.field(description="Wei that go with it.")
    data: Bytes
    contract: str | None = strawberry.field(
        description="Name of the contract, if it is one of the protocol's."
    )
    function: str | None
    arguments: JSON | None = strawberry.field(description="By name; integers as decimal strings.")

    @classmethod
    def of(cls, call: ProposedCall) -> Self:
        """Dress a call."""
        return cls(
            target=Address(call.target),
            value=BigInt(call.value),
            data=Bytes(call.data),
            contract=call.contract,
            function=call.function,
            arguments=JSON(call.arguments) if call.arguments is not None else None,
        )


@strawberry.input
class VoteSupportFilter:
    eq: VoteSupport | None = UNSET
    ne: VoteSupport | None = UNSET
    in_: list[VoteSupport] | None = strawberry.field(name="in", default=UNSET)
    not_in: list[VoteSupport] | None = UNSET


@strawberry.input(description="All given conditions must hold.")
class VoteWhere:
    proposal_id: BigIntFilter | None = UNSET
    voter: AddressFilter | None = UNSET
    support: VoteSupportFilter | None = UNSET
    weight: BigIntFilter | None = UNSET
    block_number: UIntFilter | None = UNSET
    and_: list[Self] | None = strawberry.field(name="and", default=UNSET)
    or_: list[Self] | None = strawberry.field(name="or", default=UNSET)
    not_: Self | None = strawberry.field(name="not", default=UNSET)


@strawberry.type(description="One account's vote on a proposal. Nobody votes twice, nor takes a vote back.")
class Vote:
    COLUMNS: ClassVar[Columns] = {"timestamp": "block_time"}
    reading: strawberry.Private[Reading]
    proposal_id: BigInt
    voter: Address
    support: VoteSupport
    weight: BigInt = strawberry.field(
        description="Base units of ParityToken that the voter had, or spoke for, when voting opened. Anybody may vote with 0."
    )
    reason: str = strawberry.field(
        description=f"What the voter said about it, at most {votes.LONGEST_REASON} characters; empty for nothing."
    )
    params: Bytes = strawberry.field(description="Of which the governor makes nothing; mostly empty.")
    block_number: UInt
    log_index: UInt
    tx_hash: Bytes32
    timestamp: datetime

    @classmethod
    def of(cls, reading: Reading, record: Record) -> Self:
        """Dress a row of `proposal_votes`."""
        support = VoteSupport(record["support"])
        return dressed(cls, record, reading=reading, support=support, timestamp=record["block_time"])

    @strawberry.field(description="What was voted on, from the chain's head.")
    async def proposal(self) -> "Proposal | None":
        record = await self.reading.proposal.load(int(self.proposal_id))
        return Proposal.of(record) if record else None


@strawberry.type(
    description="A proposal and its votes, in base units of ParityToken; read from the chain's head."
)
class Proposal:
    id: BigInt
    number: UInt = strawberry.field(description="Place among all proposals, from 0.")
    proposer: Address
    state: ProposalState
    votes_for: BigInt
    votes_against: BigInt
    votes_abstain: BigInt
    quorum: BigInt | None = strawberry.field(
        description="Votes for and abstaining that it needs; null until the vote opens."
    )
    opens_at: datetime = strawberry.field(
        description="When voting opens; who has how many votes is settled then."
    )
    closes_at: datetime
    executable_at: datetime | None = strawberry.field(
        description="When the timelock lets it be executed; null until queued."
    )
    calls: list[ProposalCall]

    @classmethod
    def of(cls, record: ProposalRecord) -> Self:
        """Dress a proposal."""
        return cls(
            id=BigInt(record.proposal_id),
            number=UInt(record.number),
            proposer=Address(record.proposer),
            state=ProposalState(record.state),
            votes_for=BigInt(record.votes_for),
            votes_against=BigInt(record.votes_against),
            votes_abstain=BigInt(record.votes_abstain),
            quorum=None if record.quorum is None else BigInt(record.quorum),
            opens_at=record.opens_at,
            closes_at=record.closes_at,
            executable_at=record.executable_at,
            calls=[ProposalCall.of(call) for call in record.calls],
        )

    @strawberry.field(
        description="What its proposer said of it; null until the index holds the block that made it."
    )
    async def description(self, info: Info) -> str | None:
        for event in await info.context.reading.proposal_timeline.load(int(self.id)):
            if event["name"] == "ProposalCreated":
                return str(event["data"]["description"])
        return None

    @strawberry.field(description="What became of it besides its votes, in the order of the chain.")
    async def timeline(self, info: Info) -> list[TimelineEvent]:
        rows = await info.context.reading.proposal_timeline.load(int(self.id))
        return [TimelineEvent.of(row) for row in rows]

    @strawberry.field(
        description="The votes one by one, as far as they are indexed; newest first by default."
    )
    async def votes(
        self,
        info: Info,
        *,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
        where: VoteWhere | None = None,
        order_by: VoteOrder = VoteOrder.CAST_DESC,
    ) -> Connection[Vote]:
        return await connection_below(
            info.context.reading,
            int(self.id),
            votes.on_proposals,
            request=page_request(first=first, after=after, last=last, before=before),
            where=plain(where),
            ordering=ORDERINGS[order_by],
            kind=Vote,
        )


@strawberry.type
class ProposalQuery:
    @strawberry.field(description="How many proposals have been made.")
    async def proposal_count(self, info: Info) -> UInt:
        return UInt(await (await Governance.over(info.context.services.link)).count())

    @strawberry.field(
        description=f"At most `first` (1 to {MAX_PROPOSALS}) proposals, newest first, without the newest `skip`."
    )
    async def proposals(self, info: Info, first: int = 10, skip: UInt | None = None) -> list[Proposal]:
        if not 1 <= first <= MAX_PROPOSALS:
            raise InputError(
                f"first: {first} is not possible", field="first", hint=f"Ask for 1 to {MAX_PROPOSALS}."
            )
        governance = await Governance.over(info.context.services.link)
        return [Proposal.of(record) for record in await governance.newest(first=first, skip=skip or 0)]

    @strawberry.field(description="One proposal; null if there is none with that id.")
    async def proposal(self, info: Info, id: BigInt) -> Proposal | None:  # noqa: A002  # GraphQL name
        record = await info.context.reading.proposal.load(id)
        return Proposal.of(record) if record else None

    @strawberry.field(description="Votes on all proposals, newest first by default.")
    async def votes(
        self,
        info: Info,
        *,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
        where: VoteWhere | None = None,
        order_by: VoteOrder = VoteOrder.CAST_DESC,
        min_block: UInt | None = None,
    ) -> Connection[Vote]:
        request = page_request(first=first, after=after, last=last, before=before)
        reading = await reading_of(info, min_block)
        page = await votes.page(
            snapshot_of(info, reading), request, where=plain(where), ordering=ORDERINGS[order_by]
        )
        return await connection(info, reading, page, Vote)
