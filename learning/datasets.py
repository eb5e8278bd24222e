"""A data set's bytes, from a stranger, into arrays: size-capped, checked against the schema, and never by running code."""

import codecs
import csv
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learning.errors import DataError
from learning.partition import Labels
from learning.session_config import DatasetSpec, Format
from learning.values import is_number, only_numbers

MAX_BYTES = 1 << 30
MAX_CELLS = 1 << 28
Columns = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Dataset:
    """Samples in their own order.

    `features` has shape (samples, features), float32. `targets` has shape (samples,): int64 classes or float32
    quantities. `groups` holds each sample's natural id as text, if the schema names such a column. A target of 1 is `unit` in
    the data's own measure.
    """

    features: NDArray[np.float32]
    targets: NDArray[np.int64] | NDArray[np.float32]
    groups: NDArray[np.str_] | None = None
    unit: float = 1.0

    def __len__(self) -> int:
        return len(self.features)

    def take(self, indices: NDArray[np.int64]) -> "Dataset":
        """Return the samples at `indices`, in that order."""
        groups = None if self.groups is None else self.groups[indices]
        return Dataset(self.features[indices], self.targets[indices], groups, self.unit)

    @property
    def labels(self) -> Labels:
        """Return the classes; `DataError` if the targets are quantities."""
        if not np.issubdtype(self.targets.dtype, np.integer):
            raise DataError("quantities, where a division by classes needs classes", field="target")
        return self.targets.astype(np.int64)


def load_dataset(
    content: bytes,
    spec: DatasetSpec,
    *,
    input_dim: int,
    classes: int | None,
    max_bytes: int = MAX_BYTES,
    max_cells: int = MAX_CELLS,
) -> Dataset:
    """Read samples of `input_dim` features; `classes` is None where targets are quantities.

    Raises `DataError` naming the column, and before reading on where a file declares more than the caps.
    """
    columns = read_columns(content, spec.format, max_bytes=max_bytes, max_cells=max_cells)
    features = _features(columns, spec, input_dim)
    targets = _targets(_column(columns, spec.target), spec, classes)
    groups = None if spec.group is None else _column(columns, spec.group).astype(np.str_)
    return Dataset(features, targets, groups, float(spec.target_scale) if classes is None else 1.0)


def read_columns(
    content: bytes, form: Format, *, max_bytes: int = MAX_BYTES, max_cells: int = MAX_CELLS
) -> Columns:
    """Read a file into its columns by name, each of shape (samples,), before any schema is applied; `DataError`."""
    if len(content) > max_bytes:
        raise DataError(f"{len(content)} bytes; at most {max_bytes} are read", field="dataset")
    readers: dict[Format, Callable[[bytes, int], Columns]] = {
        "csv": _csv, "json": _json, "parquet": _parquet, "npz": _npz,
    }  # fmt: skip
    columns = readers[form](content, max_cells)
    if form == "npz" and "x" in columns:
        columns = _spread(columns)
    return _checked(columns)


def format_of(content: bytes) -> Format:
    """Return a file's format by its first bytes; what is none of the others is taken for CSV."""
    if content.startswith(b"PAR1"):
        return "parquet"
    if content.startswith(b"PK\x03\x04"):
        return "npz"
    return "json" if content.removeprefix(codecs.BOM_UTF8).lstrip()[:1] in (b"[", b"{") else "csv"


def _column(columns: Columns, name: str) -> NDArray[Any]:
    if name not in columns:
        known = ", ".join(list(columns)[:10])
        raise DataError(f"there is no such column; there are {known}", field=name)
    return columns[name]


def feature_names(columns: Columns, spec: DatasetSpec) -> tuple[str, ...]:
    """Name the columns that are features, in their order."""
    apart = {spec.target, spec.group}
    return spec.features or tuple(name for name in columns if name not in apart)


def numbers_in(columns: Columns, name: str) -> NDArray[np.float64]:
    """Return a column's numbers, shape (samples,); `DataError` naming the row of what is none."""
    return only_numbers(_column(columns, name), name)


