"""Runners, their offers and their records."""

from datetime import datetime
from typing import ClassVar, Self

import strawberry

from api.database import Record
from api.graphql.accounts import Balance
from api.graphql.documents import Document
from api.graphql.dressing import dressed
from api.graphql.enums import Outcome, RunnerStatus
from api.graphql.links import Columns, derived, linked
from api.graphql.money import usdfc
from api.graphql.reading import Reading
from api.graphql.scalars import Address, BigInt, Bytes32, UInt
from api.names import readable
from protocol.cid import digest_to_cid


@strawberry.type(description="A model that a runner offers, from its profile document.")
class ModelOffer:
    COLUMNS: ClassVar[Columns] = {}
    model: str
    digest: str = strawberry.field(description="SHA-256 of the model's weights, hex.")
    context: UInt = strawberry.field(description="Longest context, tokens.")
    input_price: BigInt = strawberry.field(description="Asked base units per 1,000 input tokens.")
    input_price_usdfc: str = usdfc("input_price")
    output_price: BigInt = strawberry.field(description="Asked base units per 1,000 output tokens.")
    output_price_usdfc: str = usdfc("output_price")

    @classmethod
    def of(cls, record: Record) -> Self:
        """Dress a row of `model_capabilities`."""
        return cls(
            model=record["model"],
            digest=record["digest"],
            context=record["context"],
            input_price=record["input_price"],
            output_price=record["output_price"],
        )


@strawberry.type(description="A model that the network offers.")
class NetworkModel:
    model: str
    digest: str = strawberry.field(description="SHA-256 of the model's weights, hex.")
    reference: str = strawberry.field(description="What an order's spec names: `model@sha256:digest`.")
    context: UInt = strawberry.field(description="Longest context that any runner offers, tokens.")
    runners: UInt = strawberry.field(description="Active runners that offer it.")
    input_price: BigInt = strawberry.field(description="Lowest asked base units per 1,000 input tokens.")
    input_price_usdfc: str = usdfc("input_price")
    output_price: BigInt = strawberry.field(description="Lowest asked base units per 1,000 output tokens.")
    output_price_usdfc: str = usdfc("output_price")

    @classmethod
    def of(cls, record: Record) -> Self:
        """Dress a row of the models on offer."""
        return cls(reference=f"{record['model']}@sha256:{record['digest']}", **dict(record))


@strawberry.type(description="What a runner last said about itself; nobody vouches for it.")
class Heartbeat:
    COLUMNS: ClassVar[Columns] = {}
    version: str
    slots: UInt = strawberry.field(description="Prompts that it can take at a time.")
    busy: UInt = strawberry.field(description="Prompts that it works on.")
    url: str | None = strawberry.field(description="Where it can be reached, if anywhere.")
    received_at: datetime

    @classmethod
    def of(cls, record: Record) -> Self:
        """Dress a row of `heartbeats`."""
        row = dict(record)
        row.pop("node")
        return cls(**row)


@strawberry.type(description="A runner: a node key that takes seats for its owner.")
class Runner:
    COLUMNS: ClassVar[Columns] = {}
    reading: strawberry.Private[Reading]
    node: Address = strawberry.field(description="The node (hot) key's address: the runner's id.")
    owner: Address = strawberry.field(description="Whoever stakes and is paid.")
    label: Bytes32
    profile: Bytes32 = strawberry.field(description="SHA-256 digest of the profile document.")
    status: RunnerStatus
    registered_block: UInt
    banned_until: UInt = strawberry.field(
        description="Block at which the last ban ends or ended; 0 when never banned."
    )
    suspended_until: UInt = strawberry.field(
        description="Block at which the last suspension for being offline ends or ended; 0 when never suspended."
    )
    strikes: UInt = strawberry.field(description="Bans so far.")
    updated_block: UInt
    score: UInt = strawberry.field(
        description="Millionths, 0 to 1,000,000, as of `scoreBlock`, before decay."
    )
    right: UInt = strawberry.field(description="Seats with a right result.")
    wrong: UInt = strawberry.field(description="Seats with a wrong result.")
    missed: UInt = strawberry.field(
        description="Seats that did not commit, or did not reveal where no quorum was found."
    )
    monitor_missed: UInt = strawberry.field(description="Monitoring rounds in which it was silent or lied.")
    wrong_streak: UInt = strawberry.field(description="Wrong results since the last right one or ban.")
    score_block: UInt = strawberry.field(description="Block of the last outcome, or of registration.")

    @classmethod
    def of(cls, reading: Reading, record: Record) -> Self:
        """Dress a row of `runners` joined with its record."""
        return dressed(cls, record, reading=reading, status=RunnerStatus(record["status"]))

    name: str = derived("label", readable, description="`label` as text.")
    profile_cid: str = derived("profile", digest_to_cid)

    @linked("document", by="profile", absent=Document.absent)
    async def profile_document(self) -> Document:
        return Document.of(self.profile, await self.reading.document.load(self.profile))

    @linked(
        "offers",
        by="node",
        description="What it offers, from its profile document; empty until that was fetched.",
    )
    async def models(self) -> list[ModelOffer]:
        return [ModelOffer.of(record) for record in await self.reading.offers.load(self.node)]

    @linked(
        "heartbeat",
        by="node",
        description="Null if it never sent one to this server, and as of a past block.",
    )
    async def heartbeat(self) -> Heartbeat | None:
        record = None if self.reading.is_past else await self.reading.heartbeat.load(self.node)
        return Heartbeat.of(record) if record else None

    @linked(
        "balance",
        by="owner",
        absent=Balance.absent,
        description="The owner's ledger entry: its stake backs all its runners.",
    )
    async def stake(self) -> Balance:
        return Balance.of(self.owner, await self.reading.balance.load(self.owner))


@strawberry.type(description="One change of a runner's score.")
class ReputationEvent:
    COLUMNS: ClassVar[Columns] = {"timestamp": "block_time"}
    reading: strawberry.Private[Reading]
    node: Address
    ref: Bytes32 = strawberry.field(
        description="What it was for: a task id, or the round of a monitoring challenge or epoch."
    )
    outcome: Outcome
    score: UInt = strawberry.field(description="Score after it, millionths.")
    block_number: UInt
    log_index: UInt
    tx_hash: Bytes32
    timestamp: datetime

    @classmethod
    def of(cls, reading: Reading, record: Record) -> Self:
        """Dress a row of `reputation_events`."""
        outcome = Outcome(record["outcome"])
        return dressed(cls, record, reading=reading, outcome=outcome, timestamp=record["block_time"])

    @linked("runner", by="node")
    async def runner(self) -> Runner | None:
        return await runner_of(self.reading, self.node)


async def runner_of(reading: Reading, node: bytes) -> Runner | None:
    """Load a runner; None if no runner has that node key."""
    record = await reading.runner.load(node)
    return Runner.of(reading, record) if record else None
