"""Live updates, over graphql-transport-ws."""

from collections.abc import AsyncIterator

import strawberry

from api.graphql.operation import Info
from api.graphql.runners import ReputationEvent
from api.graphql.scalars import Address, Bytes32, UInt
from api.graphql.sessions import TERMINAL, FederatedSession
from api.graphql.status import Block
from api.graphql.tasks import Task
from api.queries import chain, runners, sessions


@strawberry.type
class Subscription:
    @strawberry.subscription(description="Every block, once its events are in the index.")
    async def block(self, info: Info) -> AsyncIterator[Block]:
        async with info.context.services.feed.subscribe() as notices:
            while True:
                notice = await notices.get()
                yield Block(number=UInt(notice.number), hash=Bytes32(notice.hash))

    @strawberry.subscription(
        description="A task now and after each block that changes it, until it ends. A task that is not indexed yet is"
        " waited for."
    )
    async def task_progress(self, info: Info, id: Bytes32) -> AsyncIterator[Task]:  # noqa: A002  # GraphQL name
        seen: tuple[object, ...] | None = None
        async with info.context.services.feed.subscribe() as notices:
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

    @strawberry.subscription(
        description="A learning session now and after each block that changes it, its rounds among it, until it ends. A"
        " session that is not indexed yet is waited for."
    )
    async def session_progress(self, info: Info, id: Bytes32) -> AsyncIterator[FederatedSession]:  # noqa: A002  # GraphQL name
        seen: int | None = None
        async with info.context.services.feed.subscribe() as notices:
            while True:
                reading = await info.context.renew()
                found = await reading.snapshot.fetch(sessions.by_ids(reading.snapshot.tables), [id])
                changed = found[0]["updated_block"] if found else None
                if found and changed != seen:
                    yield FederatedSession.of(reading, found[0])
                    if found[0]["phase"] in TERMINAL:
                        return
                else:
                    await info.context.close()
                seen = changed
                await notices.get()
                while not notices.empty():
                    notices.get_nowait()

    @strawberry.subscription(
        description="Changes of a runner's score from now on, once their block is in the index; a reorganisation may bring"
        " one twice."
    )
    async def runner_events(self, info: Info, node: Address) -> AsyncIterator[ReputationEvent]:
        async with info.context.services.feed.subscribe() as notices:
            reading = await info.context.renew()
            seen = (await chain.require_sync_state(reading.snapshot))["indexed_number"]
            await info.context.close()
            while True:
                seen = min(seen, (await notices.get()).number - 1)
                reading = await info.context.renew()
                events = await runners.events_after(reading.snapshot, node, seen)
                for event in events:
                    yield ReputationEvent.of(await info.context.renew(), event)
                await info.context.close()
                seen = max([seen, *(event["block_number"] for event in events)])
