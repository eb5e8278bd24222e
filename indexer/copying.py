"""Rows of the two largest tables in Postgres' binary COPY format.

The driver encodes a row value by value; here one `struct` call takes all that is of fixed size. With them most of a
backfill's rows are written.
"""

import struct
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice

import asyncpg

from indexer.events import Log
from indexer.fold.rows import TaskEvent

_SIGNATURE = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_TRAILER = b"\xff\xff"
_NULL = b"\xff\xff\xff\xff"
_JSONB_VERSION = b"\x01"
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
ROWS_AT_ONCE = 1_000

# Each value is its length, then itself: q int8 or timestamptz, i int4, s bytea. What neighbours share comes first.
_log_place = struct.Struct(">h iq ii i32s iq i32s").pack
_log_head = struct.Struct(">ii i20s i").pack
_task_event_place = struct.Struct(">h iq ii i32s iq").pack
_task_event_head = struct.Struct(">ii i32s").pack
_length = struct.Struct(">i").pack

LOG_COLUMNS = (
    "block_number", "tx_index", "block_hash", "block_time", "tx_hash", "log_index", "address", "topics", "data",
)  # fmt: skip
TASK_EVENT_COLUMNS = (
    "block_number", "tx_index", "tx_hash", "block_time", "log_index", "task_id", "name", "node", "data",
)  # fmt: skip


@lru_cache(maxsize=4096)
def _time(when: datetime) -> int:
    return (when - _EPOCH) // _MICROSECOND


@lru_cache(maxsize=1024)
def _text(value: str) -> bytes:
    encoded = value.encode()
    return _length(len(encoded)) + encoded


def log_rows(logs: Iterable[Log]) -> Iterator[bytes]:
    """Encode rows of `logs`, in the order of `LOG_COLUMNS`."""
    number, tx_index, tx_hash, place = -1, -1, None, b""
    for log in logs:
        if log.tx_hash is not tx_hash or log.tx_index != tx_index or log.block_number != number:
            number, tx_index, tx_hash = log.block_number, log.tx_index, log.tx_hash
            when = _time(log.block_time)
            place = _log_place(9, 8, number, 4, tx_index, 32, log.block_hash, 8, when, 32, tx_hash)
        topics, data = log.topics, log.data
        head = _log_head(4, log.log_index, 20, log.address, len(topics))
        yield b"%b%b%b%b%b" % (place, head, topics, _length(len(data)), data)


def task_event_rows(events: Iterable[TaskEvent]) -> Iterator[bytes]:
    """Encode rows of `task_events`, in the order of `TASK_EVENT_COLUMNS`."""
    number, tx_index, tx_hash, place = -1, -1, None, b""
    for event in events:
        if event.tx_hash is not tx_hash or event.tx_index != tx_index or event.block_number != number:
            number, tx_index, tx_hash = event.block_number, event.tx_index, event.tx_hash
            when = _time(event.block_time)
            place = _task_event_place(9, 8, number, 4, tx_index, 32, tx_hash, 8, when)
        node, data = event.node, event.data.encode()
        yield b"%b%b%b%b%b%b%b" % (
            place,
            _task_event_head(4, event.log_index, 32, event.task_id),
            _text(event.name),
            _NULL if node is None else b"\x00\x00\x00\x14" + node,
            _length(len(_JSONB_VERSION) + len(data)),
            _JSONB_VERSION,
            data,
        )


async def copy_logs(connection: asyncpg.Connection, logs: Sequence[Log]) -> None:
    """Append to `logs`."""
    await connection.copy_to_table(
        "logs", source=_stream(log_rows(logs)), columns=list(LOG_COLUMNS), format="binary"
    )


async def copy_task_events(connection: asyncpg.Connection, events: Sequence[TaskEvent]) -> None:
    """Append to `task_events`."""
    await connection.copy_to_table(
        "task_events",
        source=_stream(task_event_rows(events)),
        columns=list(TASK_EVENT_COLUMNS),
        format="binary",
    )


async def _stream(rows: Iterator[bytes]) -> AsyncIterator[bytes]:
    yield _SIGNATURE
    while some := b"".join(islice(rows, ROWS_AT_ONCE)):
        yield some
    yield _TRAILER
