"""kill -9 at every boundary: a journal and a sender that die, once each, before and after everything they do."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from runner.parts import Parts

WRITES = frozenset({"move", "keep_spec", "seated", "promise", "end", "record_transaction", "set_profile"})


class Killed(BaseException):
    """The process is gone: nothing of ours catches it."""


class Killer:
    """Kills at each boundary that it has not killed at before."""

    def __init__(self) -> None:
        self.boundaries: list[str] = []

    def reach(self, boundary: str) -> None:
        if boundary not in self.boundaries:
            self.boundaries.append(boundary)
            raise Killed(boundary)

    def armed(self, parts: Parts) -> Parts:
        """Return the parts with a journal and a sender that die."""
        return replace(
            parts, journal=Mortal(parts.journal, self, WRITES), sender=MortalSender(parts.sender, self)
        )


class Mortal:
    """Passes everything on, and dies before and after the named calls."""

    def __init__(self, inner: Any, killer: Killer, fatal: frozenset[str]) -> None:
        self._inner = inner
        self._killer = killer
        self._fatal = fatal

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        return self._dying(name, found) if name in self._fatal else found

    def _dying(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def dying(*args: Any, **named: Any) -> Any:
            what = f"{name} {args[1]}" if name == "move" else name
            self._killer.reach(f"before {what}")
            given = call(*args, **named)
            self._killer.reach(f"after {what}")
            return given

        return dying


class MortalSender:
    """Dies before a transaction is sent, and when it is mined but nobody has been told."""

    def __init__(self, inner: Any, killer: Killer) -> None:
        self._inner = inner
        self._killer = killer
        self.address = inner.address

    async def send(self, function: Any, *, label: str) -> Any:
        self._killer.reach(f"before sending {label}")
        receipt = await self._inner.send(function, label=label)
        self._killer.reach(f"after sending {label}")
        return receipt
