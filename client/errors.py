"""Errors that only a client can meet, below `protocol.errors.ParityError`.

::

    ParityError
    ├── TaskUnknown        1   the chain has no such task
    ├── RunnerUnknown      1   nobody registered a runner of this address
    ├── SessionUnknown     1   the chain has no such learning session
    ├── SessionFailed      1   a learning session ended without its rounds; what was left went back
    ├── ModelMissing       1   a session has no model, yet or for ever
    ├── TaskUnanswered     1   the task ended without a result; the money went back
    ├── NotDisputable      1   an answer that cannot be challenged, or a verdict that cannot be appealed, now
    ├── OutOfTurn          1   a step of a proposal whose time is not now
    ├── WaitTimeout        4   not done in the time given; it goes on by itself
    ├── Refused            1   the person said no
    └── Contradiction      1   a server's answer contradicts the chain
"""

from protocol.enums import TaskStatus
from protocol.errors import ParityError


class TaskUnknown(ParityError):
    """The chain has no task of this id."""


class RunnerUnknown(ParityError):
    """Nobody ever registered a runner with this node key."""


class SessionUnknown(ParityError):
    """The chain has no learning session of this id."""


class SessionFailed(ParityError):
    """A learning session ended before its rounds were done; what was not paid out went back."""


class ModelMissing(ParityError):
    """A session has no model yet, or had none before it ended."""


class TaskUnanswered(ParityError):
    """A task ended without a result. `status` is FAILED or CANCELLED; what was escrowed went back to the payer."""

    def __init__(self, message: str, *, status: TaskStatus, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.status = status


class NotDisputable(ParityError):
    """There is nothing to challenge or appeal, not yet or no more."""


class OutOfTurn(ParityError):
    """A step of a proposal, or of this account with it, that cannot be taken now."""


class WaitTimeout(ParityError):
    """A task did not end in the time given. Nothing is lost: it goes on, and can be waited for again."""

    exit_code = 4


class Refused(ParityError):
    """The person did not agree, so nothing was signed."""


class Contradiction(ParityError):
    """A server said something that the chain does not bear out. The chain is right."""
