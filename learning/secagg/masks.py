"""Key agreement, and masks that cancel out in the sum: X25519, HKDF-SHA256, AES-256-CTR over the ring of 2**64."""

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from numpy.typing import NDArray

from learning.errors import SecureAggregationError
from learning.randomness import keystream

Ring = NDArray[np.uint64]
_ANY = X25519PrivateKey.from_private_bytes(bytes([1]) * 32)


def public_key(secret: bytes) -> bytes:
    """Return the X25519 public key of a 32-byte secret."""
    return X25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()


def hides(public: bytes) -> bool:
    """Return whether a key agreed on with this public one is secret: a few points give everybody the same, whoever asks."""
    try:
        _ANY.exchange(X25519PublicKey.from_public_bytes(public))
    except ValueError:
        return False
    return True


def agree(secret: bytes, public: bytes, *, purpose: bytes) -> bytes:
    """Derive the 32-byte key that two share for one purpose; `purpose` holds session, round and both names."""
    try:
        shared = X25519PrivateKey.from_private_bytes(secret).exchange(
            X25519PublicKey.from_public_bytes(public)
        )
    except ValueError:
        raise SecureAggregationError(
            "is no X25519 key, or one that hides nothing", field="public key"
        ) from None
    return expand(shared, purpose=purpose)


def expand(secret: bytes, *, purpose: bytes) -> bytes:
    """Derive a 32-byte key for one purpose."""
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=b"parity/secagg/v1", info=purpose).derive(secret)


def seal(key: bytes, nonce: bytes, content: bytes, *, about: bytes) -> bytes:
    """Encrypt and authenticate under a key; the 12-byte nonce goes in front."""
    return nonce + AESGCM(key).encrypt(nonce, content, about)


def unseal(key: bytes, sealed: bytes, *, about: bytes) -> bytes:
    """Decrypt; raises `SecureAggregationError` if anything was changed."""
    try:
        return AESGCM(key).decrypt(sealed[:12], sealed[12:], about)
    except (InvalidTag, ValueError):
        raise SecureAggregationError("was changed, or is for somebody else", field="sealed share") from None


def mask(key: bytes, parameters: int) -> Ring:
    """Return the mask of a key, shape (parameters,)."""
    return np.frombuffer(keystream(key, 8 * parameters), dtype="<u8").astype(np.uint64, copy=False)


def purpose(context: bytes, kind: bytes, *names: str) -> bytes:
    """Name what a key is for. Lengths go in, so that no two purposes are spelled alike."""
    parts = [context, kind, *(name.encode() for name in names)]
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)
