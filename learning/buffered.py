"""Asynchronous rounds (FedBuff, Nguyen et al. 2022): aggregate whenever enough updates are there, older ones weighing less."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isqrt

from learning.aggregate import fedavg
from learning.errors import UpdateError
from learning.session_config import AsyncSpec
from learning.updates import Update, Vector

_PRECISION = 1_000


@dataclass(frozen=True, slots=True)
class Buffered:
    """An update and the version of the model it started from."""

    update: Update
    version: int


@dataclass(frozen=True, slots=True)
class Buffer:
    """Updates waiting, and the model's version: how many times it has been changed."""

    version: int = 0
    waiting: tuple[Buffered, ...] = ()

    def add(self, arrived: Buffered, spec: AsyncSpec) -> "Buffer":
        """Take an update in; `UpdateError` if it is too old, from the future, or its participant is waiting already."""
        who = arrived.update.participant
        if not 0 <= self.version - arrived.version <= spec.max_staleness:
            raise UpdateError(
                f"started from version {arrived.version}, now it is {self.version}; at most {spec.max_staleness} late",
                field=who,
            )
        if any(other.update.participant == who for other in self.waiting):
            raise UpdateError("is waiting with another update already", field=who)
        return Buffer(self.version, (*self.waiting, arrived))

    def full(self, spec: AsyncSpec) -> bool:
        """Return whether it is time to aggregate."""
        return len(self.waiting) >= spec.buffer

    def flush(self, *, clip: float) -> tuple[Vector, "Buffer"]:
        """Return the mean, each update weighing its weight / √(1 + versions late), and the emptied buffer."""
        return fedavg(staled(self.waiting, version=self.version), clip=clip), Buffer(self.version + 1)


def staled(waiting: Sequence[Buffered], *, version: int) -> list[Update]:
    """Weigh down what is late, in whole numbers."""
    return [
        Update(
            one.update.participant,
            max(
                1,
                one.update.weight
                * _PRECISION
                * _PRECISION
                // isqrt((1 + version - one.version) * _PRECISION**2),
            ),
            one.update.delta,
        )
        for one in waiting
    ]
