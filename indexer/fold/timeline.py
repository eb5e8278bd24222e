"""A task's timeline: which events it shows, and how their arguments are written."""

from collections.abc import Callable

from indexer.events import Event, EventType
from indexer.fold.rows import TaskEvent
from indexer.fold.state import State

_writers: dict[EventType, Callable[..., str]] = {}


def add_to_timeline(
    state: State, event: Event, task_id: bytes, *, node: bytes | None = None, **arguments: bytes | int | str
) -> None:
    """Append the event to the task's timeline: integers as decimal strings, bytes as 0x hex, words as they are.

    Every event of every task comes by here, with the same arguments each time, one of them always of one kind. So what
    writes them is compiled once for each type of event.
    """
    log = event.log
    kind = event.type
    write = _writers.get(kind) or _writers.setdefault(kind, _writer(arguments))
    state.task_events.append(
        TaskEvent(
            task_id,
            log.block_number,
            log.tx_index,
            log.log_index,
            log.tx_hash,
            log.block_time,
            kind.name,
            node,
            write(*arguments.values()),
        )
    )


def _writer(arguments: dict[str, bytes | int | str]) -> Callable[..., str]:
    """Make the function that writes such arguments as JSON. None of them needs escaping, words neither."""
    members = ",".join(
        f'"{name}":"0x{{{name}.hex()}}"' if isinstance(value, bytes) else f'"{name}":"{{{name}}}"'
        for name, value in arguments.items()
    )
    # The names are those of the calls in this package.
    writer: Callable[..., str] = eval(f"lambda {','.join(arguments)}: f'{{{{{members}}}}}'")  # noqa: S307
    return writer
