"""The Bloom filter of a block's header: whether a contract may have said anything in it.

2,048 bits, three of them for each address and topic of the block's logs (Ethereum's yellow paper, section 4.3.1).
"""

from eth_utils.crypto import keccak

_BYTES = 256


def may_name(bloom: bytes, word: bytes) -> bool:
    """Say whether a block's logs may name `word`, an address (20 bytes) or a topic (32); never wrong where it says no.

    A filter of another length than 256 bytes tells nothing, so it may.
    """
    if len(bloom) != _BYTES:
        return True
    hashed = keccak(word)
    for at in (0, 2, 4):
        bit = int.from_bytes(hashed[at : at + 2], "big") & 2_047
        if not bloom[_BYTES - 1 - bit // 8] >> bit % 8 & 1:
            return False
    return True
