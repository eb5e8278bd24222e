"""The Bloom filter of a block's header: which contracts may have said anything in it.

2,048 bits, three of them for each address and topic of the block's logs (Ethereum's yellow paper, section 4.3.1).
"""

from collections.abc import Iterable
from functools import lru_cache

from eth_hash.auto import keccak

BLOOM_BYTES = 256


def may_name(bloom: bytes, word: bytes) -> bool:
    """Return whether a block's logs may name `word`, an address (20 bytes) or a topic (32); never wrong where it says no.

    A filter of another length than 256 bytes tells nothing, so it may.
    """
    if len(bloom) != BLOOM_BYTES:
        return True
    bits = _bits(word)
    return int.from_bytes(bloom, "big") & bits == bits


def bloom_of(words: Iterable[bytes]) -> bytes:
    """Make the filter of a block whose logs name exactly these addresses and topics, 256 bytes."""
    bloom = 0
    for word in words:
        bloom |= _bits(word)
    return bloom.to_bytes(BLOOM_BYTES, "big")


@lru_cache(maxsize=4096)
def _bits(word: bytes) -> int:
    hashed = keccak(word)
    bits = 0
    for at in (0, 2, 4):
        bits |= 1 << (int.from_bytes(hashed[at : at + 2], "big") & 2_047)
    return bits
