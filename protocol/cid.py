"""SHA-256 digests of content and its IPFS content identifiers.

A document fits one raw block, so the SHA-256 digest of its bytes is the digest within its CID: 32 bytes on chain name it.
"""

import base64
import hashlib

from multiformats import CID

from protocol.errors import InputError

DIGEST_BYTES = 32
_PREFIX = bytes((1, 0x55, 0x12, DIGEST_BYTES))
"""Version, codec raw, hash sha2-256, and its length."""


def digest_of(content: bytes) -> bytes:
    """Hash content to the 32 bytes that name it."""
    return hashlib.sha256(content).digest()


def digest_to_cid(digest: bytes) -> str:
    """Write a digest as CIDv1 (base32, raw, sha2-256): `bafkrei…`."""
    if len(digest) != DIGEST_BYTES:
        raise InputError("digest: expected 32 bytes", field="digest")
    # By hand: multiformats checks types on every step, which takes a hundred times as long.
    return "b" + base64.b32encode(_PREFIX + digest).decode("ascii").lower().rstrip("=")


def cid_to_digest(cid: str) -> bytes:
    """Read the digest out of a CIDv1 of a raw block; `InputError` for any other identifier."""
    try:
        parsed = CID.decode(cid)
    except (ValueError, KeyError, IndexError) as error:
        raise _wrong(f"{cid!r} is not a content identifier") from error
    if parsed.version != 1 or parsed.codec.name != "raw" or parsed.hashfun.name != "sha2-256":
        raise _wrong(f"{cid!r} does not name a raw block by SHA-256")
    return bytes(parsed.raw_digest)


def _wrong(what: str) -> InputError:
    return InputError(f"cid: {what}", field="cid", hint="Use a CIDv1 of a raw block, such as bafkrei….")
