"""Outages of the database. What was written is whole, so the index goes on from there once the database is back."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress

import asyncpg
import structlog

from indexer.errors import IndexerError, LostLock
from indexer.http import Status

FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 5.0
_CONNECT_TIMEOUT_S = 10.0
_OUTAGES = (
    LostLock,
    ConnectionError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # the driver's own doubt, where a connection ended under one of its operations
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # it was told to stop, or is still starting
    asyncpg.ObjectNotInPrerequisiteStateError,  # it takes no connections for now
    asyncpg.InsufficientResourcesError,  # too many connections, a full disk
    asyncpg.TransactionRollbackError,  # two that waited for each other: this one was told to begin again
    asyncpg.ReadOnlySQLTransactionError,  # a replica that is about to take over, or a guard against a full disk
)

log = structlog.get_logger()


def first_cause(error: BaseException) -> BaseException:
    """Return the error that made a task group fail."""
    return next(_causes(error))


async def ride_out(work: Callable[[], Awaitable[None]], *, database_url: str, status: Status) -> None:
    """Do `work` again each time that the database was lost in the middle of it, as soon as it is back.

    Raises what else ends the work. A database that cannot be had from the beginning is a wrong setting, and raises too.
    """
    await _connect(database_url)
    pause_s = FIRST_PAUSE_S
    while True:
        began = time.monotonic()
        # A task of its own: a task group within counts a failure of its own tasks as a cancellation of the task it is in.
        working = asyncio.ensure_future(work())
        try:
            await working
        except Exception as error:
            if _is_told_to_stop():
                raise asyncio.CancelledError from error
            outages = [cause for cause in _causes(error) if isinstance(cause, _OUTAGES)]
            if not outages:
                raise
            _tell(status, outages[0])
        else:
            return
        # One that lets us in and then fails, as when its disk is full, is tried less and less often.
        failed_at_once = time.monotonic() - began < LONGEST_PAUSE_S
        pause_s = min(LONGEST_PAUSE_S, 2 * pause_s) if failed_at_once else FIRST_PAUSE_S
        await _until_back(database_url, pause_s=pause_s)
        log.info("database-back")


def _is_told_to_stop() -> bool:
    """Return whether this task was cancelled: what failed while the work ended because of that took the place of that."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _causes(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _causes(inner)
    else:
        yield error


def _tell(status: Status, cause: BaseException) -> None:
    told = IndexerError(
        f"DATABASE_URL: the database is out of reach ({cause})",
        hint="Nothing is lost: indexing goes on where it stood when Postgres answers again.",
    )
    status.phase, status.problem = "waiting for the database", str(told)
    log.warning("database-lost", why=str(cause), hint=told.hint)


async def _until_back(database_url: str, *, pause_s: float) -> None:
    while True:
        await asyncio.sleep(pause_s)
        with suppress(OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return await _connect(database_url)
        pause_s = min(LONGEST_PAUSE_S, 2 * pause_s)


async def _connect(database_url: str) -> None:
    connection = await asyncpg.connect(database_url, timeout=_CONNECT_TIMEOUT_S)
    await connection.close(timeout=_CONNECT_TIMEOUT_S)
