"""Tasks, their seats and their timelines."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, ClassVar, Self

import strawberry
from strawberry.scalars import JSON

from api.database import Record
from api.graphql.documents import Document, cid_of, document_of
from api.graphql.dressing import dressed
from api.graphql.enums import Outcome, SeatState, TaskMode, TaskStatus
from api.graphql.links import Columns, derived, linked
from api.graphql.money import usdfc
from api.graphql.prompts import Prompt
from api.graphql.reading import Reading
from api.graphql.runners import Runner, runner_of
from api.graphql.scalars import Address, BigInt, Bytes32, UInt
from api.tickets import Draw, DrawKey
from protocol.cid import digest_to_cid

if TYPE_CHECKING:
    from api.graphql.audits import Audit

_MAX_SEATS = 8


def _seats_in(bits: int | None) -> list[int]:
    """Return the numbers of the seats whose bits are set."""
    return [seat for seat in range(_MAX_SEATS) if (bits or 0) >> seat & 1]


@strawberry.type(description="One runner's part in a task.")
class Seat:
    COLUMNS: ClassVar[Columns] = {}
    reading: strawberry.Private[Reading]
    task_id: Bytes32
    seat: int = strawberry.field(description="Number of the seat, from 0.")
    node: Address
    owner: Address
    state: SeatState
    commitment: Bytes32 | None
    result: Bytes32 | None = strawberry.field(description="Revealed result digest.")
    fingerprint: Bytes32 | None
    input_tokens: UInt | None
    output_tokens: UInt | None
    outcome: Outcome | None = strawberry.field(description="Null until the task is settled.")
    paid: BigInt = strawberry.field(description="Paid to the owner.")
    paid_usdfc: str = usdfc("paid")
    slashed: BigInt = strawberry.field(description="Stake lost by the owner.")
    slashed_usdfc: str = usdfc("slashed")
    claimed_block: UInt
    claimed_tx: Bytes32
    committed_tx: Bytes32 | None
    revealed_tx: Bytes32 | None
    updated_block: UInt

    @classmethod
    def of(cls, reading: Reading, record: Record) -> Self:
        """Dress a row of `task_seats`."""
        outcome = Outcome(record["outcome"]) if record["outcome"] else None
        return dressed(cls, record, reading=reading, state=SeatState(record["state"]), outcome=outcome)

    result_cid: str | None = derived("result", cid_of)

    @linked("document", by="result", absent=Document.absent)
    async def result_document(self) -> Document | None:
        return await document_of(self.reading, self.result)

    @linked("runner", by="node")
    async def runner(self) -> Runner | None:
        return await runner_of(self.reading, self.node)


@strawberry.type(description="One event in the life of a task.")
class TimelineEvent:
    COLUMNS: ClassVar[Columns] = {"timestamp": "block_time"}
    name: str = strawberry.field(description="Event name as in the contracts, such as SeatClaimed.")
    node: Address | None = strawberry.field(description="The runner, where the event names one.")
    data: JSON = strawberry.field(description="The other arguments by name; integers as decimal strings.")
    block_number: UInt
    log_index: UInt
    tx_hash: Bytes32
    timestamp: datetime

    @classmethod
    def of(cls, record: Record) -> Self:
        """Dress a row of `task_events`."""
        return dressed(cls, record, timestamp=record["block_time"])


@strawberry.type(description="A runner's draw in a task's lottery.")
class Ticket:
    reading: strawberry.Private[Reading]
    node: Address
    ticket: BigInt = strawberry.field(description="The lower, the earlier.")
    rank: int = strawberry.field(description="Place among all tickets of this draw, from 0.")
    opens_at_block: UInt = strawberry.field(description="First block at which it may claim a seat.")
    may_claim: bool = strawberry.field(description="Whether it is admitted at the chain's head.")

    @classmethod
    def of(cls, reading: Reading, draw: Draw) -> Self:
        """Dress a draw."""
        return cls(
            reading=reading,
            node=Address(draw.node),
            ticket=BigInt(draw.ticket),
            rank=draw.rank,
            opens_at_block=UInt(draw.opens_at_block),
            may_claim=draw.may_claim,
        )

    @strawberry.field
    async def runner(self) -> Runner | None:
        return await runner_of(self.reading, self.node)


@strawberry.type(description="An order that was submitted, with the state of its life.")
class Task:
    COLUMNS: ClassVar[Columns] = {"id": "task_id"}
    reading: strawberry.Private[Reading]
    id: Bytes32 = strawberry.field(description="EIP-712 digest of the order.")
    client: Address = strawberry.field(description="Who wants the work and signed the order.")
    payer: Address = strawberry.field(description="Whose escrow pays.")
    reward: BigInt = strawberry.field(
        description="Most that may be paid for all seats together; all is escrowed."
    )
    reward_usdfc: str = usdfc("reward")
    bond: BigInt = strawberry.field(description="Stake locked for each seat.")
    bond_usdfc: str = usdfc("bond")
    input_price: BigInt = strawberry.field(description="Base units per 1,000 input tokens.")
    input_price_usdfc: str = usdfc("input_price")
    output_price: BigInt = strawberry.field(description="Base units per 1,000 output tokens.")
    output_price_usdfc: str = usdfc("output_price")
    params_id: int = strawberry.field(description="Parameter version that rules the task.")
    replicas: int = strawberry.field(description="Seats.")
    quorum: int = strawberry.field(description="Equal results that settle.")
    mode: TaskMode
    status: TaskStatus
    claim_by: UInt = strawberry.field(description="Last block at which a seat may be claimed.")
    retention: UInt = strawberry.field(
        description="Blocks after settlement for which the result stays pinned."
    )
    client_epoch: BigInt = strawberry.field(description="The client's epoch at signing.")
    spec: Bytes32 = strawberry.field(description="SHA-256 digest of the specification.")
    salt: Bytes32
    seed_block: UInt = strawberry.field(description="Block whose beacon value opens the lottery.")
    deadline: UInt = strawberry.field(description="Last block of the current phase; 0 in a terminal one.")
    claimed: int
    committed: int
    revealed: int
    result: Bytes32 | None = strawberry.field(description="SHA-256 digest of the agreed result.")
    winners: list[int] = derived("winners", _seats_in, description="Numbers of the seats that were paid.")
    paid: BigInt = strawberry.field(description="Paid to seat owners after the fee.")
    paid_usdfc: str = usdfc("paid")
    fee: BigInt = strawberry.field(description="Paid to the treasury from the reward.")
    fee_usdfc: str = usdfc("fee")
    returned: BigInt = strawberry.field(description="Part of the reward given back to the payer.")
    returned_usdfc: str = usdfc("returned")
    slashed: BigInt = strawberry.field(description="Stake that seat owners lost.")
    slashed_usdfc: str = usdfc("slashed")
    created_block: UInt
    created_tx: Bytes32
    created_at: datetime
    settled_block: UInt | None = strawberry.field(description="Block that ended the task.")
    settled_tx: Bytes32 | None
    settled_at: datetime | None
    updated_block: UInt

    @classmethod
    def of(cls, reading: Reading, record: Record) -> Self:
        """Dress a row of `tasks`."""
        return dressed(
            cls,
            record,
            reading=reading,
            id=record["task_id"],
            mode=TaskMode(record["mode"]),
            status=TaskStatus(record["status"]),
        )

    spec_cid: str = derived("spec", digest_to_cid)
    result_cid: str | None = derived("result", cid_of)

    @linked("document", by="spec", absent=Document.absent)
    async def spec_document(self) -> Document:
        return Document.of(self.spec, await self.reading.document.load(self.spec))

    @linked("document", by="result", absent=Document.absent)
    async def result_document(self) -> Document | None:
        return await document_of(self.reading, self.result)

    @linked("seats", by="id")
    async def seats(self) -> list[Seat]:
        return [Seat.of(self.reading, record) for record in await self.reading.seats.load(self.id)]

    @linked(
        "audit",
        by="id",
        description="The check by auditors; null unless the task is audited and was revealed.",
    )
    async def audit(self) -> Annotated["Audit", strawberry.lazy("api.graphql.audits")] | None:
        from api.graphql.audits import Audit  # noqa: PLC0415  # tasks and audits refer to each other

        record = await self.reading.audit.load(self.id)
        return Audit.of(self.reading, record) if record else None

    @linked("timeline", by="id", description="The task's events in the order of the chain.")
    async def timeline(self) -> list[TimelineEvent]:
        return [TimelineEvent.of(record) for record in await self.reading.timeline.load(self.id)]

    @linked(
        "prompt",
        by="id",
        description="The task as a prompt; null if it is not a prompt, or if its spec was not fetched yet.",
    )
    async def prompt(self) -> Annotated[Prompt, strawberry.lazy("api.graphql.prompts")] | None:
        record = await self.reading.prompt.load(self.id)
        return Prompt.of(self.reading, record) if record else None

    @strawberry.field(
        description="Who may take a seat, and from when; read from the chain's head. Empty unless the task is open and"
        " its seed block has passed, and as of a past block."
    )
    async def tickets(self) -> list[Ticket]:
        if self.status is not TaskStatus.OPEN or self.reading.is_past:
            return []
        key = DrawKey(self.id, self.replicas, self.seed_block, self.params_id)
        return [Ticket.of(self.reading, draw) for draw in await self.reading.draws.load(key)]
