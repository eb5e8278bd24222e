"""Rows of the two largest tables in Postgres' binary COPY format.

The driver encodes a row value by value; here one `struct` call takes all that is of fixed size. With them most of a
backfill's rows are written.
"""

import struct
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TypeVar

import asyncpg

from indexer.events import Log
from indexer.fold.rows import TaskEvent

R = TypeVar("R")

_SIGNATURE = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_TRAILER = b"\xff\xff"
_NULL = b"\xff\xff\xff\xff"
_JSONB_VERSION = b"\x01"
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
ROWS_AT_ONCE = 2_000

# Each value is its length, then itself: q int8 or timestamptz, i int4, s bytea.
_log_head = struct.Struct(">h iq ii ii i32s iq i32s i20s i").pack
_task_event_head = struct.Struct(">h i32s iq ii ii i32s iq").pack
_length = struct.Struct(">i").pack


@lru_cache(maxsize=4096)
def _time(when: datetime) -> int:
    return (when - _EPOCH) // _MICROSECOND


@lru_cache(maxsize=1024)
def _text(value: str) -> bytes:
    encoded = value.encode()
    return _length(len(encoded)) + encoded


def log_row(log: Log) -> bytes:
    """Encode a row of `logs`."""
    topics, data = log.topics, log.data
    head = _log_head(
        9,
        8,
        log.block_number,
        4,
        log.tx_index,
        4,
        log.log_index,
        32,
        log.block_hash,
        8,
        _time(log.block_time),
        32,
        log.tx_hash,
        20,
        log.address,
        len(topics),
    )
    return head + topics + _length(len(data)) + data


def task_event_row(event: TaskEvent) -> bytes:
    """Encode a row of `task_events`."""
    node, data = event.node, event.data.encode()
    head = _task_event_head(
        9,
        32,
        event.task_id,
        8,
        event.block_number,
        4,
        event.tx_index,
        4,
        event.log_index,
        32,
        event.tx_hash,
        8,
        _time(event.block_time),
    )
    subject = _NULL if node is None else b"\x00\x00\x00\x14" + node
    return head + _text(event.name) + subject + _length(len(data) + 1) + _JSONB_VERSION + data


async def copy_logs(connection: asyncpg.Connection, logs: Sequence[Log]) -> None:
    """Append to `logs`."""
    await connection.copy_to_table(
        "logs", source=_stream(logs, log_row), columns=list(Log.__struct_fields__), format="binary"
    )


async def copy_task_events(connection: asyncpg.Connection, events: Sequence[TaskEvent]) -> None:
    """Append to `task_events`."""
    await connection.copy_to_table(
        "task_events",
        source=_stream(events, task_event_row),
        columns=list(TaskEvent.__struct_fields__),
        format="binary",
    )


async def _stream(rows: Sequence[R], encode: Callable[[R], bytes]) -> AsyncIterator[bytes]:
    yield _SIGNATURE
    for first in range(0, len(rows), ROWS_AT_ONCE):
        yield b"".join([encode(row) for row in rows[first : first + ROWS_AT_ONCE]])
    yield _TRAILER
