"""Every route of the deployment guide and of the API's design, one by one: it is served, documented, and answers."""

from datetime import UTC, datetime

import httpx
import pytest

from api.rest.routes import ENDPOINTS

from .conftest import Index, address, word
from .test_learning_reads import filled_row, hexed

V1 = "/api/v1"
READS = (
    "/health",
    "/ready",
    "/status",
    f"{V1}/tasks",
    f"{V1}/tasks/{{id}}",
    f"{V1}/tasks/{{id}}/result",
    f"{V1}/tasks/{{id}}/reward",
    f"{V1}/tasks/{{id}}/tickets",
    f"{V1}/llm/prompts",
    f"{V1}/llm/prompts/{{id}}",
    f"{V1}/llm/models",
    f"{V1}/llm/billing/metrics",
    f"{V1}/federated-learning/sessions",
    f"{V1}/federated-learning/sessions/{{session}}",
    f"{V1}/federated-learning/sessions/{{session}}/rounds/{{round}}",
    f"{V1}/federated-learning/sessions/{{session}}/model",
    f"{V1}/runners",
    f"{V1}/runners/{{node}}",
    f"{V1}/reputation/runners/{{node}}",
    f"{V1}/reputation/runners/{{node}}/events",
    f"{V1}/reputation/leaderboard",
    f"{V1}/reputation/stats",
    f"{V1}/reputation/monitoring/assignments",
    f"{V1}/reputation/monitoring/stats",
    f"{V1}/reputation/monitoring/runners/{{node}}/metrics",
    f"{V1}/reputation/audits",
    f"{V1}/network/stats",
)
WRITES = (
    ("POST", f"{V1}/tasks"),
    ("POST", f"{V1}/llm/prompts"),
    ("POST", f"{V1}/federated-learning/sessions"),
    ("POST", f"{V1}/reputation/reports"),
    ("POST", f"{V1}/runners/register"),
    ("POST", f"{V1}/runners/heartbeat"),
    ("POST", f"{V1}/runners/webhooks"),
    ("DELETE", f"{V1}/runners/webhooks"),
    ("POST", f"{V1}/transactions"),
)
OTHER = ("/metrics", "/openapi.json", "/docs")


@pytest.fixture
async def places(index: Index) -> dict[str, str]:
    """Put one of everything into the index, and give the names that the paths ask for."""
    spec = await index.document({"kind": "llm", "prompt": "2+2?", "model": "m@sha256:00"}, kind="spec")
    result = await index.document({"kind": "llm-result", "output": "4"}, kind="result")
    now = datetime.now(UTC)
    settled = {"settled_block": 12, "settled_tx": word(8), "settled_at": now}
    task = await index.task(1, spec=spec, result=result, status="final", created_at=now, **settled)
    await index.seat(task, 0, outcome="right", paid=5)
    node = await index.runner(0)
    session = {"session_id": word(1)}
    await filled_row(
        index,
        "federated_learning_sessions",
        phase="finished",
        finished=1,
        round=1,
        model=word(7),
        creator=address(1),
        payer=address(1),
        purse=address(2),
        **session,
    )
    await filled_row(index, "fl_rounds", round=1, status="settled", model=word(7), **session)
    await filled_row(
        index, "fl_participants", slot=0, node=node, owner=address(200), status="active", **session
    )
    await filled_row(index, "monitoring_epochs", round=word(1), epoch=1, active=1, opened_block=10)
    await filled_row(index, "monitoring_assignments", round=word(1), monitor=node, updated_block=11)
    await filled_row(index, "audits", task_id=task, node=node, stage="voting", challenger=address(7))
    await index.sync(indexed=20)
    return {"id": hexed(task), "node": hexed(node), "session": hexed(word(1)), "round": "1"}


async def test_every_read_of_the_guide_answers_with_what_is_there(
    places: dict[str, str], client: httpx.AsyncClient
) -> None:
    answers = {path: await client.get(path.format(**places)) for path in READS}
    refused = {path: answer.text for path, answer in answers.items() if answer.status_code != 200}
    assert refused == {}
    empty = {path for path, answer in answers.items() if [] in answer.json().values()}
    assert empty <= {
        f"{V1}/tasks/{{id}}/tickets",  # the task is no longer open
        f"{V1}/llm/models",  # the runner has no profile document
        f"{V1}/runners/{{node}}",
        f"{V1}/reputation/runners/{{node}}",
        f"{V1}/reputation/runners/{{node}}/events",
        "/ready",
    }


@pytest.mark.usefixtures("index")
@pytest.mark.parametrize("path", OTHER)
async def test_every_page_beside_the_api_answers(path: str, client: httpx.AsyncClient) -> None:
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text


@pytest.mark.usefixtures("index")
@pytest.mark.parametrize(("method", "path"), WRITES, ids=lambda part: part)
async def test_every_write_of_the_guide_reads_what_it_is_sent(
    method: str, path: str, client: httpx.AsyncClient
) -> None:
    answer = await client.request(method, path, json={})
    assert answer.status_code in (400, 401), answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_every_one_of_them_is_in_the_table_that_openapi_comes_from() -> None:
    named = {"id": "{id}", "node": "{id}", "session": "{id}", "round": "{round}"}
    served = {(endpoint.method, endpoint.path) for endpoint in ENDPOINTS}
    assert {("GET", path.format(**named)) for path in READS} <= served
    assert set(WRITES) <= served
