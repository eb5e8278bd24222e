"""Features of unlike sizes brought to one: how far each lies from its mean, in standard deviations.

Gradients go as far along a feature as its numbers are large, so that a column of thousands drowns one of hundredths. The session's document
names both figures of each feature, in decimal, so that everybody reads the same samples and a model's user can do it too. A target that is
a quantity is learned likewise: updates are bounded, so a model could not walk to targets of thousands, and a gate's bound is of losses near 1.
"""

from decimal import Decimal

import numpy as np

from learning.datasets import Columns, feature_names, numbers_in
from learning.errors import ConfigError, DataError
from learning.partition import Indices
from learning.session_config import DatasetSpec

_DIGITS = 9
_SMALLEST, _LARGEST = 1e-18, 1e18


def standardized(spec: DatasetSpec, columns: Columns, rows: Indices) -> DatasetSpec:
    """Name each feature's mean and standard deviation over `rows`; a feature that is the same in all of them is only centred.

    Raises `ConfigError` where features are divided by a number already, `DataError` for what is no number, or one that a document
    cannot name.
    """
    if spec.divide_by != 1:
        raise ConfigError("divides features that are to be standardized: choose one", field="divide_by")
    figures = [_figures(columns, name, rows) for name in feature_names(columns, spec)]
    changed = {"centers": [center for center, _ in figures], "scales": [scale for _, scale in figures]}
    return DatasetSpec.build({**spec.model_dump(), **changed})


def with_target(spec: DatasetSpec, columns: Columns, rows: Indices) -> DatasetSpec:
    """Name the mean and standard deviation of the target, which is a quantity, over `rows`."""
    center, scale = _figures(columns, spec.target, rows)
    return DatasetSpec.build({**spec.model_dump(), "target_center": center, "target_scale": scale})


def _figures(columns: Columns, name: str, rows: Indices) -> tuple[Decimal, Decimal]:
    numbers = numbers_in(columns, name)[rows]
    center, scale = float(numbers.mean()), float(numbers.std()) if np.ptp(numbers) else 1.0
    if not (_SMALLEST <= scale < _LARGEST and abs(center) < _LARGEST):
        raise DataError(
            f"a mean of {center:g} and a standard deviation of {scale:g} are beyond what a document names"
            f" ({_SMALLEST:g} to {_LARGEST:g}): write the column in another unit",
            field=name,
        )
    return _short(center) if abs(center) >= _SMALLEST else Decimal(0), _short(scale)


def _short(number: float) -> Decimal:
    return Decimal(f"{number:.{_DIGITS}g}")
