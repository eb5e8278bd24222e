"""Errors of federated learning. Each names the field that is wrong, or the participant."""


class LearningError(ValueError):
    """Something asked for cannot be done; `field` names what must change."""

    def __init__(self, message: str, *, field: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field


class PartitionError(LearningError):
    """The samples cannot be divided as asked."""


class UpdateError(LearningError):
    """An update, or a set of them, cannot be aggregated."""
