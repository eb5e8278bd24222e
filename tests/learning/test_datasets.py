import io
import json
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from learning.datasets import format_of, load_dataset, read_columns
from learning.errors import DataError
from learning.session_config import DatasetSpec
from learning.values import words_of

X = np.array([[1, 2], [3, 4], [5, 6]], dtype=np.float32)
Y = np.array([0, 1, 1])


def csv_bytes() -> bytes:
    return b"a,b,label\n" + b"".join(b"%g,%g,%d\n" % (a, b, y) for (a, b), y in zip(X, Y, strict=True))


def json_bytes() -> bytes:
    return json.dumps(
        [{"a": float(a), "b": float(b), "label": int(y)} for (a, b), y in zip(X, Y, strict=True)]
    ).encode()


def parquet_bytes(**columns: Any) -> bytes:
    sink = io.BytesIO()
    parquet.write_table(pa.table(columns or {"a": X[:, 0], "b": X[:, 1], "label": Y}), sink)
    return sink.getvalue()


def npz_bytes(**arrays: Any) -> bytes:
    sink = io.BytesIO()
    np.savez_compressed(sink, **(arrays or {"x": X, "label": Y}))
    return sink.getvalue()


CONTENT = {"csv": csv_bytes, "json": json_bytes, "parquet": parquet_bytes, "npz": npz_bytes}


@pytest.mark.parametrize("kind", CONTENT)
def test_every_format_gives_the_same_samples(kind: Any):
    data = load_dataset(CONTENT[kind](), DatasetSpec(format=kind), input_dim=2, classes=2)
    assert data.features.dtype == np.float32
    assert np.array_equal(data.features, X)
    assert data.targets.tolist() == Y.tolist()
    assert data.take(np.array([2, 0])).features.tolist() == [[5, 6], [1, 2]]


def test_images_in_npz_are_flattened_row_by_row():
    images = np.arange(12, dtype=np.uint8).reshape(3, 2, 2)
    data = load_dataset(
        npz_bytes(x=images, label=Y), DatasetSpec(format="npz", divide_by=2), input_dim=4, classes=2
    )
    assert data.features[1].tolist() == [2, 2.5, 3, 3.5]


def test_classes_may_have_names_and_samples_natural_ids():
    content = b"who,a,b,kind\nann,1,2,cat\nbob,3,4,dog\n"
    spec = DatasetSpec(target="kind", group="who", labels=("dog", "cat"))
    data = load_dataset(content, spec, input_dim=2, classes=2)
    assert data.targets.tolist() == [1, 0]
    assert data.groups is not None
    assert data.groups.tolist() == ["ann", "bob"]


def test_quantities_are_floats_and_no_labels():
    data = load_dataset(b"a,y\n1,0.5\n2,-7\n", DatasetSpec(target="y"), input_dim=1, classes=None)
    assert data.targets.dtype == np.float32
    with pytest.raises(DataError):
        _ = data.labels


def declaring(shape: str, kind: str) -> bytes:
    """An archive whose array says that it is larger than its bytes."""
    header = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    header += b" " * (63 - (10 + len(header)) % 64) + b"\n"
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        length = len(header).to_bytes(2, "little")
        archive.writestr("x.npy", b"\x93NUMPY\x01\x00" + length + header + bytes(16))
    return sink.getvalue()


def no_samples(kind: str) -> bytes:
    return {"csv": b"a,b,label\n", "json": b"[]"}[kind]


