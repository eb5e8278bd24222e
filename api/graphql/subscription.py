"""Live updates, over graphql-transport-ws."""

from collections.abc import AsyncIterator

import strawberry

from api.graphql.operation import Info
from api.graphql.scalars import Bytes32, UInt
from api.graphql.status import Block
from api.graphql.tasks import Task


@strawberry.type
class Subscription:
    @strawberry.subscription(description="Every block, once its events are in the index.")
    async def block(self, info: Info) -> AsyncIterator[Block]:
        async with info.context.services.feed.listen() as notices:
            while True:
                notice = await notices.get()
                yield Block(number=UInt(notice.number), hash=Bytes32(notice.hash))

    @strawberry.subscription(
        description="A task now and after each block that changes it, until it ends. A task that is not indexed yet is"
        " waited for."
    )
    async def task_progress(self, info: Info, id: Bytes32) -> AsyncIterator[Task]:  # noqa: A002  # GraphQL name
        seen: tuple[object, ...] | None = None
        async with info.context.services.feed.listen() as notices:
            while True:
                reading = await info.context.renew()
                record = await reading.task.load(id)
                state = tuple(record.values()) if record else None
                if record and state != seen:
                    task = Task.of(reading, record)
                    yield task
                    if task.status.is_terminal:
                        return
                else:
                    await info.context.close()
                seen = state
                await notices.get()
                while not notices.empty():
                    notices.get_nowait()
