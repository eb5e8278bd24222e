"""Plain JSON queries over HTTP, answered by their plans; anything else, and every error, is left to Strawberry."""

from typing import Any

import msgspec
from graphql import GraphQLError
from graphql.execution.values import VariableValues

from api.database import TURNS
from api.graphql.operation import MIN_BLOCK_WAIT_S, Operation, put_in_words, wanted_block
from api.graphql.persisted import PersistedQueries
from api.graphql.planning import Plan
from api.graphql.preparing import Prepared, PreparedQueries
from api.graphql.running import run
from api.json_text import NotReadable, read_json
from api.services import Services

_KEYS = frozenset({"query", "variables", "operationName", "extensions"})


class QuickQueries:
    """Answers requests whose query was planned. Strawberry's answers to the same requests are equal."""

    def __init__(self, prepared: PreparedQueries, persisted: PersistedQueries) -> None:
        self._prepared = prepared
        self._persisted = persisted

    async def answer(self, body: bytes, services: Services) -> bytes | None:
        """Answer a request's body; None if it has to be answered in the other way."""
        request = _request_of(body)
        if request is None:
            return None
        variables: dict[str, Any] = request.get("variables") or {}
        prepared = await self._prepared_of(request, services)
        values = prepared.values(variables) if prepared else None
        if prepared is None or values is None or prepared.is_too_costly(variables):
            return None
        if prepared.may_wait:
            await _wait(prepared, variables, services)
        data, errors = await _executed(prepared, values, services)
        if not errors:
            return msgspec.json.encode({"data": data})
        put_in_words(errors)
        return msgspec.json.encode({"data": data, "errors": [error.formatted for error in errors]})

    async def _prepared_of(self, request: dict[str, Any], services: Services) -> Prepared | None:
        text = request.get("query")
        if request.get("extensions"):
            try:
                text = await self._persisted.resolve(services.shared, text, request["extensions"])
            except GraphQLError:
                return None
        return self._prepared.find(text, request.get("operationName")) if text else None


async def _executed(
    prepared: Prepared, values: VariableValues, services: Services
) -> tuple[dict[str, Any] | None, list[GraphQLError]]:
    """Run the query: from rows, and without a transaction, for as long as that is all it takes."""
    planned = prepared.plan(values.coerced)
    if planned.shares and not services.shared.is_there:
        return await _answered(planned.plan, Operation(services), values)
    if prepared.reads_once:
        turns = 0 if planned.is_direct else TURNS
        operation = Operation(services, once=True, turns=turns, asked=planned.rows)
        answer = await _answered(planned.plan, operation, values)
        if operation.exceeded:
            prepared.reads_once = False
        elif not operation.unusual:
            return answer
    operation = Operation(services, asked=planned.rows)
    answer = await _answered(planned.plan, operation, values)
    return await _answered(planned.plan, Operation(services), values) if operation.unusual else answer


async def _answered(
    plan: Plan, operation: Operation, values: VariableValues
) -> tuple[dict[str, Any] | None, list[GraphQLError]]:
    try:
        return await run(plan, operation, values)
    finally:
        await operation.close()


async def _wait(prepared: Prepared, variables: dict[str, Any], services: Services) -> None:
    block = wanted_block(prepared.document, variables)
    if block is not None:
        await services.feed.wait_for(block, timeout_s=MIN_BLOCK_WAIT_S)


def _request_of(body: bytes) -> dict[str, Any] | None:
    try:
        request = read_json(body)
    except NotReadable:
        return None
    if not isinstance(request, dict) or not _KEYS.issuperset(request):
        return None
    fits = (
        isinstance(request.get("query"), str | None)
        and isinstance(request.get("operationName"), str | None)
        and isinstance(request.get("variables"), dict | None)
        and isinstance(request.get("extensions"), dict | None)
    )
    return request if fits else None
