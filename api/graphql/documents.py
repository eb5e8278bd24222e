"""Documents of IPFS."""

from datetime import datetime
from typing import ClassVar, Self

import strawberry
from strawberry.scalars import JSON

from api.database import Record
from api.graphql.dressing import dressed
from api.graphql.enums import DocumentStatus
from api.graphql.links import Columns, derived
from api.graphql.reading import Reading
from api.graphql.scalars import Bytes32, UInt
from protocol.cid import digest_to_cid


@strawberry.type(
    description="A document that the chain names by its SHA-256 digest. Public, as all of IPFS is."
)
class Document:
    COLUMNS: ClassVar[Columns] = {}
    digest: Bytes32
    status: DocumentStatus
    kind: str | None = strawberry.field(
        description="What the chain refers to it as: spec, result, profile, session or model-card."
    )
    content: JSON | None = strawberry.field(
        description="The parsed document; null unless `status` is STORED."
    )
    size: UInt | None = strawberry.field(description="Bytes of the content; null until it was fetched.")
    error: str | None = strawberry.field(description="Why it is not stored.")
    fetched_at: datetime | None

    @classmethod
    def of(cls, digest: bytes, record: Record | None) -> Self:
        """Dress a row, or a digest that the index has not tried to fetch yet."""
        found = record or cls.absent(digest)
        return dressed(cls, found, status=DocumentStatus(found["status"]))

    @staticmethod
    def absent(digest: bytes) -> Record:
        """Return what stands for a document that the index has not tried to fetch yet."""
        nothing = dict.fromkeys(("kind", "content", "size", "error", "fetched_at"))
        return {"digest": digest, "status": "pending", **nothing}

    cid: str = derived(
        "digest", digest_to_cid, description="CIDv1 of the content: raw codec, sha2-256, base32."
    )


async def document_of(reading: Reading, digest: bytes | None) -> Document | None:
    """Load the document of a digest; None when there is no digest yet."""
    return None if digest is None else Document.of(digest, await reading.document.load(digest))


def cid_of(digest: bytes | None) -> str | None:
    """Write a digest as a CID."""
    return None if digest is None else digest_to_cid(digest)
