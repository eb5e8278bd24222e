"""The network in a few figures."""

from datetime import datetime

import strawberry

from api.database import Record
from api.graphql.enums import TaskStatus
from api.graphql.money import usdfc
from api.graphql.operation import Info
from api.graphql.scalars import BigInt, UInt
from api.queries import network, totals
from protocol.errors import InputError

MAX_MINUTES = 1440


@strawberry.type(description="How many tasks are in one phase.")
class TaskCount:
    status: TaskStatus
    tasks: UInt


@strawberry.type(description="The network in a few figures. Sums are over all accounts.")
class NetworkStats:
    active_runners: UInt
    free: BigInt = strawberry.field(description="Spendable in the StakeWallet.")
    free_usdfc: str = usdfc("free")
    escrowed: BigInt = strawberry.field(description="Held for running tasks.")
    escrowed_usdfc: str = usdfc("escrowed")
    bonded: BigInt = strawberry.field(description="Stake.")
    bonded_usdfc: str = usdfc("bonded")
    locked: BigInt = strawberry.field(description="Part of the stake that backs seats in running tasks.")
    locked_usdfc: str = usdfc("locked")
    paid: BigInt = strawberry.field(description="What all tasks have cost their payers, fees included.")
    paid_usdfc: str = usdfc("paid")
    tasks: list[TaskCount] = strawberry.field(
        description="Tasks by phase; phases without tasks are left out."
    )

    @strawberry.field(description="Accounts that have active runners.")
    async def owners(self, info: Info) -> UInt:
        return UInt(await network.owners(info.context.reading.snapshot))


@strawberry.type(description="Tasks that came and went in one minute of chain time.")
class Throughput:
    start: datetime
    submitted: UInt
    settled: UInt


@strawberry.type
class NetworkQuery:
    @strawberry.field(description="Runners, stakes and tasks, counted.")
    async def network_stats(self, info: Info) -> NetworkStats:
        snapshot = info.context.reading.snapshot
        counted = await totals.totals(snapshot)
        return NetworkStats(
            active_runners=UInt(counted.get("runners.active", 0)),
            free=BigInt(counted.get("free", 0)),
            escrowed=BigInt(counted.get("escrowed", 0)),
            bonded=BigInt(counted.get("bonded", 0)),
            locked=BigInt(counted.get("locked", 0)),
            paid=BigInt(counted.get("paid", 0) + counted.get("fee", 0)),
            tasks=[
                TaskCount(status=TaskStatus(status), tasks=UInt(number))
                for status, number in totals.tasks_by_status(counted).items()
            ],
        )

    @strawberry.field(
        description=f"Tasks a minute over the last `minutes` (1 to {MAX_MINUTES}) up to the newest block, oldest first."
    )
    async def throughput(self, info: Info, minutes: int = 60) -> list[Throughput]:
        if not 1 <= minutes <= MAX_MINUTES:
            raise InputError(
                f"minutes: {minutes} is not possible", field="minutes", hint=f"Ask for 1 to {MAX_MINUTES}."
            )
        rows = await network.throughput(info.context.reading.snapshot, minutes=minutes)
        return [_throughput(row) for row in rows]


def _throughput(row: Record) -> Throughput:
    return Throughput(start=row["start"], submitted=row["submitted"], settled=row["settled"])
