"""Errors of federated learning. Each names the field that is wrong, or the participant.

LearningError
├ ConfigError              a session's configuration
├ DataError                a data set's bytes
├ PartitionError           samples that cannot be divided as asked
├ TensorError              weights that are not what the model declares
├ UpdateError              an update, or a set of them, that cannot be aggregated
├ PrivacyError             a privacy parameter without meaning
├ SecureAggregationError   a message or step outside the protocol
├ EvidenceError            what was shown in an audit does not match what was committed
└ SessionError             an event that cannot follow what happened before
"""


class LearningError(ValueError):
    """Something asked for cannot be done; `field` names what must change."""

    def __init__(self, message: str, *, field: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field


class ConfigError(LearningError):
    """A session's configuration does not say what it must, or contradicts itself."""


class DataError(LearningError):
    """A data set is not what its description says, or is too large."""


class PartitionError(LearningError):
    """The samples cannot be divided as asked."""


class TensorError(LearningError):
    """Weights do not have the names, shapes or values that the model declares."""


class UpdateError(LearningError):
    """An update, or a set of them, cannot be aggregated."""


class PrivacyError(LearningError):
    """A privacy parameter has no meaning."""


class SecureAggregationError(LearningError):
    """A message or a step does not belong here in the protocol."""


class EvidenceError(LearningError):
    """What was shown in an audit does not match what was committed."""


class SessionError(LearningError):
    """An event cannot follow what happened before."""
