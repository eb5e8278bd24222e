import json
import struct

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st

from learning.errors import TensorError
from learning.tensors import (
    Layout,
    State,
    digest,
    flatten,
    from_safetensors,
    metadata,
    to_safetensors,
    unflatten,
)

STATE: State = {
    "b.weight": np.arange(6, dtype=np.float32).reshape(2, 3),
    "a.bias": np.array([-1, 0.5], dtype=np.float32),
}
LAYOUT = Layout.of(STATE)


def test_weights_come_back_as_they_were():
    content = to_safetensors(STATE, {"round": "7"})
    back = from_safetensors(content, LAYOUT)
    assert all(np.array_equal(back[name], STATE[name]) for name in STATE)
    assert metadata(content) == {"round": "7"}
    assert np.array_equal(flatten(unflatten(flatten(STATE, LAYOUT), LAYOUT), LAYOUT), flatten(STATE, LAYOUT))


def test_the_safetensors_library_reads_and_writes_what_we_do():
    content = to_safetensors(STATE, {"round": "7"})
    theirs = safetensors.numpy.load(content)
    assert theirs.keys() == STATE.keys()
    assert all(np.array_equal(theirs[name], STATE[name]) for name in STATE)
    assert from_safetensors(safetensors.numpy.save(STATE), LAYOUT).keys() == STATE.keys()


def test_equal_states_have_equal_bytes_however_they_were_made():
    backwards = dict(reversed(list(STATE.items())))
    assert to_safetensors(backwards, {"b": "2", "a": "1"}) == to_safetensors(STATE, {"a": "1", "b": "2"})
    assert digest(np.array([-0.0], np.float32)) == digest(np.array([0.0], np.float32))


def with_header(header: object, body: bytes = b"\0" * 32) -> bytes:
    spelled = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(spelled)) + spelled + body


GOOD = {
    "a.bias": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]},
    "b.weight": {"dtype": "F32", "shape": [2, 3], "data_offsets": [8, 32]},
}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0" * 8,
        struct.pack("<Q", 2**63) + b"{}",
        with_header(GOOD, b"\0" * 31),
        with_header(GOOD, b"\0" * 33),
        with_header(b"not json"),
        with_header(b"[" * 10_000),
        with_header([]),
        with_header({**GOOD, "c": {"dtype": "F32", "shape": [0], "data_offsets": [32, 32]}}),
        with_header({"a.bias": GOOD["a.bias"]}),
        with_header({**GOOD, "a.bias": {**GOOD["a.bias"], "dtype": "F16"}}),
        with_header({**GOOD, "a.bias": {**GOOD["a.bias"], "shape": [1, 2]}}),
        with_header({**GOOD, "a.bias": {**GOOD["a.bias"], "data_offsets": [8, 16]}}),
        with_header({**GOOD, "a.bias": {**GOOD["a.bias"], "data_offsets": [0, 2**70]}}),
        with_header({**GOOD, "__metadata__": {"a": 1}}),
        with_header(GOOD, struct.pack("<8f", *([0.0] * 7), float("nan"))),
        with_header(GOOD, struct.pack("<8f", *([0.0] * 7), float("inf"))),
    ],
)
def test_hostile_bytes_are_refused(content: bytes):
    assert from_safetensors(with_header(GOOD), LAYOUT)
    with pytest.raises(TensorError):
        from_safetensors(content, LAYOUT)


@given(st.binary(max_size=200))
def test_no_bytes_do_anything_but_raise(content: bytes):
    with pytest.raises(TensorError):
        from_safetensors(content, LAYOUT)


def test_a_vector_of_another_length_is_no_state():
    with pytest.raises(TensorError):
        unflatten(np.zeros(7, np.float32), LAYOUT)
    with pytest.raises(TensorError):
        flatten({"a.bias": STATE["a.bias"]}, LAYOUT)
