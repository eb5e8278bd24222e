"""What to do after a failure: how long to wait, and when asking again has been tried often enough.

A node may lie once, or be replaced by a better one, so no answer of a node ends the process at once: what asking again
"never helps" with is asked again all the same, a few times at the same block, before people are told.
"""

from dataclasses import dataclass

from indexer.errors import FoldError
from indexer.rpc.classify import Meaning, RpcError

FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 10.0
TRIES = 6
"""Failures in a row at the same block that a person must mend, until it is left to a person."""


@dataclass(slots=True)
class Patience:
    """Counts failures in a row; progress, or a step that succeeded, starts anew."""

    _failures: int = 0
    _beyond_us: int = 0
    _indexed: int = -1

    def succeeded(self) -> None:
        """Forget earlier failures."""
        self._failures = self._beyond_us = 0

    def pause_s(self, error: Exception, *, indexed: int) -> float:
        """Return the seconds to wait after a failure while `indexed` was the last indexed block.

        Raises the error itself when it needs a person: a node that refuses the question or keeps no history, or an event
        that cannot be folded, again and again.
        """
        if indexed != self._indexed:
            self._indexed = indexed
            self.succeeded()
        self._failures += 1
        self._beyond_us = self._beyond_us + 1 if _needs_a_person(error) else 0
        if self._beyond_us >= TRIES:
            raise error
        return min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** (self._failures - 1))


def _needs_a_person(error: Exception) -> bool:
    if isinstance(error, RpcError):
        return error.meaning in (Meaning.REFUSED, Meaning.NO_HISTORY)
    return isinstance(error, FoldError)
