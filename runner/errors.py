"""What can go wrong in a runner, beyond what `protocol.errors` has.

::

    ParityError
    ├── EngineError
    │   ├── EngineUnavailable    no answer, or too busy: worth trying again
    │   │   └── ClusterAway      nothing was tried, since the owner's Ray cluster is away
    │   └── EngineRefused        it answered, and will not do this: trying again is useless
    ├── ExecutionInvalid         what it returned may not be committed
    ├── SandboxUnavailable       no box for commands can be had on this machine
    └── JournalError             the journal is locked, damaged, or of another version
"""

from protocol.errors import ParityError


class EngineError(ParityError):
    """A model engine did not do what it was asked."""


class EngineUnavailable(EngineError):
    """The engine did not answer, broke off, or is too busy."""


class ClusterAway(EngineUnavailable):
    """The Ray cluster of the owner's is away: whatever was asked for is not to blame."""


class EngineRefused(EngineError):
    """The engine answered that it will not do this."""


class ExecutionInvalid(ParityError):
    """An execution returned something that an honest runner must not commit to."""


class JournalError(ParityError):
    """The journal cannot be used."""

    exit_code = 2


class SandboxUnavailable(ParityError):
    """No box for commands can be had on this machine."""
