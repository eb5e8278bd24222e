"""Weights as named arrays, as one flat vector, and as safetensors bytes: one spelling, so that equal weights hash equally.

A state's names are in ascending order everywhere; all tensors are little-endian float32. Reading checks header, names,
shapes, offsets and values before anything is used, and can run no code.
"""

import hashlib
import json
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from learning.errors import TensorError
from learning.updates import Vector

State = dict[str, NDArray[np.float32]]
MAX_HEADER_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Layout:
    """Names and shapes of a model's tensors, by ascending name: how a flat vector is cut."""

    shapes: tuple[tuple[str, tuple[int, ...]], ...]

    @classmethod
    def of(cls, state: Mapping[str, NDArray[np.float32]]) -> "Layout":
        """Return the layout of a state."""
        return cls(tuple((name, tuple(state[name].shape)) for name in sorted(state)))

    @property
    def size(self) -> int:
        """Count the parameters."""
        return sum(math.prod(shape) for _, shape in self.shapes)

    def spans(self) -> list[tuple[str, tuple[int, ...], slice]]:
        """Return each tensor's place in the flat vector."""
        places, start = [], 0
        for name, shape in self.shapes:
            stop = start + math.prod(shape)
            places.append((name, shape, slice(start, stop)))
            start = stop
        return places


def flatten(state: Mapping[str, NDArray[np.float32]], layout: Layout) -> Vector:
    """Join a state into one vector, shape (parameters,)."""
    if Layout.of(state) != layout:
        raise TensorError("names or shapes are not the model's", field="state")
    parts = [state[name].astype(np.float32).reshape(-1) for name, _ in layout.shapes]
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)


def unflatten(vector: Vector, layout: Layout) -> State:
    """Cut a vector into a state; the arrays are views."""
    if vector.shape != (layout.size,):
        raise TensorError(f"{vector.shape} where the model has {layout.size} parameters", field="state")
    return {name: vector[place].reshape(shape) for name, shape, place in layout.spans()}


def digest(vector: Vector) -> bytes:
    """Return the SHA-256 digest of the weights themselves, without names: little-endian float32, -0 as 0."""
    return hashlib.sha256((vector + np.float32(0)).astype("<f4").tobytes()).digest()


def to_safetensors(
    state: Mapping[str, NDArray[np.float32]], metadata: Mapping[str, str] | None = None
) -> bytes:
    """Write a state; equal states and metadata give equal bytes."""
    header: dict[str, object] = {"__metadata__": dict(sorted(metadata.items()))} if metadata else {}
    start, body = 0, []
    for name in sorted(state):
        content = np.ascontiguousarray(state[name], dtype="<f4").tobytes()
        offsets = [start, start + len(content)]
        header[name] = {"dtype": "F32", "shape": list(state[name].shape), "data_offsets": offsets}
        start += len(content)
        body.append(content)
    spelled = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    spelled += b" " * (-len(spelled) % 8)
    return struct.pack("<Q", len(spelled)) + spelled + b"".join(body)


def from_safetensors(content: bytes, layout: Layout) -> State:
    """Read weights that must have exactly this layout. Raises `TensorError` naming the tensor."""
    if len(content) < 8:
        raise TensorError("too short", field="safetensors")
    (length,) = struct.unpack_from("<Q", content)
    if length > min(MAX_HEADER_BYTES, len(content) - 8):
        raise TensorError(f"header of {length} bytes", field="safetensors")
    if len(content) != 8 + length + 4 * layout.size:
        raise TensorError(
            f"expected {4 * layout.size} bytes of weights, not {len(content) - 8 - length}",
            field="safetensors",
        )
    _check_header(content[8 : 8 + length], layout)
    vector = np.frombuffer(content, dtype="<f4", offset=8 + length).astype(np.float32)
    state = unflatten(vector, layout)
    for name, tensor in state.items():
        if not np.isfinite(tensor).all():
            raise TensorError("infinite or undefined values", field=name)
    return state


def metadata(content: bytes) -> dict[str, str]:
    """Read the metadata of safetensors bytes that `from_safetensors` has accepted."""
    (length,) = struct.unpack_from("<Q", content)
    return dict(json.loads(content[8 : 8 + length]).get("__metadata__", {}))


def _check_header(spelled: bytes, layout: Layout) -> None:
    try:
        header = json.loads(spelled)
    except (ValueError, RecursionError):
        raise TensorError("header is not JSON", field="safetensors") from None
    if not isinstance(header, dict):
        raise TensorError("header is not an object", field="safetensors")
    extra = header.pop("__metadata__", {})
    if not isinstance(extra, dict) or not all(isinstance(text, str) for text in extra.values()):
        raise TensorError("metadata is not text", field="__metadata__")
    expected = {
        name: {"dtype": "F32", "shape": list(shape), "data_offsets": [4 * place.start, 4 * place.stop]}
        for name, shape, place in layout.spans()
    }
    for name in sorted(header.keys() | expected.keys()):
        if header.get(name) != expected.get(name):
            raise TensorError(f"expected {expected.get(name)}, not {header.get(name)}", field=name)