def _features(columns: Columns, spec: DatasetSpec, input_dim: int) -> NDArray[np.float32]:
    names = feature_names(columns, spec)
    if len(names) != input_dim:
        raise DataError(f"{len(names)} columns, but the model takes {input_dim}", field="features")
    if spec.centers and len(spec.centers) != len(names):
        raise DataError(f"{len(spec.centers)} centers for {len(names)} features", field="centers")
    rows = len(_column(columns, spec.target))
    table = np.empty((rows, len(names)), dtype=np.float32)
    with np.errstate(over="ignore"):
        for place, name in enumerate(names):
            numbers = numbers_in(columns, name)
            if spec.centers:
                numbers = (numbers - float(spec.centers[place])) / float(spec.scales[place])
            table[:, place] = numbers
        if (divisor := np.float32(float(spec.divide_by))) != 1:
            table /= divisor
    if not np.isfinite(table).all():
        by, field = (spec.divide_by, "divide_by") if divisor != 1 else ("its scale", "scales")
        raise DataError(f"{by} makes a feature infinite", field=field)
    return table


def _targets(
    column: NDArray[Any], spec: DatasetSpec, classes: int | None
) -> NDArray[np.int64] | NDArray[np.float32]:
    if classes is None:
        numbers = only_numbers(column, spec.target)
        return ((numbers - float(spec.target_center)) / float(spec.target_scale)).astype(np.float32)
    if spec.labels:
        place = {label: index for index, label in enumerate(spec.labels)}
        try:
            return np.array([place[str(label)] for label in column], dtype=np.int64)
        except KeyError as error:
            raise DataError(f"class {error} is not among dataset.labels", field=spec.target) from None
    numbers = only_numbers(column, spec.target)
    labels = numbers.astype(np.int64)
    if (labels != numbers).any() or (labels < 0).any() or (labels >= max(classes, 2)).any():
        raise DataError(f"expected whole numbers from 0 to {max(classes, 2) - 1}", field=spec.target)
    return labels


def _checked(columns: Columns) -> Columns:
    """Pass on columns of one value for each sample, of which there is at least one; text is text, however it is stored."""
    for name, column in columns.items():
        if column.ndim != 1:
            raise DataError(
                f"has shape {column.shape}, where one value for each sample is expected; features in one array are named x",
                field=name,
            )
    if len(lengths := {len(column) for column in columns.values()}) > 1:
        raise DataError(
            f"columns have different lengths: {', '.join(map(str, sorted(lengths)))}", field="dataset"
        )
    if not columns or lengths == {0}:
        raise DataError("no samples", field="dataset")
    return {
        name: np.char.decode(column, "utf-8", "replace") if column.dtype.kind == "S" else column
        for name, column in columns.items()
    }


def _check_cells(rows: int, columns: int, max_cells: int) -> None:
    if rows * columns > max_cells:
        raise DataError(
            f"{rows} rows of {columns} columns; at most {max_cells} cells are read", field="dataset"
        )


def _csv(content: bytes, max_cells: int) -> Columns:
    try:
        lines = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
        header = [name.strip() for name in next(lines, [])]
        _check_header(header)
        rows: list[list[str]] = []
        for row in lines:
            if not row:  # a blank line
                continue
            if len(row) != len(header):
                raise DataError(
                    f"line {lines.line_num} has {len(row)} cells, not {len(header)}", field="dataset"
                )
            rows.append(row)
            _check_cells(len(rows), len(header), max_cells)
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"not CSV in UTF-8: {error}", field="dataset") from None
    return {name: np.array([row[i] for row in rows], dtype=object) for i, name in enumerate(header)}


def _check_header(names: list[str]) -> None:
    """Refuse a first line that is none, as far as that can be told."""
    if len(names) == 1 and (found := next((sign for sign in ";\t|" if sign in names[0]), None)):
        raise DataError(f"columns are separated by {found!r}; a comma is expected", field="dataset")
    if not names or len(set(names)) != len(names):
        raise DataError("the first line must name each column once", field="dataset")
    if "" in names:
        raise DataError(
            f"column {names.index('') + 1} has no name; leave out row numbers (index=False in pandas), or name it",
            field="dataset",
        )
    counted = [str(number) for number in range(len(names))]  # what pandas calls columns that have no names
    if names != counted and all(is_number(name) for name in names):
        raise DataError("the first line holds numbers; it must name the columns", field="dataset")


