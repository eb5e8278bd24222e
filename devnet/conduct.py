"""How a runner of a rehearsal behaves, where it does not do what it should."""

from enum import Enum


class Conduct(Enum):
    """What a runner does; its value names it on the command line of `devnet.cheats`."""

    MADE_UP = "made-up"
    """Answers with words and likelihoods of its own invention, without asking the model."""
    OTHER_PROMPT = "other-prompt"
    """Answers an easier question than the one that was asked."""
    PADDED = "padded"
    """Bills more tokens than it wrote."""
    WRONG_ROOT = "wrong-root"
    """Commits to another fingerprint than the one that it shows."""
    LYING_MONITOR = "lying-monitor"
    """Works honestly, and accuses everybody it watches of malice."""
    SLOW = "slow"
    """Works honestly, and waits before each answer."""
    HALF_TRAINED = "half-trained"
    """Answers honestly, and trains at half the learning rate of the session."""

    @property
    def is_cheating(self) -> bool:
        """Return whether its answers to audited orders are not what they claim to be."""
        return self not in (Conduct.LYING_MONITOR, Conduct.SLOW, Conduct.HALF_TRAINED)
