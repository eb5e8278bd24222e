"""Parts of one task: its result, what it paid to whom, and who may take it."""

from datetime import datetime
from typing import Any

from pydantic import Field, computed_field

from api.database import Record, Snapshot
from api.queries import documents, tasks
from api.rejections import Refusal
from api.rest.endpoint import Endpoint
from api.rest.models import AddressText, Amount, HashText, Height, Model, read
from api.rest.reads import reading, unknown
from api.rest.requests import ById
from api.services import Services
from api.tickets import DrawKey, draws_of
from protocol.cid import digest_to_cid
from protocol.money import format_usdfc

_PROBLEMS = (400, 404, 503)


class NoResult(Refusal):
    """The task has no agreed result, or not yet."""

    slug = "no-result"
    title = "No result"
    status = 404


class TaskResult(Model):
    """The result that a task's runners agreed on."""

    task_id: HashText
    result: HashText = Field(description="SHA-256 digest of the result document")
    document_status: str = Field(description="stored when `document` is there, else why it is not")
    document: Any = None
    settled_block: Height
    settled_at: datetime
    settled_tx: HashText

    @computed_field(description="where IPFS has it")  # type: ignore[prop-decorator]  # pydantic's own way
    @property
    def result_cid(self) -> str:
        """Return the result's content identifier."""
        return digest_to_cid(bytes.fromhex(self.result[2:]))


class SeatReward(Model):
    """What one seat came to."""

    seat: int
    node: AddressText
    owner: AddressText
    outcome: str | None
    paid: Amount
    slashed: Amount


class TaskReward(Model):
    """What a task offers, and what became of it. `paid` + `fee` + `returned` is `reward` once it is settled."""

    task_id: HashText
    status: str
    reward: Amount
    input_price: Amount
    output_price: Amount
    paid: Amount
    fee: Amount
    returned: Amount
    slashed: Amount
    settled_tx: HashText | None
    seats: list[SeatReward]

    @computed_field(description="`paid` and `fee` in USDFC")  # type: ignore[prop-decorator]  # as above
    @property
    def cost_usdfc(self) -> str:
        """Return what the payer paid as a decimal."""
        return format_usdfc(int(self.paid) + int(self.fee))


class TicketDraw(Model):
    """One runner's draw; the lower the ticket, the earlier it may claim."""

    node: AddressText
    ticket: str = Field(pattern="^[0-9]{1,78}$")
    rank: int
    opens_at_block: Height
    may_claim: bool


class TaskTickets(Model):
    """Who may take a seat, and from when, at the chain's head. Empty unless the task is open and its seed is known."""

    task_id: HashText
    status: str
    seed_block: Height
    tickets: list[TicketDraw]


async def get_result(services: Services, asked: ById, _body: None) -> TaskResult:
    """Return the agreed result."""
    async with reading(services, asked.min_block) as snapshot:
        task = await _task(snapshot, asked)
        if task["result"] is None:
            raise NoResult(
                f"task {asked.id} has no agreed result: it is {task['status']}",
                field="id",
                hint="Wait until it is final; a failed or cancelled task never has one.",
            )
        found = await snapshot.fetch(documents.by_digests(snapshot.tables), [task["result"]])
    document = found[0] if found else None
    result: TaskResult = read(
        TaskResult,
        task,
        document_status=document["status"] if document else "pending",
        document=document["content"] if document else None,
    )
    return result


async def get_reward(services: Services, asked: ById, _body: None) -> TaskReward:
    """Return what a task offers and what became of it."""
    async with reading(services, asked.min_block) as snapshot:
        task = await _task(snapshot, asked)
        seats = await snapshot.fetch(tasks.seats_of(snapshot.tables), [task["task_id"]])
    reward: TaskReward = read(TaskReward, task, seats=[read(SeatReward, seat) for seat in seats])
    return reward


async def get_tickets(services: Services, asked: ById, _body: None) -> TaskTickets:
    """Return the draw of an open task."""
    async with reading(services, asked.min_block) as snapshot:
        task = await _task(snapshot, asked)
        key = DrawKey(task["task_id"], task["replicas"], task["seed_block"], task["params_id"])
        (draws,) = await draws_of(services.link, snapshot, [key]) if task["status"] == "open" else ([],)
    tickets = [
        TicketDraw(
            node=draw.node,
            ticket=str(draw.ticket),
            rank=draw.rank,
            opens_at_block=draw.opens_at_block,
            may_claim=draw.may_claim,
        )
        for draw in draws
    ]
    answer: TaskTickets = read(TaskTickets, task, tickets=tickets)
    return answer


async def _task(snapshot: Snapshot, asked: ById) -> Record:
    found = await snapshot.fetch(tasks.by_ids(snapshot.tables), [bytes.fromhex(asked.id[2:])])
    if not found:
        raise unknown("task", asked.id)
    return found[0]


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/api/v1/tasks/{id}/result",
        summary="The agreed result of a task",
        handle=get_result,
        answer=TaskResult,
        parameters=ById,
        problems=_PROBLEMS,
    ),
    Endpoint(
        method="GET",
        path="/api/v1/tasks/{id}/reward",
        summary="What a task offers, and what it paid to whom",
        handle=get_reward,
        answer=TaskReward,
        parameters=ById,
        problems=_PROBLEMS,
    ),
    Endpoint(
        method="GET",
        path="/api/v1/tasks/{id}/tickets",
        summary="Who may take a seat of an open task, and from when",
        handle=get_tickets,
        answer=TaskTickets,
        parameters=ById,
        problems=_PROBLEMS,
    ),
)
