"""What the columns of a data set are: what is to be predicted, features, classes."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from learning.datasets import Columns, feature_names
from learning.errors import ConfigError, DataError
from learning.session_config import DatasetSpec
from learning.values import words_of

TARGETS = ("label", "target", "class", "y")
"""Names of columns that are taken for what is to be predicted, in this order; else the last column is."""
_MOST_CLASSES = 1_000
_MOST_NUMBERED = 65_536
_MOST_NAMES_BYTES = 65_536
"""Features whose names are longer than this altogether are told apart by their order, so that the document stays within its limit."""
ONE_CLASS = "every sample is of the same class; there is nothing to learn"


def target_of(columns: Columns, wanted: str | None) -> str:
    """Name the column that is to be predicted: the one asked for, or the one that looks like it. `DataError` if there is none."""
    target = wanted or next((name for name in TARGETS if name in columns), list(columns)[-1])
    if target not in columns:
        known = ", ".join(list(columns)[:10])
        raise DataError(f"there is no column {target!r}; there are {known}", field="dataset.target")
    return target


def named(spec: DatasetSpec, columns: Columns) -> DatasetSpec:
    """Name the features, so that other files of the session may have their columns in another order, or more of them."""
    names = feature_names(columns, spec)
    if spec.format == "npz" or sum(len(name.encode()) for name in names) > _MOST_NAMES_BYTES:
        return spec
    return spec.model_copy(update={"features": names})


def count_classes(column: NDArray[Any], name: str) -> int:
    """Count the classes that a model needs outputs for. `DataError`, or `ConfigError` where the column holds quantities."""
    words = words_of(column, name)
    if len(words) == 1:
        raise DataError(ONE_CLASS, field="dataset.target")
    if words:
        return len(words)
    numbers = column.astype(np.float64)
    if not np.isfinite(numbers).all():
        row = int(np.argmin(np.isfinite(numbers))) + 1
        raise DataError(f"row {row} has no class; leave such rows out, or fill them in", field=name)
    if (numbers % 1 != 0).any():
        raise ConfigError(
            "the target holds quantities, not classes; use linear_regression, or describe the model in a file",
            field="model-type",
        )
    least, most = int(numbers.min()), int(numbers.max())
    if least < 0 or most >= _MOST_NUMBERED:
        raise DataError(
            f"holds whole numbers from {least} to {most}; classes are words, or numbers from 0 to {_MOST_NUMBERED - 1}",
            field=name,
        )
    return max(2, most + 1)


def class_names(column: NDArray[Any], name: str) -> tuple[str, ...]:
    """Name the classes in order where they are words; nothing where they are numbers."""
    names = words_of(column, name)
    if len(names) > _MOST_CLASSES:
        raise DataError(f"{len(names)} different words are too many for classes", field="dataset.target")
    return names
