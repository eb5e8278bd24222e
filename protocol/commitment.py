"""What a runner commits to before anybody reveals: nobody can copy an answer that nobody can see."""

import secrets
from dataclasses import dataclass

from eth_abi.abi import encode
from eth_utils.crypto import keccak

_KEPT_BYTES = 28
_TYPES = ("bytes32", "address", "bytes32", "bytes32", "uint32", "uint32", "bytes32")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reveal:
    """What a runner opens, as `ITaskEscrow.Reveal`: digests of 32 bytes, tokens as the model counted them."""

    result: bytes
    fingerprint: bytes = bytes(32)
    input_tokens: int
    output_tokens: int
    salt: bytes

    def as_tuple(self) -> tuple[bytes, bytes, int, int, bytes]:
        """Return the fields in ABI order, as web3 takes a struct."""
        return (self.result, self.fingerprint, self.input_tokens, self.output_tokens, self.salt)


def commitment(task_id: bytes, node: str, reveal: Reveal) -> bytes:
    """Hash a reveal, bound to its task and node, as `TaskEscrow.commitmentOf`; 32 bytes."""
    return keccak(encode(_TYPES, (task_id, node, *reveal.as_tuple())))


def kept_of(made: bytes) -> bytes:
    """Return what a seat keeps of a commitment, as `TaskEscrow.seatOf` shows it: all but its last 32 bits; 32 bytes."""
    return made[:_KEPT_BYTES].ljust(len(made), b"\0")


def new_salt() -> bytes:
    """Draw 32 bytes that nobody can guess."""
    return secrets.token_bytes(32)
