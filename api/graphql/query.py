"""Root of all reads."""

import strawberry

from api.graphql.accounts import Balance
from api.graphql.ahead import RUNNER, TASK, read_one
from api.graphql.audits import AuditQuery
from api.graphql.billing import BillingQuery
from api.graphql.channels import ChannelQuery
from api.graphql.deployment import DeploymentQuery
from api.graphql.enums import ORDERINGS, PromptOrder, RunnerOrder, TaskOrder
from api.graphql.intents import IntentQuery
from api.graphql.monitoring import MonitoringQuery
from api.graphql.network import NetworkQuery
from api.graphql.operation import BlockInput, Info, reading_of
from api.graphql.pages import Connection, connection, snapshot_of
from api.graphql.parties import AccountQuery
from api.graphql.prompts import Prompt
from api.graphql.proposals import ProposalQuery
from api.graphql.reverts import RevertQuery
from api.graphql.runners import NetworkModel, ReputationEvent, Runner
from api.graphql.scalars import Address, Bytes32, UInt
from api.graphql.sessions import SessionQuery
from api.graphql.status import Parameters, Status
from api.graphql.tasks import Task
from api.graphql.where import PromptWhere, ReputationEventWhere, RunnerWhere, TaskWhere, plain
from api.paging import page_request
from api.queries import chain, prompts, runners, tasks


@strawberry.type(
    description="All reads of one request agree: they see one instant. `minBlock` waits a few seconds for the index to"
    " hold that block, and fails if it does not. With `block`, what is kept of the past (tasks, seats, runners, records,"
    " balances, channels) is as it was at the end of that block."
)
class Query(
    NetworkQuery,
    BillingQuery,
    ChannelQuery,
    ProposalQuery,
    AccountQuery,
    DeploymentQuery,
    RevertQuery,
    IntentQuery,
    SessionQuery,
    MonitoringQuery,
    AuditQuery,
):
    @strawberry.field(description="One task; null if the index knows none of that id.")
    async def task(
        self,
        info: Info,
        id: Bytes32,  # noqa: A002  # GraphQL name
        min_block: UInt | None = None,
        block: BlockInput | None = None,
    ) -> Task | None:
        reading = await reading_of(info, min_block, block)
        return await read_one(info, reading, Task, id, loader="task", ahead=TASK)

    @strawberry.field(description="Tasks, newest first by default.")
    async def tasks(
        self,
        info: Info,
        *,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
        where: TaskWhere | None = None,
        order_by: TaskOrder = TaskOrder.CREATED_DESC,
        min_block: UInt | None = None,
        block: BlockInput | None = None,
    ) -> Connection[Task]:
        request = page_request(first=first, after=after, last=last, before=before)
        reading = await reading_of(info, min_block, block)
        page = await tasks.page(
            snapshot_of(info, reading), request, where=plain(where), ordering=ORDERINGS[order_by]
        )
        return await connection(info, reading, page, Task)

    @strawberry.field(description="One runner; null if none has that node key.")
    async def runner(
        self, info: Info, node: Address, min_block: UInt | None = None, block: BlockInput | None = None
    ) -> Runner | None:
        reading = await reading_of(info, min_block, block)
        return await read_one(info, reading, Runner, node, loader="runner", ahead=RUNNER)

    @strawberry.field(description="Runners, best score first by default.")
    async def runners(
        self,
        info: Info,
        *,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
        where: RunnerWhere | None = None,
        order_by: RunnerOrder = RunnerOrder.SCORE_DESC,
        min_block: UInt | None = None,
        block: BlockInput | None = None,
    ) -> Connection[Runner]:
        request = page_request(first=first, after=after, last=last, before=before)
        reading = await reading_of(info, min_block, block)
        page = await runners.page(
            snapshot_of(info, reading), request, where=plain(where), ordering=ORDERINGS[order_by]
        )
        return await connection(info, reading, page, Runner)

    @strawberry.field(description="An account's ledger entry; all zero if it never had one.")
    async def balance(
        self, info: Info, account: Address, min_block: UInt | None = None, block: BlockInput | None = None
    ) -> Balance:
        reading = await reading_of(info, min_block, block)
        return Balance.of(account, await reading.balance.load(account))

    @strawberry.field(description="One prompt, by its task's id; null if the task is not a prompt.")
    async def prompt(
        self,
        info: Info,
        id: Bytes32,  # noqa: A002  # GraphQL name
        min_block: UInt | None = None,
        block: BlockInput | None = None,
    ) -> Prompt | None:
        reading = await reading_of(info, min_block, block)
        return await read_one(info, reading, Prompt, id, loader="prompt")

    @strawberry.field(description="Prompts, newest first by default.")
    async def prompts(
        self,
        info: Info,
        *,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
        where: PromptWhere | None = None,
        order_by: PromptOrder = PromptOrder.CREATED_DESC,
        min_block: UInt | None = None,
    ) -> Connection[Prompt]:
        reading = info.context.reading
        request = page_request(first=first, after=after, last=last, before=before)
        await reading.require(min_block)
        page = await prompts.page(
            snapshot_of(info, reading), request, where=plain(where), ordering=ORDERINGS[order_by]
        )
        return await connection(info, reading, page, Prompt)

    @strawberry.field(description="Changes of scores, newest first.")
    async def reputation_events(
        self,
        info: Info,
        *,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
        where: ReputationEventWhere | None = None,
        min_block: UInt | None = None,
    ) -> Connection[ReputationEvent]:
        reading = info.context.reading
        request = page_request(first=first, after=after, last=last, before=before)
        await reading.require(min_block)
        page = await runners.event_page(snapshot_of(info, reading), request, where=plain(where))
        return await connection(info, reading, page, ReputationEvent)

    @strawberry.field(description="Models on offer, the most offered first.")
    async def models(self, info: Info) -> list[NetworkModel]:
        return [NetworkModel.of(record) for record in await runners.models(info.context.reading.snapshot)]

    @strawberry.field(description="Parameter versions, newest first; orders are signed for one of them.")
    async def parameters(self, info: Info) -> list[Parameters]:
        return [Parameters.of(record) for record in await chain.parameters(info.context.reading.snapshot)]

    @strawberry.field(description="How far the index is.")
    async def status(self, info: Info, min_block: UInt | None = None) -> Status:
        reading = info.context.reading
        await reading.require(min_block)
        return Status.of(await chain.require_sync_state(reading.snapshot))
