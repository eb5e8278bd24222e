"""What participants post, stage by stage. Equal messages have equal bytes; reading refuses anything else."""

from typing import Self

import msgspec

from learning.errors import SecureAggregationError
from learning.secagg import masks

KEY_BYTES = 32
SHARE_BYTES = 32
_encoder = msgspec.msgpack.Encoder(order="sorted")


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag=True, kw_only=True):
    """Posted by `sender`, whose own transaction on the board says that it is from them."""

    sender: str

    def encode(self) -> bytes:
        """Return the canonical bytes."""
        return _encoder.encode(self)

    @classmethod
    def decode(cls, content: bytes) -> Self:
        """Read a message of this kind; `SecureAggregationError` for anything else."""
        try:
            return msgspec.msgpack.decode(content, type=cls)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise SecureAggregationError(str(error), field=cls.__name__) from None


class Keys(Message, frozen=True):
    """Stage 0. Public keys, fresh for this round: one to seal shares to, one to agree on masks with."""

    seal_key: bytes
    mask_key: bytes

    def __post_init__(self) -> None:
        if len(self.seal_key) != KEY_BYTES or len(self.mask_key) != KEY_BYTES:
            raise SecureAggregationError("keys are 32 bytes", field=self.sender)
        if not (masks.hides(self.seal_key) and masks.hides(self.mask_key)):
            raise SecureAggregationError("is no X25519 key, or one that hides nothing", field=self.sender)


class Shares(Message, frozen=True):
    """Stage 1. For each participant a sealed pair of shares; and a hash of the self seed, to check its recovery by."""

    sealed: dict[str, bytes]
    seed_hash: bytes


class Masked(Message, frozen=True):
    """Stage 2. The masked update: 64-bit words, little-endian."""

    words: bytes


class Answer(Message, frozen=True):
    """Stage 3. Of whoever handed in an update the share of its self seed; of whoever dropped, that of its mask key.

    Never both of one participant. A share is 32 bytes, big-endian.
    """

    seeds: dict[str, bytes]
    mask_keys: dict[str, bytes]

    def __post_init__(self) -> None:
        if any(len(share) != SHARE_BYTES for share in (*self.seeds.values(), *self.mask_keys.values())):
            raise SecureAggregationError(f"shares are {SHARE_BYTES} bytes", field=self.sender)
