"""SCAFFOLD (Karimireddy et al. 2020, option II): control variates against the drift of uneven data.

A participant adds `server - own` to its gradients; afterwards its own variate becomes what its gradients were on average.
With momentum, the length of a step is the learning rate over 1 - momentum, and variates are scaled accordingly.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from learning.aggregate import fedavg
from learning.updates import Update, Vector


@dataclass(frozen=True, slots=True)
class Variates:
    """The server's variate and, of each participant that has one, its own; float32 of shape (parameters,)."""

    server: Vector
    own: dict[str, Vector]

    def correction(self, participant: str) -> Vector:
        """Return what this participant adds to every gradient."""
        return self.server - self.own.get(participant, np.zeros_like(self.server))


def own_variate(
    correction: Vector, delta: Vector, *, steps: int, rate: float, momentum: float = 0.0
) -> Vector:
    """Return a participant's next variate: its average gradient, from the correction it used and the update it made."""
    scale = np.float32(steps * rate / (1 - momentum))
    # delta = -scale·(gradient + correction), so the gradient was:
    return (-delta / scale - correction).astype(np.float32)


def after_round(
    variates: Variates, latest: Sequence[tuple[str, Vector]], *, participants: int, clip: float
) -> Variates:
    """Move the server's variate by the mean change, counted over all `participants` whether they took part or not."""
    zero = np.zeros_like(variates.server)
    changes = [Update(who, 1, new - variates.own.get(who, zero)) for who, new in latest]
    share = np.float32(len(changes) / participants)
    server = variates.server + share * fedavg(changes, clip=clip)
    return Variates(server, {**variates.own, **dict(latest)})
