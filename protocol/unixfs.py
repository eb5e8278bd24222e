"""Which CID a file has: UnixFS as Kubo lays files out, computed here, so that no node is believed about content.

Spec: https://specs.ipfs.tech/unixfs/ and https://ipld.io/specs/codecs/dag-pb/spec/. A file is cut into chunks, the chunks
are leaves of a balanced tree, and the root's hash is in the CID. The same file has another CID under another layout, so a
file is checked against the layouts that nodes use.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO

from multiformats import CID

from protocol.errors import InputError

RAW, DAG_PB = 0x55, 0x70
_FILE = 2
_SHA256 = b"\x12\x20"


@dataclass(frozen=True, slots=True)
class Layout:
    """How a file becomes blocks: chunks of `chunk_bytes`, at most `links` of them under a node, bare or wrapped.

    `version` is that of the CIDs by which nodes name wrapped blocks.
    """

    chunk_bytes: int
    links: int
    raw_leaves: bool
    version: int


PARITY = Layout(256 * 1024, 174, raw_leaves=True, version=1)
"""What `ipfs add --cid-version 1` of Kubo did for years, and what Parity's own node does."""
LAYOUTS = (
    PARITY,
    Layout(256 * 1024, 174, raw_leaves=False, version=0),
    Layout(256 * 1024, 174, raw_leaves=True, version=0),
    Layout(1024 * 1024, 1024, raw_leaves=True, version=1),
    Layout(1024 * 1024, 174, raw_leaves=True, version=1),
)
"""Kubo's defaults for CIDv1 and CIDv0, the latter with raw leaves, and its profiles unixfs-v1-2025 and test-cid-v1."""


@dataclass(frozen=True, slots=True)
class Cid:
    """A content identifier: version 0 or 1, the codec's number, and a SHA-256 digest of 32 bytes."""

    version: int
    codec: int
    digest: bytes

    @property
    def is_raw(self) -> bool:
        """Return whether it names one block of bare bytes."""
        return self.codec == RAW

    @property
    def modern(self) -> "Cid":
        """Return the same content's CIDv1: nodes that keep blocks by CID have them under that."""
        return Cid(1, self.codec, self.digest)

    def __str__(self) -> str:
        base, codec = ("base58btc", "dag-pb") if self.version == 0 else ("base32", _CODECS[self.codec])
        return str(CID(base, self.version, codec, ("sha2-256", self.digest)))


_CODECS = {RAW: "raw", DAG_PB: "dag-pb"}


def parse_cid(text: str, *, field: str = "cid") -> Cid:
    """Read a CID of a file (`Qm…`, `bafy…`, `bafkrei…`, any base); `InputError` names `field` for anything else."""
    hint = "Use the CID of a file, such as parity-client storage upload-file prints: Qm…, bafy… or bafkrei…."
    try:
        parsed = CID.decode(text.strip().removeprefix("ipfs://"))
    except (ValueError, KeyError, IndexError, AssertionError):
        raise InputError(
            f"{field}: {text!r:.80} is not a content identifier", field=field, hint=hint
        ) from None
    numbers = {name: number for number, name in _CODECS.items()}
    if parsed.codec.name not in numbers or parsed.hashfun.name != "sha2-256":
        raise InputError(
            f"{field}: {text:.80} names {parsed.codec.name} content under {parsed.hashfun.name}, not a file under SHA-256",
            field=field,
            hint=hint,
        )
    return Cid(parsed.version, numbers[parsed.codec.name], bytes(parsed.raw_digest))


def cid_of_file(file: IO[bytes], layout: Layout = PARITY) -> Cid:
    """Compute a file's CID under a layout, reading it from its beginning, a chunk at a time."""
    file.seek(0)
    leaves = [_leaf(chunk, layout) for chunk in _chunks(file, layout.chunk_bytes)]
    if len(leaves) == 1:
        return leaves[0].cid
    while len(leaves) > 1:
        leaves = [
            _parent(leaves[at : at + layout.links], layout) for at in range(0, len(leaves), layout.links)
        ]
    return leaves[0].cid


def layout_of(file: IO[bytes], cid: Cid) -> Layout | None:
    """Find the layout under which a file has this CID; `None` if it is another file, or laid out in an unusual way."""
    for layout in LAYOUTS:
        found = cid_of_file(file, layout)
        if (found.codec, found.digest) == (cid.codec, cid.digest):
            return layout
    return None


@dataclass(frozen=True, slots=True)
class _Node:
    """A block of the tree. `size` counts the file's bytes under it, `total` those of its blocks."""

    cid: Cid
    size: int
    total: int


def _chunks(file: IO[bytes], size: int) -> Iterator[bytes]:
    first = file.read(size)
    yield first
    if len(first) < size:
        return
    while chunk := file.read(size):
        yield chunk


def _leaf(chunk: bytes, layout: Layout) -> _Node:
    if layout.raw_leaves:
        return _Node(Cid(1, RAW, hashlib.sha256(chunk).digest()), len(chunk), len(chunk))
    data = _field(1, _FILE) + (_bytes(2, chunk) if chunk else b"") + _field(3, len(chunk))
    return _block(_bytes(1, data), layout, size=len(chunk), below=0)


def _parent(children: Sequence[_Node], layout: Layout) -> _Node:
    size = sum(child.size for child in children)
    links = b"".join(
        _bytes(2, _bytes(1, _binary(child.cid)) + _bytes(2, b"") + _field(3, child.total))
        for child in children
    )
    data = _field(1, _FILE) + _field(3, size) + b"".join(_field(4, child.size) for child in children)
    return _block(links + _bytes(1, data), layout, size=size, below=sum(child.total for child in children))


def _block(encoded: bytes, layout: Layout, *, size: int, below: int) -> _Node:
    return _Node(Cid(layout.version, DAG_PB, hashlib.sha256(encoded).digest()), size, len(encoded) + below)


def _binary(cid: Cid) -> bytes:
    return (b"" if cid.version == 0 else bytes((1, cid.codec))) + _SHA256 + cid.digest


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def _field(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _bytes(number: int, value: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(value)) + value