def _json(content: bytes, max_cells: int) -> Columns:
    try:
        records = json.loads(content.removeprefix(codecs.BOM_UTF8), object_pairs_hook=_record)
    except (ValueError, RecursionError) as error:
        raise DataError(f"not JSON: {error}", field="dataset") from None
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise DataError(
            'expected a list of objects, one for each sample: [{"column": …}, …]', field="dataset"
        )
    names = list(records[0]) if records else []
    _check_cells(len(records), len(names), max_cells)
    for row, record in enumerate(records):
        if record.keys() != records[0].keys():
            raise DataError(f"object {row} has other fields than the first", field="dataset")
        if nested := next((name for name, value in record.items() if isinstance(value, list | dict)), None):
            raise DataError(
                f"object {row} has a list or an object, where one value is expected", field=nested
            )
    return {name: np.array([record[name] for record in records], dtype=object) for name in names}


def _record(pairs: list[tuple[str, object]]) -> dict[str, object]:
    record = dict(pairs)
    if len(record) != len(pairs):
        raise ValueError("an object names a field twice")
    return record


def _parquet(content: bytes, max_cells: int) -> Columns:
    import pyarrow as pa  # noqa: PLC0415 - slow to import; most data sets are CSV
    from pyarrow import parquet  # noqa: PLC0415

    try:
        # A text that stands in a million rows may lie in the file once: so it does in memory too.
        texts = [
            field.name
            for field in parquet.read_schema(io.BytesIO(content))
            if pa.types.is_string(field.type) or pa.types.is_large_string(field.type)
        ]
        file = parquet.ParquetFile(io.BytesIO(content), read_dictionary=texts)
        _check_cells(file.metadata.num_rows, file.metadata.num_columns, max_cells)
        names = file.schema_arrow.names
        if len(set(names)) != len(names):
            raise DataError("two columns have the same name", field="dataset")
        if any(name.startswith("__index_level_") for name in names):
            raise DataError(
                "holds row numbers as a column; leave them out (index=False in pandas)", field="dataset"
            )
        for kind in file.schema_arrow.types:
            if pa.types.is_nested(kind) or pa.types.is_binary(kind):
                raise DataError(f"columns hold numbers or text, not {kind}", field="dataset")
        table = file.read(use_threads=False)
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"not Parquet: {error}", field="dataset") from None
    return {name: _plain(table[name]) for name in table.column_names}


def _plain(column: Any) -> NDArray[Any]:
    """Return an Arrow column's values; where each is kept once and numbered, a missing number is none, and not the last value."""
    if not hasattr(column.type, "index_type"):
        return np.asarray(column.to_numpy())
    parts = [
        np.array([*chunk.dictionary.to_pylist(), None], dtype=object)[chunk.indices.fill_null(-1).to_numpy()]
        for chunk in column.chunks
    ]
    return np.concatenate(parts) if parts else np.zeros(0, dtype=object)


def _npz(content: bytes, max_cells: int) -> Columns:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            declared = sum(entry.file_size for entry in archive.infolist())
        if declared > 8 * max_cells:
            raise DataError(f"unpacks to {declared} bytes; at most {8 * max_cells} are read", field="dataset")
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return {name: np.asarray(arrays[name]) for name in arrays.files}
    except (
        *(zipfile.BadZipFile, ValueError, OSError, EOFError, KeyError),
        *(MemoryError, OverflowError),  # what a header declares is asked for before it is read
    ) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"not an archive of plain arrays: {error}", field="dataset") from None


def _spread(columns: Columns) -> Columns:
    """Return the array `x` of shape (samples, …) as columns x0, x1, …; the others stay."""
    table = columns["x"]
    if table.ndim < 1 or any(not other.ndim or len(other) != len(table) for other in columns.values()):
        raise DataError("arrays have other lengths", field="x")
    if not table.size:
        raise DataError("no samples, or no features", field="x")
    flat = table.reshape(len(table), -1)
    rest = {name: column for name, column in columns.items() if name != "x"}
    if clash := rest.keys() & {f"x{i}" for i in range(flat.shape[1])}:
        raise DataError("is a column of x already", field=min(clash))
    if any(column.ndim != 1 for column in rest.values()):
        raise DataError("every array but x has one value for each sample", field="dataset")
    return {f"x{i}": flat[:, i] for i in range(flat.shape[1])} | rest
