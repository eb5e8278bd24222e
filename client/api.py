"""A Parity API server, as a client sees it: quick answers about history, and a relay. Never an authority on money."""

from collections.abc import Mapping
from http import HTTPStatus
from types import TracebackType
from typing import Annotated, Any, Literal, Self, TypeVar

import httpx
from pydantic import BaseModel, BeforeValidator, ConfigDict, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from client import queries
from protocol.errors import ApiError
from protocol.http_answers import ask
from protocol.order import Order
from protocol.typed_data import Authorization

T = TypeVar("T", bound=BaseModel)

_PAGE = 100
_MOST_PAGES = 1_000
_MAX_ANSWER_BYTES = 32 << 20
_RELAY_PATH = "/api/v1/tasks"

Word = Annotated[str, BeforeValidator(lambda value: value.lower() if isinstance(value, str) else value)]
"""An enumeration's member: GraphQL shouts it, people read it in lower case."""


class ApiRecord(BaseModel):
    """What the API answers: camelCase, and only the fields that were asked for."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True, extra="ignore")


class _PageInfo(ApiRecord):
    has_next_page: bool
    end_cursor: str | None


class IndexStatus(ApiRecord):
    """How far the API's index is behind the chain, in blocks."""

    chain_id: int
    phase: Word
    head: int
    indexed_block: int
    finalized_block: int
    lag_blocks: int
    reorgs: int


class SeatView(ApiRecord):
    """A seat of an indexed task. Amounts are decimals of USDFC."""

    seat: int
    node: str
    owner: str
    state: Word
    outcome: Word | None
    paid_usdfc: str
    slashed_usdfc: str


class TimelineEntry(ApiRecord):
    """One event in an indexed task's life."""

    name: str
    node: str | None
    block_number: int
    tx_hash: str
    timestamp: str


class PromptText(ApiRecord):
    """An indexed task's prompt and answer."""

    model: str
    prompt: str
    output: str | None


class TaskView(ApiRecord):
    """A task as the API's index has it, which may lag behind the chain. Amounts are decimals of USDFC."""

    id: str
    status: Word
    client: str
    payer: str
    reward_usdfc: str
    paid_usdfc: str
    fee_usdfc: str
    returned_usdfc: str
    slashed_usdfc: str
    replicas: int
    quorum: int
    spec_cid: str
    result_cid: str | None
    created_block: int
    created_tx: str
    created_at: str
    settled_block: int | None
    settled_tx: str | None
    settled_at: str | None
    seats: tuple[SeatView, ...]
    timeline: tuple[TimelineEntry, ...]
    prompt: PromptText | None


class PromptView(ApiRecord):
    """A prompt as the API's index has it. `cost_usdfc` is what its payer paid, fee included."""

    id: str
    model: str
    prompt: str
    client_id: str | None
    status: Word
    output: str | None
    input_tokens: int | None
    output_tokens: int | None
    cost_usdfc: str
    created_at: str
    completed_at: str | None


class OfferedModel(ApiRecord):
    """A model in a runner's profile."""

    model: str
    digest: str


class Stake(ApiRecord):
    """What backs a runner, in decimals of USDFC."""

    bonded_usdfc: str


class RunnerView(ApiRecord):
    """A runner as the API's index has it. `score` is in millionths, before decay."""

    node: str
    owner: str
    name: str
    profile: str
    status: Word
    score: int
    right: int
    wrong: int
    missed: int
    stake: Stake
    models: tuple[OfferedModel, ...]


class SessionView(ApiRecord):
    """A learning session as the API's index has it. Amounts are decimals of USDFC; `finished` counts settled rounds."""

    id: str
    creator: str
    phase: Word
    round: int
    rounds: int
    finished: int
    members: int
    min_participants: int
    max_participants: int
    budget_usdfc: str
    paid_usdfc: str
    created_at: str
    ended_at: str | None


class Relayed(ApiRecord):
    """What the relay says it did; the chain is asked whether that is so."""

    task_id: str
    transaction_hash: str


class Health(ApiRecord):
    """What an API server says of itself. `index` is there when its database answers."""

    url: str
    alive: bool
    ready: bool
    index: IndexStatus | None


