"""Storing specifications for clients without an IPFS node of their own, such as browsers; the answer is the digest."""

from functools import cache

from pydantic import Field

from api.fields import NoParameters
from api.rest.models import HashText, Model
from api.services import Services
from protocol.cid import digest_to_cid
from protocol.content import IpfsStore
from protocol.documents import LlmSpec, canonical


class StoredDocument(Model):
    """A document on IPFS. Check it: `digest` is the SHA-256 of `content`'s bytes, and is what an order names."""

    digest: HashText
    cid: str
    content: str = Field(description="canonical JSON, as it was stored")


async def store_spec(services: Services, _asked: NoParameters, body: LlmSpec) -> StoredDocument:
    """Store a prompt's specification, pinned; the same again is the same document."""
    content = canonical(body)
    settings = services.settings
    digest = await _store(settings.ipfs_api, settings.ipfs_timeout_s).add(content)
    return StoredDocument(
        digest="0x" + digest.hex(), cid=digest_to_cid(digest), content=content.decode("utf-8")
    )


@cache
def _store(api: str, timeout_s: float) -> IpfsStore:
    return IpfsStore(api, timeout_s=timeout_s)
