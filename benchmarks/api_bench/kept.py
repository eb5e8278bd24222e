"""The filled database, kept between runs: filling a million tasks takes longer than measuring them."""

import hashlib
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

import asyncpg

from benchmarks.api_bench.contestants import RELATIONS
from benchmarks.api_bench.dataset import fill
from devnet.postgres import Postgres

FOLDER = Path(__file__).parents[2] / ".parity" / "bench-api"
_NAME = "bench"
_COMPLETE = "complete"
_WORTH_KEEPING = 200_000


@asynccontextmanager
async def filled(tasks: int) -> AsyncIterator[str]:
    """Run a server with a database of so many tasks and give its URL; filled anew when schema, filling or month are others.

    The month counts because the tasks are of the 200 days before the filling, and a bill is of 366 days. Only the newest is
    kept, since a million tasks take some GiB, and none of fewer than `_WORTH_KEEPING`.
    """
    if tasks < _WORTH_KEEPING:
        with tempfile.TemporaryDirectory(prefix="parity-bench-") as folder:
            async with _served(Path(folder), tasks) as url:
                yield url
        return
    kept = FOLDER / _digest(tasks)
    for other in FOLDER.glob("*"):
        if other != kept or not (kept / _COMPLETE).exists():
            shutil.rmtree(other)
    kept.mkdir(parents=True, exist_ok=True)
    async with _served(kept, tasks) as url:
        yield url


@asynccontextmanager
async def _served(folder: Path, tasks: int) -> AsyncIterator[str]:
    complete = folder / _COMPLETE
    async with Postgres.start(folder=folder / "data", durable=False) as server:
        if complete.exists():
            yield server.url(_NAME)
            return
        url = await server.create_database(_NAME)
        connection = await asyncpg.connect(url)
        await fill(connection, tasks)
        await connection.execute(RELATIONS)
        await connection.execute("CHECKPOINT")
        await connection.close()
        complete.touch()
        yield url


def _digest(tasks: int) -> str:
    sources = (
        files("indexer").joinpath("schema.sql").read_text(encoding="utf-8"),
        files("benchmarks.api_bench").joinpath("dataset.py").read_text(encoding="utf-8"),
        RELATIONS,
        str(tasks),
        f"{datetime.now(UTC):%Y-%m}",
    )
    return hashlib.sha256("\0".join(sources).encode()).hexdigest()[:16]
