"""Tasks seen as prompts for a language model."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, ClassVar, Self

import strawberry

from api.database import Record
from api.graphql.dressing import dressed
from api.graphql.enums import TaskStatus
from api.graphql.links import Columns, linked
from api.graphql.money import usdfc
from api.graphql.reading import Reading
from api.graphql.scalars import Address, BigInt, Bytes32, UInt

if TYPE_CHECKING:
    from api.graphql.tasks import Task


@strawberry.type(description="A task whose specification is a prompt for a language model.")
class Prompt:
    COLUMNS: ClassVar[Columns] = {"id": "task_id"}
    reading: strawberry.Private[Reading]
    id: Bytes32 = strawberry.field(description="The task's id.")
    creator: Address = strawberry.field(description="Who signed the order.")
    client_id: str | None = strawberry.field(description="Name of the application, for billing.")
    model: str = strawberry.field(description="As `name@sha256:digest`.")
    prompt: str
    status: TaskStatus
    output: str | None = strawberry.field(description="The agreed answer; null until settled and fetched.")
    input_tokens: UInt | None
    output_tokens: UInt | None
    cost: BigInt = strawberry.field(description="What the payer paid, fee included.")
    cost_usdfc: str = usdfc("cost")
    created_at: datetime
    completed_at: datetime | None

    @classmethod
    def of(cls, reading: Reading, record: Record) -> Self:
        """Dress a row of `prompt_requests`."""
        return dressed(
            cls, record, reading=reading, id=record["task_id"], status=TaskStatus(record["status"])
        )

    @linked("task", by="id")
    async def task(self) -> Annotated["Task", strawberry.lazy("api.graphql.tasks")]:
        from api.graphql.tasks import Task  # noqa: PLC0415  # tasks and prompts refer to each other

        record = await self.reading.task.load(self.id)
        if record is None:
            raise LookupError("a prompt without its task in one snapshot")
        return Task.of(self.reading, record)
