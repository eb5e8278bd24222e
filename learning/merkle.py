"""Merkle trees over SHA-256: a few hashes show that one leaf belongs to a root.

Leaves and inner nodes are hashed under different tags, so that neither passes for the other. A level's odd last node moves
up as it is (RFC 9162), so that no leaf is ever counted twice.
"""

import hashlib
from collections.abc import Sequence

from learning.errors import EvidenceError

_LEAF, _NODE = b"\x00", b"\x01"


def leaf_hash(content: bytes) -> bytes:
    """Hash a leaf, 32 bytes."""
    return hashlib.sha256(_LEAF + content).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """Return the root over leaf hashes; at least one."""
    return _levels(leaves)[-1][0]


def proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Return the siblings of leaf `index` from the bottom up; where there is none, nothing."""
    path = []
    for level in _levels(leaves)[:-1]:
        if (sibling := index ^ 1) < len(level):
            path.append(level[sibling])
        index //= 2
    return path


def check(expected_root: bytes, leaf: bytes, *, index: int, leaves: int, path: Sequence[bytes]) -> None:
    """Raise `EvidenceError` unless the leaf hash stands at `index` of a tree of `leaves` with this root."""
    if not 0 <= index < leaves:
        raise EvidenceError(f"leaf {index} of {leaves}", field="index")
    node, width, remaining = leaf, leaves, list(path)
    while width > 1:
        if index ^ 1 < width:
            if not remaining:
                raise EvidenceError("too short", field="path")
            sibling = remaining.pop(0)
            node = _join(sibling, node) if index % 2 else _join(node, sibling)
        index, width = index // 2, (width + 1) // 2
    if remaining or node != expected_root:
        raise EvidenceError("does not lead to the committed root", field="path")


def _levels(leaves: Sequence[bytes]) -> list[list[bytes]]:
    if not leaves:
        raise EvidenceError("a tree has at least one leaf", field="leaves")
    levels = [list(leaves)]
    while len(level := levels[-1]) > 1:
        above = [_join(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
        levels.append(above + level[len(level) - len(level) % 2 :])
    return levels


def _join(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(_NODE + left + right).digest()
