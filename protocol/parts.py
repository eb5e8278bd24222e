"""Content longer than one block: raw blocks of a fixed length, and a document that lists them.

The cut is fixed, so equal content has equal digests on every node, whatever its own way of storing files: several
runners that agree on content agree on its name. The SHA-256 digest of the list is that name, 32 bytes.
"""

import asyncio
import hashlib
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import BeforeValidator, Field, TypeAdapter, model_validator

from protocol.cid import digest_of, digest_to_cid
from protocol.content import ContentStore
from protocol.documents import MAX_DOCUMENT_BYTES, Digest, Document, canonical, integral, parse_as
from protocol.errors import ContentMismatch, ContentTooLarge, InputError

T = TypeVar("T")

PART_BYTES = MAX_DOCUMENT_BYTES
MAX_PARTS = 3_800
"""As many digests as fit the list's own block: content of up to 950 MiB."""
_AT_ONCE = 4


class PartList(Document):
    """The list of a content's parts, in order; each but the last has `PART_BYTES`. Digests are SHA-256."""

    kind: Literal["content-parts"] = "content-parts"
    version: Literal[1] = 1
    size: Annotated[int, BeforeValidator(integral), Field(strict=True, ge=0, le=MAX_PARTS * PART_BYTES)]
    sha256: Digest
    parts: tuple[Digest, ...] = Field(max_length=MAX_PARTS)

    @model_validator(mode="after")
    def _as_many_as_needed(self) -> Self:
        if len(self.parts) != -(-self.size // PART_BYTES):
            raise ValueError(f"parts: {len(self.parts)} of them cannot be {self.size} bytes")
        return self


_LIST: TypeAdapter[PartList] = TypeAdapter(PartList)


@dataclass(frozen=True, slots=True)
class Stored:
    """Where content lies: `root` names its list of parts, `sha256` is the digest of the content itself; 32 bytes each."""

    root: bytes
    sha256: bytes
    size: int


def list_parts(content: bytes) -> PartList:
    """Cut content into parts and list them; `ContentTooLarge` above `MAX_PARTS * PART_BYTES` bytes."""
    if len(content) > MAX_PARTS * PART_BYTES:
        raise ContentTooLarge(
            f"content: {len(content):,} bytes; the most is {MAX_PARTS * PART_BYTES:,}",
            hint="Train a smaller model, or divide the data among more participants.",
        )
    return PartList(
        size=len(content),
        sha256=digest_of(content).hex(),
        parts=tuple(digest_of(part).hex() for part in _cut(content)),
    )


def stored_as(content: bytes) -> Stored:
    """Return where content would lie, without storing it."""
    listed = list_parts(content)
    return Stored(digest_of(canonical(listed)), bytes.fromhex(listed.sha256), listed.size)


async def store_parts(store: ContentStore, content: bytes) -> Stored:
    """Store and pin content of any length, the list last. `ContentTooLarge`, `ContentUnavailable`."""
    listed = list_parts(content)
    gate = asyncio.Semaphore(_AT_ONCE)

    async def add(part: bytes) -> None:
        async with gate:
            await store.add(part)

    await _all(add(part) for part in _cut(content))
    return Stored(await store.add(canonical(listed)), bytes.fromhex(listed.sha256), listed.size)


async def read_list(store: ContentStore, root: bytes) -> PartList:
    """Fetch the list of parts named `root`; `ContentMismatch` if that names something else."""
    try:
        return parse_as(_LIST, await store.get(root))
    except InputError as error:
        raise ContentMismatch(
            f"{digest_to_cid(root)}: not a list of parts ({error.message})",
            hint="Whoever published it named the wrong content.",
        ) from error


async def fetch_parts(store: ContentStore, root: bytes, *, max_bytes: int) -> bytes:
    """Fetch content by its list's digest, every part checked.

    Raises `ContentTooLarge` before any part is fetched, `ContentUnavailable`, `ContentMismatch`.
    """
    listed = await read_list(store, root)
    if listed.size > max_bytes:
        raise ContentTooLarge(
            f"{digest_to_cid(root)}: {listed.size:,} bytes; at most {max_bytes:,} are read",
            hint="It cannot be what it is said to be.",
        )
    gate = asyncio.Semaphore(_AT_ONCE)

    async def get(digest: str) -> bytes:
        async with gate:
            return await store.get(bytes.fromhex(digest), max_bytes=PART_BYTES)

    content = b"".join(await _all(get(digest) for digest in listed.parts))
    if len(content) != listed.size or hashlib.sha256(content).hexdigest() != listed.sha256:
        raise ContentMismatch(
            f"{digest_to_cid(root)}: its parts are not what the list says",
            hint="Whoever published it made a wrong list.",
        )
    return content


async def keep_parts(store: ContentStore, root: bytes) -> None:
    """Pin content of which the list is at hand, parts first."""
    listed = await read_list(store, root)
    await _all(store.pin(bytes.fromhex(digest)) for digest in listed.parts)
    await store.pin(root)


async def drop_parts(store: ContentStore, root: bytes) -> None:
    """Let content go. Parts that other content shares go too: whoever keeps that must pin it again."""
    listed = await read_list(store, root)
    await store.unpin(root)
    await _all(store.unpin(bytes.fromhex(digest)) for digest in listed.parts)


def _cut(content: bytes) -> list[bytes]:
    return [content[start : start + PART_BYTES] for start in range(0, len(content), PART_BYTES)]


async def _all(works: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Run coroutines side by side and give their results in order; the first failure is raised as it is."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(work) for work in works]
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from failures
    return [task.result() for task in tasks]
