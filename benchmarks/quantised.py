"""The same weights in another quantisation: the nearest thing to an honest model that a cheat could run instead."""

from pathlib import Path

import gguf

_KEPT_BY_THE_WRITER = frozenset(
    {"GGUF.version", "GGUF.tensor_count", "GGUF.kv_count", "general.architecture"}
)


def requantise(source: Path, target: Path, kind: gguf.GGMLQuantizationType) -> Path:
    """Write `source` again with its Q4_1 tensors as `kind`; takes some seconds, and nothing if `target` is there."""
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
            writer.add_key_value(field.name, field.contents(), field.types[0], of)
    for tensor in reader.tensors:
        data, stored_as = tensor.data, tensor.tensor_type
        if stored_as is gguf.GGMLQuantizationType.Q4_1:
            plain = gguf.quants.dequantize(tensor.data, stored_as)
            data, stored_as = gguf.quants.quantize(plain, kind), kind
        writer.add_tensor(tensor.name, data, raw_dtype=stored_as)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    unfinished.rename(target)
    return target