@pytest.mark.parametrize(
    ("content", "spec", "field"),
    [
        (b"a,b,label\n1,2\n", {}, "dataset"),
        (b"a,a,label\n1,2,0\n", {}, "dataset"),
        (b"", {}, "dataset"),
        (b"\xff\xfe\x00", {}, "dataset"),
        (b"a,b,label\n", {}, "dataset"),
        (b"a,b,label\n1,x,0\n", {}, "b"),
        (b"a,b,label\n1,nan,0\n", {}, "b"),
        (b"a,b,label\n1,1e300,0\n", {}, "b"),
        (b"a,b,label\n1,2,2\n", {}, "label"),
        (b"a,b,label\n1,2,0.5\n", {}, "label"),
        (b"a,b,label\n1,2,-1\n", {}, "label"),
        (b"a,b\n1,2\n", {}, "label"),
        (b"a,b,label\n1,2,0\n", {"features": ("a", "c")}, "c"),
        (b"a,b,c,label\n1,2,3,0\n", {}, "features"),
        (b"a,b,label\n1,2,0\n", {"group": "who"}, "who"),
        (b"a,b,label\n1,2,0\n", {"labels": ("x", "y")}, "label"),
        (b"[1]", {"format": "json"}, "dataset"),
        (b"[" * 100_000, {"format": "json"}, "dataset"),
        (b'[{"a": 1, "b": 2, "label": 0}, {"a": 1}]', {"format": "json"}, "dataset"),
        (b'[{"a": 1, "b": null, "label": 0}]', {"format": "json"}, "b"),
        (b'[{"a": 1, "b": 1' + b"0" * 400 + b', "label": 0}]', {"format": "json"}, "b"),
        (b"PAR1nonsensePAR1", {"format": "parquet"}, "dataset"),
        (b"PK\x03\x04nonsense", {"format": "npz"}, "dataset"),
        (npz_bytes(a=X[:, 0], b=X[:2, 1], label=Y), {"format": "npz"}, "dataset"),
        (npz_bytes(a=X, label=Y), {"format": "npz"}, "a"),
        (npz_bytes(a=X[:, 0], b=X[:, 1], label=np.int64(1)), {"format": "npz"}, "label"),
        (npz_bytes(x=X[:0], label=Y[:0]), {"format": "npz"}, "x"),
        (npz_bytes(x=X + 1j, label=Y), {"format": "npz"}, "x0"),
        (npz_bytes(x=np.full((3, 2), "2026-01-01", "M8[D]"), label=Y), {"format": "npz"}, "x0"),
        (npz_bytes(x=X[:, 0], b=np.ones(3, "m8[s]"), label=Y), {"format": "npz"}, "b"),
        (b'[{"a": [1], "b": 2, "label": 0}]', {"format": "json"}, "a"),
        (b"[]", {"format": "json"}, "dataset"),
        (
            parquet_bytes(a=X[:, 0], b=pa.array([0, 1, 2], pa.timestamp("us")), label=Y),
            {"format": "parquet"},
            "b",
        ),
        (parquet_bytes(a=X[:, 0], __index_level_0__=Y, label=Y), {"format": "parquet"}, "dataset"),
        (b"a;b;label\n1;2;0\n", {}, "dataset"),
        (b",a,label\n0,1,0\n", {}, "dataset"),
        (b"1,2,0\n3,4,1\n", {}, "dataset"),
        (b"a,b,label\n1,2024_01,0\n", {}, "b"),
        (b"a,b,label\n1,2,0_1\n", {}, "label"),
        (b'[{"a": 1, "b": "1_0", "label": 0}]', {"format": "json"}, "b"),
        (b'[{"a": 1, "b": 2, "b": 3, "label": 0}]', {"format": "json"}, "dataset"),
        (b"a,b,label\n1e30,2,0\n", {"divide_by": "0.00000000000000001"}, "divide_by"),
        (npz_bytes(x=X, x1=X[:, 0], label=Y), {"format": "npz"}, "x1"),
        (declaring("(10000000000000,)", "<f8"), {"format": "npz"}, "dataset"),
        (declaring("(1" + "0" * 30 + ",)", "<f8"), {"format": "npz"}, "dataset"),
        (declaring("(3,)", "<U1000000000"), {"format": "npz"}, "dataset"),
    ],
)
def test_bad_data_are_refused_by_column(content: bytes, spec: dict[str, Any], field: str):
    with pytest.raises(DataError) as caught:
        load_dataset(content, DatasetSpec(**spec), input_dim=2, classes=2)
    assert caught.value.field == field


def test_an_error_says_in_which_row_and_with_which_value():
    with pytest.raises(DataError, match="row 2 has '' where a number is expected"):
        load_dataset(b"a,b,label\n1,2,0\n1,,0\n", DatasetSpec(), input_dim=2, classes=2)
    with pytest.raises(DataError, match="row 3"):
        load_dataset(
            npz_bytes(x=np.array([[1.0], [2.0], [1e300]]), label=Y),
            DatasetSpec(format="npz"),
            input_dim=1,
            classes=2,
        )


