"""OpenAPI 3.1, from the table of endpoints and their models."""

from functools import cache
from importlib.metadata import version
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from api.rest.endpoint import Endpoint
from api.rest.routes import ENDPOINTS
from api.shared import idempotency

_PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "RFC 9457. `type` is a slug that does not change.",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "field": {"type": "string", "description": "what is wrong, as it was sent"},
        "hint": {"type": "string", "description": "what to do about it"},
    },
}

_IDEMPOTENCY: dict[str, Any] = {
    "name": idempotency.HEADER,
    "in": "header",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": idempotency.MAX_KEY, "pattern": "^[!-~]+$"},
    "description": "a new UUID for each new request; the same again within a day gets the same answer",
}


@cache
def openapi() -> dict[str, Any]:
    """Build the document."""
    answers = {endpoint.answer for endpoint in ENDPOINTS}
    bodies = {endpoint.body for endpoint in ENDPOINTS if endpoint.body}
    wanted = [(model, "serialization") for model in answers] + [(model, "validation") for model in bodies]
    wanted.sort(key=lambda item: item[0].__name__)
    names, schemas = models_json_schema(wanted, ref_template="#/components/schemas/{model}")  # type: ignore[arg-type]  # literals
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in ENDPOINTS:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint, names)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Parity", "version": version("parity"), "summary": "A network for AI compute"},
        "paths": paths,
        "components": {
            "schemas": {**schemas.get("$defs", {}), "Problem": _PROBLEM},
            "securitySchemes": {"session": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(endpoint: Endpoint, names: Any) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": endpoint.operation_id or endpoint.handle.__name__,
        "summary": endpoint.summary,
        "parameters": _parameters(endpoint),
        "responses": {
            str(endpoint.status): _content("Done", names[endpoint.answer, "serialization"]),
            **{str(status): _problem() for status in endpoint.problems},
        },
    }
    if endpoint.path == "/ready":
        operation["responses"]["503"] = _content("Not ready", names[endpoint.answer, "serialization"])
    if endpoint.needs_session:
        operation["security"] = [{"session": []}]
    if endpoint.body:
        operation["parameters"] += [_IDEMPOTENCY] if endpoint.keeps_answer else []
        reference = names[endpoint.body, "validation"]
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": reference}}}
    return operation


def _parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    schema = _flat_schema(endpoint.parameters)
    required = set(schema.get("required", ()))
    listed = []
    for name, kind in schema.get("properties", {}).items():
        in_path = f"{{{name}}}" in endpoint.path
        about = kind.pop("description", None)
        entry = {"name": name, "in": "path" if in_path else "query", "required": in_path or name in required}
        listed.append(entry | {"schema": kind} | ({"description": about} if about else {}))
    return listed


def _flat_schema(model: type[BaseModel]) -> dict[str, Any]:
    return model.model_json_schema(ref_template="#/components/schemas/{model}")


def _content(description: str, schema: Any) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _problem() -> dict[str, Any]:
    reference = {"$ref": "#/components/schemas/Problem"}
    return {"description": "Refused", "content": {"application/problem+json": {"schema": reference}}}
