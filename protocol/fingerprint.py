"""The fingerprint of an answer: what the model gave for each of its tokens, by which another can probe the work.

Text alone does not tell a model from the same model in a cheaper quantisation; the log probabilities do. They are kept to
a thousandth, so that the last bits, which differ between machines, do not count.
"""

from collections.abc import Sequence
from typing import Annotated, Literal, Self

from eth_abi.abi import encode
from eth_utils.crypto import keccak
from pydantic import Field, TypeAdapter, model_validator

from protocol.documents import Count, Document, ModelReference, TaskId, parse_as

TOP = 8
"""Alternatives kept for each token, where they fit."""
MILLI = 1_000
LOWEST_MILLI = -100_000
"""What stands for any log probability below -100, impossible tokens included."""
_LEAF_TYPES = ("bytes1", "uint256", "bytes", "int256", "bytes[]", "int256[]")
_LEAF, _NODE = b"\x00", b"\x01"

Milli = Annotated[int, Field(strict=True, ge=LOWEST_MILLI, le=0)]
"""A log probability in thousandths of a nat."""
TokenBytes = Annotated[str, Field(pattern=r"^([0-9a-f]{2})*$", max_length=1_024)]
"""A token's bytes in hex; empty for one that ends an answer, and is never shown."""


class Alternative(Document):
    """A token that might have come at this place, and how likely it was."""

    token: TokenBytes
    logprob: Milli

    @property
    def text(self) -> str:
        """Return the token as text, with replacement characters for what is none by itself."""
        return bytes.fromhex(self.token).decode("utf-8", "replace")


class TokenMark(Alternative):
    """A token of the answer, with the likeliest tokens at its place, itself among them or not."""

    top: tuple[Alternative, ...] = Field(default=(), max_length=20)

    @property
    def content(self) -> bytes:
        """Return the token's bytes."""
        return bytes.fromhex(self.token)


class Fingerprint(Document):
    """The fingerprint of one answer. It lies on IPFS; its Merkle root is in the commitment and on chain."""

    kind: Literal["llm-fingerprint"] = "llm-fingerprint"
    version: Literal[1] = 1
    task: TaskId
    model: ModelReference
    input_tokens: Count
    tokens: tuple[TokenMark, ...] = Field(max_length=65_536)

    @model_validator(mode="after")
    def _alternatives_are_sorted(self) -> Self:
        for mark in self.tokens:
            if list(mark.top) != sorted(mark.top, key=lambda other: -other.logprob):
                raise ValueError("tokens: the alternatives must be in falling order of likelihood")
        return self

    @property
    def root(self) -> bytes:
        """Return the Merkle root, 32 bytes."""
        return merkle_root([leaf(index, mark) for index, mark in enumerate(self.tokens)])

    def text_before(self, position: int) -> bytes:
        """Return the bytes of the answer up to a token."""
        return b"".join(mark.content for mark in self.tokens[:position])


_FINGERPRINT: TypeAdapter[Fingerprint] = TypeAdapter(Fingerprint)


def parse_fingerprint(content: bytes) -> Fingerprint:
    """Read a fingerprint's canonical bytes; `InputError` names the field that is wrong, `ContentTooLarge`."""
    return parse_as(_FINGERPRINT, content)


def milli(logprob: float) -> int:
    """Round a log probability (nats) to thousandths, within what a fingerprint holds."""
    if logprob != logprob:  # noqa: PLR0124 (not a number)
        return LOWEST_MILLI
    return max(LOWEST_MILLI, min(0, round(max(logprob, LOWEST_MILLI / MILLI) * MILLI)))


def leaf(index: int, mark: TokenMark) -> bytes:
    """Hash one token's mark, bound to its place; 32 bytes. A leaf can never be taken for an inner node."""
    return keccak(
        encode(
            _LEAF_TYPES,
            (
                _LEAF,
                index,
                mark.content,
                mark.logprob,
                [bytes.fromhex(other.token) for other in mark.top],
                [other.logprob for other in mark.top],
            ),
        )
    )


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """Fold leaves pairwise; one left over goes up as it is (RFC 6962 does so too). 32 zero bytes for none."""
    level = list(leaves)
    if not level:
        return bytes(32)
    while len(level) > 1:
        level = _above(level)
    return level[0]


def merkle_proof(leaves: Sequence[bytes], index: int) -> list[tuple[bool, bytes]]:
    """Return the siblings of a leaf from below: whether each stands to the left, and its hash. `IndexError`."""
    level, proof = list(leaves), []
    if not 0 <= index < len(level):
        raise IndexError(index)
    while len(level) > 1:
        sibling = index ^ 1
        if sibling < len(level):
            proof.append((sibling < index, level[sibling]))
        level, index = _above(level), index // 2
    return proof


def merkle_verify(root: bytes, leaf_hash: bytes, proof: Sequence[tuple[bool, bytes]]) -> bool:
    """Return whether a leaf with these siblings belongs to a root."""
    found = leaf_hash
    for left, sibling in proof:
        found = keccak(_NODE + sibling + found) if left else keccak(_NODE + found + sibling)
    return found == root


def _above(level: Sequence[bytes]) -> list[bytes]:
    pairs = [keccak(_NODE + level[i] + level[i + 1]) for i in range(0, len(level) - 1, 2)]
    return pairs + list(level[len(level) - len(level) % 2 :])