@pytest.mark.parametrize(
    "content",
    [
        b"a,b,label\n1,2,0\n\n3,4,1\n5,6,1\n\n",
        b"\xef\xbb\xbfa,b,label\r\n1,2,0\r\n3,4,1\r\n5,6,1\r\n",
        b"0,1,2\n1,2,0\n3,4,1\n5,6,1\n",
        b"a, b, label\n1, 2, 0\n3, 4, 1\n5, 6, 1\n",
        b'\xef\xbb\xbf [{"a":1,"b":2,"label":0},{"a":"3","b":4,"label":1},{"b":6,"a":5,"label":true}]',
    ],
    ids=[
        "blank lines",
        "a mark of byte order",
        "columns that pandas has named",
        "blanks after commas",
        "json with such a mark",
    ],
)
def test_files_as_programs_write_them_are_read(content: bytes):
    form = format_of(content)
    spec = DatasetSpec(format=form, target="2" if content.startswith(b"0") else "label")
    assert np.array_equal(load_dataset(content, spec, input_dim=2, classes=2).features, X)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (["0", "", "1"], "row 2 has '' for a class"),
        (["0", "1", "NA"], "row 3 has 'NA' for a class"),
        (["cat", "dog", " "], "row 3 has ' ' for a class"),
        (["cat", None, "dog"], "row 2 has no value"),
        ([0.0, float("nan"), 1.0], "row 2 has no value"),
    ],
)
def test_a_missing_class_is_no_class_of_its_own(values: list[Any], said: str):
    with pytest.raises(DataError, match=said):
        words_of(np.array(values, dtype=object), "label")


def test_classes_are_words_or_numbers():
    assert words_of(np.array(["b", "a", "b"], dtype=object), "label") == ("a", "b")
    assert words_of(np.array(["DE", "NA", "FR"], dtype=object), "label") == ("DE", "FR", "NA")
    assert words_of(np.array(["1", "0"], dtype=object), "label") == ()
    assert words_of(np.array([True, False]), "label") == ()
    stored_as_bytes = read_columns(npz_bytes(x=X, label=np.array([b"no", b"yes", b"no"])), "npz")
    assert words_of(stored_as_bytes["label"], "label") == ("no", "yes")


class Boom:
    def __reduce__(self) -> tuple[Any, ...]:
        raise AssertionError("a pickle was read")


def test_pickled_arrays_are_refused_unread():
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        member = io.BytesIO()
        np.lib.format.write_array(member, np.array([{"a": 1}], dtype=object), allow_pickle=True)
        archive.writestr("x.npy", member.getvalue())
        archive.writestr("label.npy", pickle.dumps([1]))
    with pytest.raises(DataError):
        load_dataset(sink.getvalue(), DatasetSpec(format="npz"), input_dim=1, classes=2)


def test_a_file_that_unpacks_to_more_than_the_cap_is_refused_before_it_is_unpacked():
    bomb = npz_bytes(x=np.zeros((200_000, 10)), label=np.zeros(200_000))
    assert len(bomb) < 100_000
    with pytest.raises(DataError, match="unpacks to"):
        load_dataset(bomb, DatasetSpec(format="npz"), input_dim=10, classes=2, max_cells=1_000_000)
    zeros = np.zeros(1_000_000)
    with pytest.raises(DataError, match="cells"):
        load_dataset(
            parquet_bytes(a=zeros, label=zeros),
            DatasetSpec(format="parquet"),
            input_dim=1,
            classes=2,
            max_cells=1_000_000,
        )


def test_more_bytes_than_the_cap_are_not_read():
    with pytest.raises(DataError, match="at most 10"):
        load_dataset(csv_bytes(), DatasetSpec(), input_dim=2, classes=2, max_bytes=10)


def test_nested_columns_are_refused():
    with pytest.raises(DataError, match="numbers or text"):
        load_dataset(
            parquet_bytes(a=[[1], [2]], label=[0, 1]), DatasetSpec(format="parquet"), input_dim=1, classes=2
        )


_READ = """
import re, sys
from learning.datasets import read_columns
column = read_columns(open(sys.argv[1], "rb").read(), "parquet")["label"]
assert (len(column), len(column[0]), column[-1]) == (20_000, 20_000, None)
print(int(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1]) >> 10)
"""


def test_a_text_that_stands_in_many_rows_is_in_memory_once(tmp_path: Path):
    rows = pa.DictionaryArray.from_arrays(
        pa.array([*np.zeros(19_999, np.int32), None]), pa.array(["x" * 20_000])
    )
    file = tmp_path / "labels.parquet"
    parquet.write_table(pa.table({"label": rows}), file, store_schema=False)
    assert file.stat().st_size < 10_000
    done = subprocess.run(
        [sys.executable, "-c", _READ, str(file)], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 300


@pytest.mark.parametrize("words", [["no", "yes"], [0, 1]])
def test_a_gap_in_a_categorical_column_is_a_gap_and_not_the_last_category(words: list[Any]):
    labels = pa.DictionaryArray.from_arrays(pa.array([0, None, 1], pa.int8()), pa.array(words))
    columns = read_columns(parquet_bytes(a=X[:, 0], label=labels), "parquet")
    assert [columns["label"][row] for row in (0, 2)] == words
    with pytest.raises(DataError, match="row 2 has no value"):
        words_of(columns["label"], "label")
