"""A task's timeline: which events it shows, and how their arguments are written."""

import msgspec

from indexer.events import Event
from indexer.fold.rows import TaskEvent
from indexer.fold.state import State

_encode = msgspec.json.Encoder().encode


def add_to_timeline(
    state: State, event: Event, task_id: bytes, *, node: bytes | None = None, **arguments: bytes | int | str
) -> None:
    """Append the event to the task's timeline: integers as decimal strings, bytes as 0x hex, words as they are."""
    log = event.log
    data = _encode({name: _text(value) for name, value in arguments.items()}).decode()
    state.task_events.append(
        TaskEvent(
            task_id,
            log.block_number,
            log.tx_index,
            log.log_index,
            log.tx_hash,
            log.block_time,
            event.type.name,
            node,
            data,
        )
    )


def _text(value: bytes | int | str) -> str:
    if isinstance(value, bytes):
        return "0x" + value.hex()
    return str(value)
