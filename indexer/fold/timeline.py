"""A task's timeline: which events it shows, and how their arguments are written."""

from indexer.events import Event, EventType
from indexer.fold.rows import TaskEvent
from indexer.fold.state import State

_templates: dict[EventType, str] = {}


def add_to_timeline(
    state: State, event: Event, task_id: bytes, *, node: bytes | None = None, **arguments: bytes | int | str
) -> None:
    """Append the event to the task's timeline: integers as decimal strings, bytes as 0x hex, words as they are.

    An event has the same arguments each time, one of them is always of one kind, and a word needs no escaping: the JSON is
    filled into a template, because every event of every task comes by here.
    """
    log = event.log
    kind = event.type
    template = _templates.get(kind) or _templates.setdefault(kind, _template(arguments))
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
            template
            % tuple([value.hex() if type(value) is bytes else value for value in arguments.values()]),
        )
    )


def _template(arguments: dict[str, bytes | int | str]) -> str:
    members = [f'"{name}":"{"0x" * isinstance(value, bytes)}%s"' for name, value in arguments.items()]
    return "{" + ",".join(members) + "}"
