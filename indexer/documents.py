"""Fetch the documents that the chain points at. Apart from the fold: a missing document delays nothing."""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg
import rfc8785
import structlog

from indexer.rpc.wire import hexed
from protocol.content import ContentStore
from protocol.documents import (
    MAX_DOCUMENT_BYTES,
    CommandResult,
    CommandSpec,
    Document,
    FederatedAggregate,
    FederatedAggregation,
    LlmResult,
    LlmSpec,
    RunnerProfile,
    canonical,
    parse_document,
)
from protocol.errors import ContentError, ContentMismatch, ContentTooLarge, InputError

log = structlog.get_logger()

FETCHES_AT_ONCE = 4
FIRST_RETRY_S = 1.0
LONGEST_RETRY_S = 3600.0
LONGEST_SLEEP_S = 30.0
KINDS: dict[str, tuple[type[Document], ...]] = {
    "spec": (LlmSpec, CommandSpec, FederatedAggregation),
    "result": (LlmResult, CommandResult, FederatedAggregate),
    "profile": (RunnerProfile,),
}
LEARNING_KINDS = {"session": "fl-session", "model-card": "fl-model-card"}
"""What federated learning says in documents that only its own code reads whole: shown as they are."""

_DUE = """
    SELECT digest, kind, attempts FROM content.documents
    WHERE status IN ('pending', 'unavailable', 'mismatch') AND next_attempt_at <= now()
    ORDER BY next_attempt_at LIMIT $1
"""
_NEXT = """
    SELECT extract(epoch FROM min(next_attempt_at) - now())::float8 FROM content.documents
    WHERE status IN ('pending', 'unavailable', 'mismatch')
"""
_RECORD = """
    UPDATE content.documents SET status = $2, content = $3, size = $4, error = $5, attempts = attempts + 1,
        fetched_at = CASE WHEN $4::int4 IS NULL THEN NULL ELSE now() END,
        next_attempt_at = now() + make_interval(secs => $6)
    WHERE digest = $1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a fetch came to. `status` is the column's value; `size` in bytes; `text` the document as JSON."""

    status: str
    text: str | None = None
    size: int | None = None
    error: str | None = None


async def fetch(store: ContentStore, digest: bytes, kind: str) -> Outcome:
    """Fetch one document, check it against its digest and read it as `kind`."""
    try:
        content = await store.get(digest, max_bytes=MAX_DOCUMENT_BYTES)
    except ContentTooLarge as error:
        return Outcome(status="too_large", error=str(error))
    except ContentMismatch as error:
        return Outcome(status="mismatch", error=str(error))
    except ContentError as error:
        return Outcome(status="unavailable", error=str(error))
    return read(content, kind)


def read(content: bytes, kind: str) -> Outcome:
    """Read content as a document of the kind that the chain refers to it as."""
    try:
        found, text = _learning(content) if kind in LEARNING_KINDS else _document(content)
    except InputError as error:
        return Outcome(status="invalid", size=len(content), error=str(error))
    problem = None
    wanted = (LEARNING_KINDS[kind],) if kind in LEARNING_KINDS else _names(KINDS[kind])
    if found not in wanted:
        problem = f"is a {found}, not a {kind}"
    elif "\\u0000" in text:
        problem = "holds the character U+0000, which Postgres cannot store"
    if problem is not None:
        return Outcome(status="invalid", size=len(content), error=problem)
    return Outcome(status="stored", text=text, size=len(content))


def _document(content: bytes) -> tuple[str, str]:
    """Return a document's own kind, and its JSON."""
    document = parse_document(content)
    return document.kind, json.dumps(json.loads(canonical(document)))


def _learning(content: bytes) -> tuple[str, str]:
    try:
        document = json.loads(content)
        again = rfc8785.dumps(document)
    except (ValueError, RecursionError, rfc8785.CanonicalizationError) as error:
        raise InputError(f"document: not JSON ({error})", field="document") from error
    if not isinstance(document, dict) or again != content:
        raise InputError("document: not one object in canonical JSON (RFC 8785)", field="document")
    return str(document.get("kind")), json.dumps(document)


def _names(kinds: tuple[type[Document], ...]) -> tuple[str, ...]:
    return tuple(kind.model_fields["kind"].default for kind in kinds)


class DocumentWorker:
    """Fetches what is due, a few at a time; `wake` makes it look at once."""

    def __init__(
        self, connection: asyncpg.Connection, store: ContentStore, *, wake: asyncio.Event | None = None
    ) -> None:
        self.wake = wake or asyncio.Event()
        self._connection = connection
        self._store = store

    @classmethod
    @asynccontextmanager
    async def open(
        cls, database_url: str, store: ContentStore, *, wake: asyncio.Event | None = None
    ) -> AsyncIterator["DocumentWorker"]:
        """Open the worker's own connection."""
        connection = await asyncpg.connect(database_url)
        try:
            yield cls(connection, store, wake=wake)
        finally:
            await connection.close()

    async def run(self) -> None:
        """Work for ever."""
        while True:
            self.wake.clear()
            if await self.round() == 0:
                await self._sleep()

    async def round(self) -> int:
        """Fetch the documents that are due now, at most a few; give their number."""
        due = await self._connection.fetch(_DUE, FETCHES_AT_ONCE)
        outcomes = await asyncio.gather(*(fetch(self._store, row["digest"], row["kind"]) for row in due))
        for row, outcome in zip(due, outcomes, strict=True):
            await self._record(row["digest"], outcome, attempts=row["attempts"])
        return len(due)

    async def _record(self, digest: bytes, outcome: Outcome, *, attempts: int) -> None:
        wait_s = min(LONGEST_RETRY_S, FIRST_RETRY_S * 2 ** min(attempts, 16)) * random.uniform(0.5, 1.0)  # noqa: S311 (jitter)
        await self._connection.execute(
            _RECORD, digest, outcome.status, outcome.text, outcome.size, outcome.error, wait_s
        )
        # A node that is down must not fill the log with what cannot be had from it.
        report = log.debug if outcome.status == "unavailable" else log.info
        report("document", digest=hexed(digest), status=outcome.status, error=outcome.error)

    async def _sleep(self) -> None:
        next_s: float | None = await self._connection.fetchval(_NEXT)
        try:
            async with asyncio.timeout(
                min(LONGEST_SLEEP_S, max(0.05, next_s if next_s is not None else LONGEST_SLEEP_S))
            ):
                await self.wake.wait()
        except TimeoutError:
            return
