from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from learning.compression import can_be_lost, decode, encode, encode_with_feedback
from learning.errors import UpdateError
from learning.session_config import CompressionSpec

CODECS = ["none", "fp16", "int8", "int4", "top_k"]
vectors = hnp.arrays(np.float32, st.integers(1, 50), elements=st.floats(-8, 8, width=32))


def largest_error(codec: str, delta: np.ndarray) -> float:
    top = float(np.abs(delta).max())
    return {"none": 0.0, "fp16": top * 2**-11 + 1e-7, "int8": top / 254 + 1e-6, "int4": top / 14 + 1e-6}[
        codec
    ]


@pytest.mark.parametrize("codec", ["none", "fp16", "int8", "int4"])
@given(delta=vectors)
def test_the_error_is_bounded_by_half_a_step(codec: Any, delta: np.ndarray):
    spec = CompressionSpec(codec=codec)
    back = decode(encode(delta, spec), spec, parameters=len(delta))
    assert np.abs(back - delta).max() <= largest_error(codec, delta)


@given(delta=vectors, share=st.sampled_from(["0.1", "0.5", "1"]))
def test_top_k_keeps_the_largest_and_nothing_else(delta: np.ndarray, share: str):
    spec = CompressionSpec(codec="top_k", keep=share)
    back = decode(encode(delta, spec), spec, parameters=len(delta))
    kept = max(1, round(float(share) * len(delta)))
    assert np.count_nonzero(back) <= kept
    assert sorted(np.abs(back))[-kept:] == sorted(np.abs(delta))[-kept:]


@pytest.mark.parametrize("codec", CODECS)
def test_bytes_are_those_of_the_study(codec: Any):
    spec = CompressionSpec(codec=codec)
    content = encode(np.random.Generator(np.random.PCG64(0)).standard_normal(9610).astype(np.float32), spec)
    expected = {"none": 38_440, "fp16": 19_220, "int8": 9_610 + 12, "int4": 4_805 + 12, "top_k": 7_688}
    assert len(content) - 34 == expected[codec]


@pytest.mark.parametrize("codec", CODECS)
def test_with_feedback_nothing_is_lost_for_good(codec: Any):
    rng = np.random.Generator(np.random.PCG64(1))
    spec, residual = CompressionSpec(codec=codec), None
    sent, wanted = np.zeros(200), np.zeros(200)
    for _ in range(30):
        delta = rng.standard_normal(200).astype(np.float32)
        content, residual = encode_with_feedback(delta, residual, spec)
        sent += decode(content, spec, parameters=200)
        wanted += delta
    np.testing.assert_allclose(sent + residual, wanted, atol=1e-3)
    assert np.abs(residual).max() < 30


@pytest.mark.parametrize("codec", CODECS)
def test_hostile_bytes_are_refused(codec: Any):
    spec = CompressionSpec(codec=codec)
    good = encode(np.ones(30, np.float32), spec)
    huge = good[:26] + b"\xff" * 8 + good[34:]
    wrong = [b"", good[:-1], good + b"\0", good[:17] + b"\x09" + good[18:]]
    for content in [*wrong, *([huge] if codec == "top_k" else [])]:
        with pytest.raises(UpdateError):
            decode(content, spec, parameters=30)
    with pytest.raises(UpdateError):
        decode(good, spec, parameters=31)


def test_undefined_values_and_repeated_places_are_refused():
    whole, top = CompressionSpec(), CompressionSpec(codec="top_k", keep="0.1")
    nan = encode(np.full(3, np.nan, np.float32), whole)
    with pytest.raises(UpdateError):
        decode(nan, whole, parameters=3)
    good = encode(np.arange(20, dtype=np.float32), top)
    with pytest.raises(UpdateError):
        decode(good[:34] + good[34:38] * 2 + good[42:], top, parameters=20)


@pytest.mark.parametrize("codec", CODECS)
@given(delta=vectors, before=st.none() | vectors)
def test_what_was_lost_is_believed_and_what_was_never_trained_is_not(
    codec: Any, delta: np.ndarray, before: np.ndarray | None
):
    spec = CompressionSpec(codec=codec)
    residual = None if before is None else np.resize(before, len(delta)).astype(np.float32)
    content, lost = encode_with_feedback(delta, residual, spec)
    assert can_be_lost(content, lost, spec)
    poisoned = lost.copy()
    poisoned[0] += 2 * np.abs(decode(content, spec, parameters=len(delta))).max() + 1
    assert not can_be_lost(content, poisoned, spec)


def test_what_is_beyond_half_precision_is_not_carried_as_an_error_that_nobody_can_check():
    spec = CompressionSpec(codec="fp16")
    content, lost = encode_with_feedback(np.array([1e6, -3e5, 1.0001], np.float32), None, spec)
    assert lost[:2].tolist() == [0, 0]
    assert lost[2] != 0
    assert can_be_lost(content, lost, spec)
