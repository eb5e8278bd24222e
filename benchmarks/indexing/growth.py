"""Whether the index slows down as it grows: live latency, and the rate of a backfill, beside tables of ever more rows.

A short chain is indexed, then every row of its tables is copied many times under other ids, as a long chain of other tasks
would have left them. What is measured are blocks that come after that, folded by the indexer itself.
"""

import asyncio
import re
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import asyncpg
from chains import BenchChain, Shape, chain_of
from contestants import Contestant, ours, running, until_ready
from latency import LIFE, latencies_ms, percentile
from metering import Cost, cpu_s, metered

from devnet.postgres import Postgres

EVENTS = 2_500
"""Events of the chain that is indexed first: the size of the index at factor 1."""
MORE_EVENTS = 5_000
"""Events that are indexed in one bulk at each size."""
PER_BLOCK = 25
TASKS = "SELECT count(*) FROM public.tasks WHERE created_block >= {block}"
_GROWING = (
    "logs",
    "tasks",
    "task_seats",
    "task_events",
    "balances",
    "runners",
    "runner_reputation",
    "reputation_events",
)
_IDS = ("task_id", "account", "node", "client", "payer", "owner", "ref")


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """What was measured at one size. `cpu_us` is CPU time an event of the bulk, of indexer, node and database, in microseconds."""

    events: int
    table_mib: float
    p50_ms: float
    p95_ms: float
    events_per_s: float
    cpu_us: float


async def measure(postgres: Postgres, folder: Path, *, factors: list[int], samples: int) -> list[Size]:
    """Measure at each factor, smallest first, on one chain and one database."""
    async with chain_of(Shape(name="growth", events=EVENTS, per_block=PER_BLOCK)) as chain:
        url = await postgres.create_database("bench_growth")
        contestant = ours(chain, url, folder)
        log = folder / "growth.txt"
        async with running(contestant, log) as process:
            await until_ready(contestant, process, log)
        sizes = []
        emitted, copies = EVENTS, 1
        for factor in factors:
            await grow(url, first=copies, copies=factor)
            copies = factor
            size, emitted = await _measured(
                contestant, chain, postgres, url, log, emitted=emitted, samples=samples
            )
            sizes.append(size)
        return sizes


async def grow(database_url: str, *, first: int, copies: int) -> None:
    """Have `copies` of each row of the first chain, of which there are `first`."""
    connection = await asyncpg.connect(database_url)
    try:
        schema = await connection.fetchval("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'idx_%'")
        await connection.execute(f"SET search_path = {schema}, public")
        await connection.execute(
            "CREATE TABLE IF NOT EXISTS public.growth_seed AS SELECT max(block_number) AS block FROM logs"
        )
        await connection.execute(
            "CREATE TABLE IF NOT EXISTS public.growth_ids AS SELECT task_id AS id FROM tasks"
            " UNION SELECT account FROM balances UNION SELECT node FROM runners"
        )
        for table in await connection.fetch(
            "SELECT relname AS name FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'"
        ):
            if table["name"].removesuffix("_history") in _GROWING:
                await _copy_rows(connection, table["name"], first=first, copies=copies)
        await connection.execute("VACUUM ANALYZE")
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()


async def _copy_rows(connection: asyncpg.Connection, table: str, *, first: int, copies: int) -> None:
    columns = [
        row["name"]
        for row in await connection.fetch(
            "SELECT attname AS name FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 ORDER BY attnum",
            table,
        )
    ]
    values = ", ".join(_copied(column) for column in columns)
    height = next(name for name in ("block_number", "updated_block") if name in columns)
    await connection.execute(
        f"INSERT INTO {table} SELECT {values} FROM {table} CROSS JOIN generate_series({first}, {copies - 1}) AS k"
        f" WHERE {height} <= (SELECT block FROM public.growth_seed) AND {_is_original(columns)}"
    )


def _copied(column: str) -> str:
    if column in _IDS:
        return f"substring(sha256({column} || int4send(k)) FOR length({column}))"
    if column == "tx_index":
        return "tx_index + 1000 * k"
    return f'"{column}"'


def _is_original(columns: list[str]) -> str:
    """Distinguish the chain's own rows from copies: by position where there is one, else by ids that are in the chain's logs."""
    if "tx_index" in columns:
        return "tx_index < 1000"
    return f"{columns[0]} IN (SELECT id FROM public.growth_ids)"


async def _measured(
    contestant: Contestant,
    chain: BenchChain,
    postgres: Postgres,
    url: str,
    log: Path,
    *,
    emitted: int,
    samples: int,
) -> tuple[Size, int]:
    connection = await asyncpg.connect(url)
    events = await connection.fetchval("SELECT count(*) FROM public.logs")
    table_mib = await connection.fetchval("SELECT pg_database_size(current_database())") / 2**20
    await connection.close()
    block = await chain.anvil.block_number() + 1
    found = await latencies_ms(
        contestant,
        chain,
        url,
        samples=samples,
        first=emitted,
        rows=TASKS.format(block=block),
        log=log,
    )
    emitted += LIFE * (samples + 10)
    async with aiohttp.ClientSession() as session:
        for _ in range(MORE_EVENTS // PER_BLOCK):
            await chain.emit(session, emitted, PER_BLOCK)
            emitted += PER_BLOCK
    await chain.anvil.mine(65)
    cost = Cost()
    servers = [postgres.process.pid, chain.anvil.process.pid]
    with metered(cost, servers=servers):
        async with running(contestant, log) as process:
            await until_ready(contestant, process, log)
            own = cpu_s([process.pid])
    told = await asyncio.to_thread(log.read_text)
    rates = re.findall(r'"events_per_s": (\d+)', told)
    size = Size(
        events=events,
        table_mib=table_mib,
        p50_ms=percentile(found, 0.5),
        p95_ms=percentile(found, 0.95),
        events_per_s=float(rates[-1]),
        cpu_us=1e6 * (own + cost.servers_cpu_s) / MORE_EVENTS,
    )
    return size, emitted
