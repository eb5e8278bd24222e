"""Persisted queries, by the convention of Apollo's clients: a document is sent once and named by its SHA-256 afterwards."""

import hashlib
from collections import OrderedDict

from graphql import GraphQLError, GraphQLSyntaxError, parse

from api.shared.state import SharedState

MAX_DOCUMENT = 20_000
"""Characters of the longest document that is read."""
_MAX_STORED = 10_000
_REMEMBERED = 500


class UnknownQuery(GraphQLError):
    """No document of that digest is known; clients then send it along."""

    def __init__(self) -> None:
        super().__init__(
            "PersistedQueryNotFound",
            extensions={
                "code": "PERSISTED_QUERY_NOT_FOUND",
                "hint": "Send the document together with its digest once.",
            },
        )


class PersistedQueries:
    """Documents by digest: this process remembers some, and all processes share the rest."""

    def __init__(self) -> None:
        self._known: OrderedDict[bytes, str] = OrderedDict()

    async def resolve(self, state: SharedState, query: str | None, extensions: object) -> str | None:
        """Return the document that a request means; raises `GraphQLError` for what cannot be told."""
        named = extensions.get("persistedQuery") if isinstance(extensions, dict) else None
        if named is None:
            return query
        digest = _digest_of(named)
        if query is None:
            return await self._find(state, digest)
        if hashlib.sha256(query.encode()).digest() != digest:
            raise GraphQLError("provided sha does not match query", extensions={"code": "bad-request"})
        await self._keep(state, digest, query)
        return query

    async def _find(self, state: SharedState, digest: bytes) -> str:
        if digest in self._known:
            self._known.move_to_end(digest)
            return self._known[digest]
        row = await state.fetch_one(
            "UPDATE parity_api.persisted_queries SET used_at = now() WHERE sha256 = $1 RETURNING document",
            digest,
        )
        if row is None:
            raise UnknownQuery
        self._remember(digest, row["document"])
        return str(row["document"])

    async def _keep(self, state: SharedState, digest: bytes, query: str) -> None:
        if digest in self._known or len(query) > MAX_DOCUMENT or "\0" in query:
            return
        try:
            parse(query, max_tokens=MAX_DOCUMENT)
        except GraphQLSyntaxError:
            return  # It is answered with its fault, and not kept.
        await state.fetch(
            "INSERT INTO parity_api.persisted_queries (sha256, document) SELECT $1, $2 WHERE"
            " (SELECT count(*) FROM parity_api.persisted_queries) < $3 ON CONFLICT DO NOTHING",
            digest,
            query,
            _MAX_STORED,
        )
        self._remember(digest, query)

    def _remember(self, digest: bytes, query: str) -> None:
        self._known[digest] = query
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)


def _digest_of(named: object) -> bytes:
    text = named.get("sha256Hash") if isinstance(named, dict) and named.get("version") == 1 else None
    try:
        digest = bytes.fromhex(text) if isinstance(text, str) else b""
    except ValueError:
        digest = b""
    if len(digest) != 32:
        raise GraphQLError(
            "extensions.persistedQuery: expected version 1 and a sha256Hash of 64 hex digits",
            extensions={"code": "bad-request", "field": "extensions.persistedQuery"},
        )
    return digest
