"""The table of REST endpoints. Both the served routes and OpenAPI are made from it, so they cannot differ."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api.fields import NoParameters
from api.rest import (
    audits,
    billing,
    documents,
    intents,
    learning,
    models,
    monitoring,
    operations,
    reads,
    reports,
    reputation,
    signed_in,
    signing,
    task_parts,
)
from api.rest.endpoint import Endpoint
from api.rest.requests import (
    ById,
    ListPrompts,
    ListRunners,
    ListTasks,
    OrderIntent,
    RelayBody,
)
from protocol.documents import LlmSpec

_READ = (400, 503)
_ONE = (400, 404, 503)
_RELAY = (400, 402, 409, 413, 422, 429, 503, 504)

ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        method="GET",
        path="/health",
        summary="Whether the process is alive",
        handle=operations.health,
        answer=operations.Health,
        parameters=NoParameters,
    ),
    Endpoint(
        method="GET",
        path="/ready",
        summary="Whether the server is ready for requests; 503 with the reasons if not",
        handle=operations.ready,
        answer=operations.Readiness,
        parameters=NoParameters,
    ),
    Endpoint(
        method="GET",
        path="/status",
        summary="How far the index is, and what it contains",
        handle=operations.status,
        answer=operations.ServerStatus,
        parameters=NoParameters,
        problems=_READ,
    ),
    Endpoint(
        method="GET",
        path="/api/v1/tasks",
        summary="Tasks, newest first",
        handle=reads.list_tasks,
        answer=models.Tasks,
        parameters=ListTasks,
        problems=_READ,
    ),
    Endpoint(
        method="POST",
        path="/api/v1/tasks",
        summary="Relay a signed order",
        handle=intents.relay_order,
        answer=intents.RelayedOrder,
        parameters=NoParameters,
        body=RelayBody,
        status=202,
        problems=_RELAY,
    ),
    Endpoint(
        method="GET",
        path="/api/v1/tasks/{id}",
        summary="One task, its seats and its documents",
        handle=reads.get_task,
        answer=models.TaskWithSeats,
        parameters=ById,
        problems=_ONE,
    ),
    Endpoint(
        method="GET",
        path="/api/v1/llm/prompts",
        summary="Prompts, newest first",
        handle=reads.list_prompts,
        answer=models.Prompts,
        parameters=ListPrompts,
        problems=_READ,
    ),
    Endpoint(
        method="POST",
        path="/api/v1/llm/prompts",
        operation_id="relay_prompt",
        summary="Relay a signed order for a prompt; the same as POST /api/v1/tasks",
        handle=intents.relay_order,
        answer=intents.RelayedOrder,
        parameters=NoParameters,
        body=RelayBody,
        status=202,
        problems=_RELAY,
    ),
    Endpoint(
        method="GET",
        path="/api/v1/llm/prompts/{id}",
        summary="One prompt and its answer",
        handle=reads.get_prompt,
        answer=models.Prompt,
        parameters=ById,
        problems=_ONE,
    ),
    Endpoint(
        method="GET",
        path="/api/v1/llm/models",
        summary="Models on offer",
        handle=reads.list_models,
        answer=models.OfferedModels,
        parameters=NoParameters,
        problems=_READ,
    ),
    Endpoint(
        method="GET",
        path="/api/v1/runners",
        summary="Runners, best score first",
        handle=reads.list_runners,
        answer=models.Runners,
        parameters=ListRunners,
        problems=_READ,
    ),
    Endpoint(
        method="POST",
        path="/api/v1/documents",
        summary="Put a prompt's specification on IPFS, for clients without a node of their own",
        handle=documents.store_spec,
        answer=documents.StoredDocument,
        parameters=NoParameters,
        body=LlmSpec,
        status=201,
        problems=(400, 413, 503),
    ),
    Endpoint(
        method="GET",
        path="/api/v1/intents/order",
        summary="Typed data of an order, ready to sign",
        handle=intents.order_intent,
        answer=intents.OrderToSign,
        parameters=OrderIntent,
        problems=_READ,
    ),
    Endpoint(
        method="POST",
        path="/api/v1/intents/order",
        operation_id="relay_order_intent",
        summary="Relay a signed order; the same as POST /api/v1/tasks",
        handle=intents.relay_order,
        answer=intents.RelayedOrder,
        parameters=NoParameters,
        body=RelayBody,
        status=202,
        problems=_RELAY,
    ),
    *signing.ENDPOINTS,
    *task_parts.ENDPOINTS,
    *learning.ENDPOINTS,
    *billing.ENDPOINTS,
    *signed_in.ENDPOINTS,
    *reputation.ENDPOINTS,
    *monitoring.ENDPOINTS,
    *audits.ENDPOINTS,
    *reports.ENDPOINTS,
)


def rest_routes() -> list[Route]:
    """Return Starlette's routes, one for each path, so that a refused method is told which are allowed."""
    by_path: defaultdict[str, dict[str, Endpoint]] = defaultdict(dict)
    for endpoint in ENDPOINTS:
        by_path[endpoint.path][endpoint.method] = endpoint
    return [Route(path, _answering(methods), methods=list(methods)) for path, methods in by_path.items()]


def _answering(methods: Mapping[str, Endpoint]) -> Callable[[Request], Awaitable[Response]]:
    async def respond(request: Request) -> Response:
        return await methods["GET" if request.method == "HEAD" else request.method].respond(request)

    return respond
