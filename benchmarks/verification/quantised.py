"""Models that a cheat could run instead: the same weights in another quantisation, the nearest thing, or fewer of them."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gguf

_KEPT_BY_THE_WRITER = frozenset(
    {"GGUF.version", "GGUF.tensor_count", "GGUF.kv_count", "general.architecture"}
)


_BLOCK = re.compile(r"blk\.(\d+)\.(.+)")

Stored = tuple[str, Any, gguf.GGMLQuantizationType]
"""A tensor's name, its data as they lie in the file, and how they are stored."""


def requantise(source: Path, target: Path, kind: gguf.GGMLQuantizationType) -> Path:
    """Write `source` again with its Q4_1 tensors as `kind`; takes some seconds, and nothing if `target` is there."""

    def stored(name: str, data: Any, stored_as: gguf.GGMLQuantizationType) -> Iterator[Stored]:
        if stored_as is gguf.GGMLQuantizationType.Q4_1:
            plain = gguf.quants.dequantize(data, stored_as)
            yield name, gguf.quants.quantize(plain, kind), kind
        else:
            yield name, data, stored_as

    return _rewrite(source, target, stored, {})


def without_block(source: Path, target: Path, left_out: int) -> Path:
    """Write `source` again without one of its transformer blocks, counted from 0: a smaller model with the same words.

    Takes a second, and nothing if `target` is there.
    """

    def stored(name: str, data: Any, stored_as: gguf.GGMLQuantizationType) -> Iterator[Stored]:
        block = _BLOCK.fullmatch(name)
        if block is None or int(block[1]) < left_out:
            yield name, data, stored_as
        elif int(block[1]) > left_out:
            yield f"blk.{int(block[1]) - 1}.{block[2]}", data, stored_as

    counted = "llama.block_count"
    blocks = gguf.GGUFReader(source).fields[counted].contents()
    return _rewrite(source, target, stored, {counted: blocks - 1})


def _rewrite(
    source: Path,
    target: Path,
    stored: Callable[[str, Any, gguf.GGMLQuantizationType], Iterator[Stored]],
    changed: dict[str, int],
) -> Path:
    if target.exists():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    reader = gguf.GGUFReader(source)
    architecture = reader.fields["general.architecture"].contents()
    unfinished = target.with_suffix(".part")
    writer = gguf.GGUFWriter(unfinished, architecture)
    for field in reader.fields.values():
        if field.name not in _KEPT_BY_THE_WRITER:
            of = field.types[-1] if field.types[0] is gguf.GGUFValueType.ARRAY else None
            contents = changed.get(field.name, field.contents())
            writer.add_key_value(field.name, contents, field.types[0], of)
    for tensor in reader.tensors:
        for name, data, stored_as in stored(tensor.name, tensor.data, tensor.tensor_type):
            writer.add_tensor(name, data, raw_dtype=stored_as)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    unfinished.rename(target)
    return target
