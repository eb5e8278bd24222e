"""Seeds derived from public facts, so that everybody derives the same and nobody chooses one."""

import hashlib

import numpy as np

_TAG = b"parity/seed/v1"


def derive_seed(*parts: str | int | bytes) -> int:
    """Derive a 63-bit seed from `parts`, such as session, round and purpose. Other parts give an unrelated seed."""
    digest = hashlib.sha256(_TAG)
    for part in parts:
        # Type and length go in, so that ("ab", "c"), ("a", "bc") and (b"ab", "c") differ.
        content = part if isinstance(part, bytes) else str(part).encode()
        digest.update(f"{type(part).__name__}:{len(content)}:".encode() + content)
    return int.from_bytes(digest.digest()[:8], "big") >> 1


def generator(seed: int) -> np.random.Generator:
    """Return a generator of its own for `seed`; the global one is never used."""
    return np.random.Generator(np.random.PCG64(seed))
