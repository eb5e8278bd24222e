"""Fewer bytes for an update: half precision, 8 or 4 bits, or only the largest parameters, with the error carried over.

Encoding is deterministic. The canonical aggregate is over what the bytes decode to, so everybody sums the same.
"""

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learning.errors import UpdateError
from learning.session_config import CompressionSpec
from learning.updates import Vector

_TAG = b"parity/update/v1\0"
_HEAD = struct.Struct("<BQQ")
_CODES = {"none": 0, "fp16": 1, "int8": 2, "int4": 3, "top_k": 4}
_LEVELS = {"int8": 127, "int4": 7}
_BLOCK = 4_096
"""Parameters that share one scale: a single large one then costs only its neighbours precision."""


def encode(delta: Vector, spec: CompressionSpec) -> bytes:
    """Write an update, shape (parameters,), in the session's codec."""
    body, kept = _body(delta, spec)
    return _TAG + _HEAD.pack(_CODES[spec.codec], len(delta), kept) + body


def decode(content: bytes, spec: CompressionSpec, *, parameters: int) -> Vector:
    """Read an update. Raises `UpdateError` for anything that this codec would not have written."""
    head = len(_TAG) + _HEAD.size
    if len(content) < head or not content.startswith(_TAG):
        raise UpdateError("not an update", field="update")
    code, size, kept = _HEAD.unpack_from(content, len(_TAG))
    if (code, size) != (_CODES[spec.codec], parameters):
        raise UpdateError("not of this codec or model", field="update")
    body = content[head:]
    if len(body) != _body_size(spec, parameters, kept):
        raise UpdateError(f"{len(body)} bytes", field="update")
    delta = _decoded(body, spec, parameters, kept)
    if not np.isfinite(delta).all():
        raise UpdateError("has an infinite or undefined parameter", field="update")
    return delta


def encode_with_feedback(
    delta: Vector, residual: Vector | None, spec: CompressionSpec
) -> tuple[bytes, Vector]:
    """Write an update plus what earlier rounds lost, and give what this round loses, shape (parameters,)."""
    wanted = delta if residual is None or not spec.error_feedback else delta + residual
    content = encode(wanted, spec)
    restored = decode(content, spec, parameters=len(delta))
    lost = wanted - restored
    if spec.codec == "fp16":  # what is beyond its range is lost for good: nobody could check that it was
        lost[np.abs(restored) >= np.finfo(np.float16).max] = 0
    return content, lost


def can_be_lost(content: bytes, lost: Vector, spec: CompressionSpec) -> bool:
    """Return whether `lost`, shape (parameters,), can be what encoding to `content` lost, up to rounding.

    So that nobody hands in as a carried error what was never trained.
    """
    kept = decode(content, spec, parameters=len(lost))
    size = np.abs(lost)
    match spec.codec:
        case "none":
            return not lost.any()
        case "fp16":
            return bool((size <= np.abs(kept) * np.float32(2**-10) + np.float32(2**-24)).all())
        case "int8" | "int4":
            head = len(_TAG) + _HEAD.size
            scales = np.frombuffer(content, "<f4", count=-(-len(lost) // _BLOCK), offset=head)
            unit = np.repeat(scales, _BLOCK)[: len(lost)] / np.float32(_LEVELS[spec.codec])
            return bool((size <= unit * np.float32(0.501) + np.finfo(np.float32).tiny).all())
        case "top_k":
            chosen = kept[kept != 0]
            least = np.abs(chosen).min() if len(chosen) else np.float32(0)
            return bool((size <= least * np.float32(1.001)).all())


def _body(delta: Vector, spec: CompressionSpec) -> tuple[bytes, int]:
    match spec.codec:
        case "none":
            return delta.astype("<f4").tobytes(), 0
        case "fp16":
            largest = float(np.finfo(np.float16).max)
            return np.clip(delta, -largest, largest).astype("<f2").tobytes(), 0
        case "int8" | "int4":
            return _quantised(delta, _LEVELS[spec.codec]), 0
        case "top_k":
            return _largest(delta, share=float(spec.keep))


def _body_size(spec: CompressionSpec, size: int, kept: int) -> int:
    scales = 4 * -(-size // _BLOCK)
    match spec.codec:
        case "none":
            return 4 * size
        case "fp16":
            return 2 * size
        case "int8":
            return scales + size
        case "int4":
            return scales + -(-size // 2)
        case "top_k":
            return 8 * min(kept, size) if kept <= size else -1


def _quantised(delta: Vector, levels: int) -> bytes:
    scales = _largest_of_blocks(delta)
    unit = np.repeat(np.maximum(scales, np.finfo(np.float32).tiny), _BLOCK)[: len(delta)]
    steps = np.rint(delta / unit * np.float32(levels)).astype(np.int8)
    return scales.astype("<f4").tobytes() + (steps.tobytes() if levels > 7 else _packed(steps))


def _largest_of_blocks(delta: Vector) -> Vector:
    padded = np.zeros(-(-len(delta) // _BLOCK) * _BLOCK, dtype=np.float32)
    padded[: len(delta)] = np.abs(delta)
    largest: Vector = padded.reshape(-1, _BLOCK).max(axis=1, initial=0)
    return largest


def _packed(steps: NDArray[np.int8]) -> bytes:
    padded = np.append(steps, np.int8(0)) if len(steps) % 2 else steps
    nibbles = (padded + 8).astype(np.uint8)
    return ((nibbles[0::2] << 4) | nibbles[1::2]).astype(np.uint8).tobytes()


def _largest(delta: Vector, *, share: float) -> tuple[bytes, int]:
    kept = max(1, round(share * len(delta)))
    # Ties go to the lower index, so that everybody keeps the same.
    order = np.argsort(-np.abs(delta), kind="stable")[:kept]
    places = np.sort(order)
    return places.astype("<u4").tobytes() + delta[places].astype("<f4").tobytes(), kept


def _decoded(body: bytes, spec: CompressionSpec, size: int, kept: int) -> Vector:
    match spec.codec:
        case "none":
            return np.frombuffer(body, "<f4").astype(np.float32)
        case "fp16":
            return np.frombuffer(body, "<f2").astype(np.float32)
        case "int8" | "int4":
            return _dequantised(body, _LEVELS[spec.codec], size)
        case "top_k":
            return _scattered(body, size, kept)


def _dequantised(body: bytes, levels: int, size: int) -> Vector:
    blocks = -(-size // _BLOCK)
    scales = np.frombuffer(body, "<f4", count=blocks).astype(np.float32)
    rest: NDArray[Any]
    if levels > 7:
        rest = np.frombuffer(body, np.int8, offset=4 * blocks)
    else:
        pairs = np.frombuffer(body, np.uint8, offset=4 * blocks)
        rest = np.stack([pairs >> 4, pairs & 15], axis=1).reshape(-1)[:size].astype(np.int8) - np.int8(8)
    unit = np.repeat(scales, _BLOCK)[:size]
    with np.errstate(over="ignore", invalid="ignore"):
        restored: Vector = rest.astype(np.float32) * (unit / np.float32(levels))
    return restored


def _scattered(body: bytes, size: int, kept: int) -> Vector:
    places = np.frombuffer(body, "<u4", count=kept).astype(np.int64)
    if (np.diff(places) <= 0).any() or (kept and places[-1] >= size):
        raise UpdateError("places are not ascending", field="update")
    delta = np.zeros(size, dtype=np.float32)
    delta[places] = np.frombuffer(body, "<f4", offset=4 * kept)
    return delta