class ApiClient:
    """Typed calls of one API server. Every failure is an `ApiError`; code `unreachable` means that it is down."""

    def __init__(self, url: str, *, timeout_s: float) -> None:
        self.url = url
        self._timeout_s = timeout_s
        self._http = httpx.AsyncClient(base_url=url, timeout=timeout_s)

    async def __aenter__(self) -> Self:
        await self._http.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.__aexit__(kind, error, trace)

    async def status(self) -> IndexStatus:
        """Ask how far the index is."""
        return await self._query(queries.STATUS, IndexStatus, "status")

    async def task(self, task_id: bytes) -> TaskView | None:
        """Look up a task; `None` if the index does not have it (yet)."""
        data = await self.ask(queries.TASK, {"id": "0x" + task_id.hex()})
        return None if data.get("task") is None else self.parse(TaskView, data["task"])

    async def prompts(self, creator: str, *, limit: int = 20) -> tuple[PromptView, ...]:
        """List the newest prompts of an address."""
        data = await self.ask(queries.PROMPTS, {"creator": creator, "first": limit})
        return self.nodes(PromptView, data.get("prompts"))

    async def sessions(self, *, creator: str | None = None, limit: int = 20) -> tuple[SessionView, ...]:
        """List the newest learning sessions, of one creator if one is named."""
        where = {"creator": {"eq": creator}} if creator else None
        data = await self.ask(queries.SESSIONS, {"first": limit, "where": where})
        return self.nodes(SessionView, data.get("sessions"))

    async def runners(self) -> tuple[RunnerView, ...]:
        """List the active runners, best score first."""
        found: list[RunnerView] = []
        after: str | None = None
        for _ in range(_MOST_PAGES):
            page = (await self.ask(queries.RUNNERS, {"first": _PAGE, "after": after})).get("runners")
            nodes = self.nodes(RunnerView, page)
            found += nodes
            info = self.parse(_PageInfo, page.get("pageInfo") if isinstance(page, dict) else None)
            if not info.has_next_page or not nodes:
                return tuple(found)
            after = info.end_cursor
        raise self._malformed()

    async def relay(
        self, order: Order, *, client_signature: bytes | None, authorization: Authorization | None
    ) -> Relayed:
        """Hand over a signed order for the server to send, which pays the network fee."""
        body = {
            "order": order.to_json(),
            "clientSignature": "0x" + client_signature.hex() if client_signature else None,
            "payerSignature": None,
            "authorization": authorization.to_json() if authorization else None,
        }
        answer = await self._send("POST", _RELAY_PATH, json=body)
        return self.parse(Relayed, self._json(_accepted(answer)))

    async def health(self) -> Health:
        """Ask whether the server lives, whether it can serve, and how far its index is."""
        alive = (await self._send("GET", "/health")).status_code == HTTPStatus.OK
        ready = (await self._send("GET", "/ready")).status_code == HTTPStatus.OK
        try:
            index = await self.status()
        except ApiError:
            index = None
        return Health(url=self.url, alive=alive, ready=ready, index=index)

    async def _query(self, query: str, kind: type[T], name: str) -> T:
        return self.parse(kind, (await self.ask(query, {})).get(name))

    async def ask(self, query: str, variables: Mapping[str, object]) -> dict[str, Any]:
        """Send one GraphQL query and give its `data`; `ApiError` with the server's reason if it is refused."""
        answer = await self._send("POST", "/graphql", json={"query": query, "variables": dict(variables)})
        document = self._json(answer)
        if not isinstance(document, dict) or ("data" not in document and "errors" not in document):
            raise self._malformed()
        if document.get("errors"):
            raise _graphql_error(answer.status_code, document["errors"])
        data = document["data"]
        if not isinstance(data, dict):
            raise self._malformed()
        return data

    async def _send(
        self, method: Literal["GET", "POST"], path: str, *, json: object = None
    ) -> httpx.Response:
        try:
            return await ask(
                self._http, method, path, most_bytes=_MAX_ANSWER_BYTES, within_s=self._timeout_s, json=json
            )
        except httpx.HTTPError as error:
            why = str(error) or type(error).__name__
            raise ApiError(
                0,
                "unreachable",
                f"the API server at {self.url} does not answer: {why}",
                hint="Check SERVER_URL, or start it (`make up` starts a local one).",
            ) from error

    def _json(self, answer: httpx.Response) -> Any:
        try:
            return answer.json()
        except (ValueError, RecursionError) as error:
            raise self._malformed() from error

    def nodes(self, kind: type[T], page: object) -> tuple[T, ...]:
        """Read the items of a connection's page, or of a plain list; `ApiError` `malformed`."""
        nodes = page.get("nodes") if isinstance(page, dict) else page
        if not isinstance(nodes, list):
            raise self._malformed()
        return tuple(self.parse(kind, node) for node in nodes)

    def parse(self, kind: type[T], document: object) -> T:
        """Read one record out of an answer; `ApiError` `malformed`."""
        try:
            return TypeAdapter(kind).validate_python(document)
        except ValidationError as error:
            raise self._malformed() from error

    def _malformed(self) -> ApiError:
        return ApiError(
            HTTPStatus.OK,
            "malformed",
            f"the server at {self.url} does not answer as a Parity API does",
            hint="Check SERVER_URL, and that server and client are of one version.",
        )


def _accepted(answer: httpx.Response) -> httpx.Response:
    """Pass an accepted answer on; raise what an RFC 9457 problem document says otherwise."""
    if answer.is_success:
        return answer
    try:
        problem = answer.json()
    except (ValueError, RecursionError):
        problem = {}
    problem = problem if isinstance(problem, dict) else {}
    code = str(problem.get("type", "refused")).rsplit("/", 1)[-1]
    field = f"{problem['field']}: " if problem.get("field") else ""
    said = problem.get("detail") or problem.get("title") or answer.reason_phrase
    hint = problem.get("hint")
    raise ApiError(
        answer.status_code,
        code,
        f"the API refused the order: {field}{said}",
        hint=str(hint) if hint else None,
    )


def _graphql_error(status: int, errors: object) -> ApiError:
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    extensions = first.get("extensions")
    extensions = extensions if isinstance(extensions, dict) else {}
    return ApiError(
        status,
        str(extensions.get("code", "graphql")),
        f"the API refused a query: {first.get('message', 'no reason given')}",
        hint="Server and client may be of different versions.",
    )
