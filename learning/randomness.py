"""Randomness that nobody can predict, for noise and secrets. Never what trains a model: that must be repeatable."""

import secrets

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from numpy.typing import NDArray

_BLOCK = 1 << 20


def keystream(key: bytes, size: int) -> bytearray:
    """Return `size` bytes of AES-256 in counter mode under a 32-byte key that is used for nothing else."""
    encryptor = Cipher(algorithms.AES256(key), modes.CTR(bytes(16))).encryptor()
    stream = bytearray(size + 15)
    zeros = bytes(min(size, _BLOCK))
    view = memoryview(stream)
    for start in range(0, size, _BLOCK):
        encryptor.update_into(zeros[: size - start], view[start:])
    view.release()
    del stream[size:]
    return stream


class SecretStream:
    """Uniform and Gaussian numbers from a secret key; without one, from a fresh one of the operating system."""

    def __init__(self, key: bytes | None = None) -> None:
        self._key = secrets.token_bytes(32) if key is None else key
        self._drawn = 0

    def words(self, count: int) -> NDArray[np.uint64]:
        """Draw uniform 64-bit words, shape (count,)."""
        tag = self._drawn.to_bytes(8, "big")
        self._drawn += 1
        encryptor = Cipher(algorithms.AES256(self._key), modes.ECB()).encryptor()  # noqa: S305 - one counter block each: a key derivation
        key = encryptor.update(tag + b"stream-1") + encryptor.update(tag + b"stream-2")
        return np.frombuffer(keystream(key, 8 * count), dtype="<u8").astype(np.uint64)

    def uniform(self, count: int) -> NDArray[np.float64]:
        """Draw from the open interval (0, 1), shape (count,)."""
        numbers: NDArray[np.float64] = (
            (self.words(count) >> np.uint64(11)).astype(np.float64) + 0.5
        ) * 2.0**-53
        return numbers

    def normal(self, count: int) -> NDArray[np.float64]:
        """Draw standard normal numbers (Box and Muller), shape (count,)."""
        half = (count + 1) // 2
        radius = np.sqrt(-2 * np.log(self.uniform(half)))
        angle = 2 * np.pi * self.uniform(half)
        drawn: NDArray[np.float64] = np.concatenate([radius * np.cos(angle), radius * np.sin(angle)])[:count]
        return drawn
