"""Commands that take the flags of a learning session: the flags become one parameter, `wishes`."""

import functools
import inspect
from collections.abc import Callable, Coroutine
from typing import Any, get_type_hints

from client.commands.session_flags import SUBJECTS
from client.federated.wishes import Wishes

Command = Callable[..., Coroutine[Any, Any, None]]


def described(function: Command) -> Command:
    """Add the session's flags to a command, and pass what they say as its parameter `wishes`."""

    @functools.wraps(function)
    async def run(*args: Any, **given: Any) -> None:
        fields: dict[str, Any] = {}
        for subject in SUBJECTS:
            fields |= subject(**{name: given.pop(name) for name in inspect.signature(subject).parameters})
        await function(*args, **given, wishes=Wishes(**fields))

    hints: dict[str, Any] = {}
    for source in (*SUBJECTS, function):
        hints |= get_type_hints(source, include_extras=True)
    ordered = _ordered(function)
    run.__signature__ = inspect.Signature(ordered)  # type: ignore[attr-defined]
    run.__annotations__ = {one.name: hints[one.name] for one in ordered}
    return run


def _ordered(function: Command) -> list[inspect.Parameter]:
    """Return the command's own parameters and the flags: arguments first, then what is required, flags, and the rest."""
    own = [one for one in inspect.signature(function).parameters.values() if one.name != "wishes"]
    positional = [one for one in own if one.kind is not inspect.Parameter.KEYWORD_ONLY]
    options = [one for one in own if one.kind is inspect.Parameter.KEYWORD_ONLY]
    required = [one for one in options if one.default is inspect.Parameter.empty]
    optional = [one for one in options if one.default is not inspect.Parameter.empty]
    flags = [one for subject in SUBJECTS for one in inspect.signature(subject).parameters.values()]
    return [*positional, *required, *flags, *optional]
