"""What the values of a column are: numbers, words, or neither, told with the row, counted from 1 without the header."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learning.errors import DataError

_FILL = "leave such rows out, or fill them in"
_ENCODE = "write each word as a column of 0 and 1, or leave the column out; what is to be predicted may be words where a model is of classes"
_MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "?"})
"""How a missing value is written, in lower case."""


def only_numbers(column: NDArray[Any], name: str) -> NDArray[np.float64]:
    """Return a column's numbers, shape (samples,); `DataError` naming the row of what is none, or saying that all are words."""
    numbers = numbers_of(column)
    if numbers is None:
        if column.dtype.kind not in "OSU":
            raise DataError(f"holds {column.dtype}; numbers are expected", field=name)
        wrong_ones = [(row, value) for row, value in enumerate(column, start=1) if not is_number(value)]
        words = [value for _, value in wrong_ones if str(value).strip().lower() not in _MISSING]
        if 2 * len(words) > len(column):
            raise DataError(
                f"holds words such as {_shown(words[0])}, where numbers are expected; {_ENCODE}", field=name
            )
        row, value = wrong_ones[0]
        raise DataError(f"row {row} has {_shown(value)} where a number is expected; {_FILL}", field=name)
    wrong = ~(np.abs(numbers) <= np.finfo(np.float32).max)
    if wrong.any():
        row = int(np.argmax(wrong)) + 1
        raise DataError(f"infinite, missing or too large, such as in row {row}; {_FILL}", field=name)
    return numbers


def numbers_of(column: NDArray[Any]) -> NDArray[np.float64] | None:
    """Return a column's numbers, missing ones as NaN; none if it holds anything else, such as words or dates."""
    if column.dtype.kind not in "OSUbiuf" or _has_spaced(column):
        return None
    try:
        return column.astype(np.float64)
    except (TypeError, ValueError, OverflowError):
        return None


def words_of(column: NDArray[Any], name: str) -> tuple[str, ...]:
    """Return the different words of a column, in order; nothing where all are numbers.

    Raises `DataError` for what is neither: a word or gap among numbers, or a gap among words.
    """
    gap = next((row for row, value in enumerate(column, start=1) if _is_missing(value)), None)
    if gap is not None:
        raise DataError(f"row {gap} has no value; {_FILL}", field=name)
    if numbers_of(column) is not None:
        return ()
    if column.dtype.kind not in "OSU":
        raise DataError(f"holds {column.dtype}; classes are numbers or words", field=name)
    texts = [str(value) for value in column]
    words = sorted(set(texts))
    if marks := [word for word in words if word.strip().lower() in _MISSING]:
        numbered = all(is_number(word) for word in words if word not in marks)
        if numbered or not marks[0].strip():
            raise DataError(
                f"row {texts.index(marks[0]) + 1} has {_shown(marks[0])} for a class; {_FILL}", field=name
            )
    return tuple(words)


def is_number(value: object) -> bool:
    """Return whether a value is, or spells, a number."""
    try:
        float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return False
    return not _is_spaced(value)


def _is_spaced(value: object) -> bool:
    """Return whether this is a number only as Python's programs write them: 2024_01 is meant for a name."""
    return isinstance(value, str) and "_" in value


def _has_spaced(column: NDArray[Any]) -> bool:
    if column.dtype.kind not in "OU":
        return False
    try:
        return "_" in "".join(column)  # text alone, as in CSV, is looked through at once
    except TypeError:
        return any(map(_is_spaced, column))


def _is_missing(value: object) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _shown(value: object) -> str:
    return repr(str(value)[:40])
