"""The validation gate: what a model is worth with an update, on samples revealed only after everybody has committed."""

import math
from collections.abc import Callable, Mapping, Sequence

from learning.updates import Update, Vector

Loss = Callable[[Vector], float]
"""The loss of a model, by its weights, on the held-out samples."""


def harmful(updates: Sequence[Update], *, base: Vector, loss: Loss, tau: float) -> Mapping[str, float]:
    """Give, by participant, how much worse than the base model its update alone is, where that is more than `tau`.

    A participant with few labels forgets the others' in a round: `tau` must leave room for that.
    """
    before = loss(base)
    worse = {update.participant: loss(base + update.delta) - before for update in updates}
    return {name: rise for name, rise in worse.items() if not rise <= tau}


def accepts(*, before: float, after: float, tau: float) -> bool:
    """Return whether an aggregate stands: it may be worse than the model before by `tau` at most, and must be a number."""
    return math.isfinite(after) and after <= before + tau
