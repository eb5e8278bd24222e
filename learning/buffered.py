"""Asynchronous rounds (FedBuff, Nguyen et al. 2022): aggregate whenever enough updates are there, older ones weighing less.

A round's number tells which model a training started from. Whoever needs longer than a round lasts hands its update in
later, late by so many rounds, and it counts weight / sqrt(1 + rounds late).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isqrt

from learning.session_config import AsyncSpec
from learning.updates import Update

_PRECISION = 1_000


@dataclass(frozen=True, slots=True)
class Ledger:
    """What late updates are judged by. Rounds count from 0.

    `bases` are digests of the models with which rounds began that may still be trained for, by round; `handed_in` is the
    latest round for which each participant has handed in its training.
    """

    bases: Mapping[int, str] = field(default_factory=dict)
    handed_in: Mapping[str, int] = field(default_factory=dict)

    def begin(self, number: int, base: str, spec: AsyncSpec | None) -> "Ledger":
        """Take in the model with which round `number` begins, and forget those that are too old now."""
        oldest = number - (spec.max_staleness if spec else 0)
        kept = {past: digest for past, digest in self.bases.items() if past >= oldest}
        return Ledger({**kept, number: base}, self.handed_in)

    def take(self, trained_for: Mapping[str, int]) -> "Ledger":
        """Take in for which rounds participants have handed in their trainings."""
        return Ledger(self.bases, {**self.handed_in, **trained_for})


def weighed(updates: Sequence[Update], late: Mapping[str, int]) -> list[Update]:
    """Weigh down what is late, in whole numbers: a round in which nothing is late is like any other.

    `late` are rounds by participant; who is not named is in time.
    """
    if not any(late.get(update.participant) for update in updates):
        return list(updates)
    return [
        Update(update.participant, _weight(update.weight, late.get(update.participant, 0)), update.delta)
        for update in updates
    ]


def _weight(weight: int, late: int) -> int:
    """Return a thousand times weight / sqrt(1 + late), rounded down."""
    return max(1, isqrt((weight * _PRECISION) ** 2 // (1 + late)))
