"""Learning sessions through REST and GraphQL, from rows as the indexer writes them."""

from typing import Any

import httpx
import pytest

from .conftest import GENESIS, Ask, Index, address, word

PATH = "/api/v1/federated-learning/sessions"


def hexed(content: bytes) -> str:
    return "0x" + content.hex()


async def filled_row(index: Index, table: str, **given: Any) -> None:
    """Write a row whose other columns are nothing of their type."""
    columns = await index.connection.fetch(
        "SELECT column_name, data_type, is_nullable FROM information_schema.columns WHERE table_name = $1",
        table,
    )
    nothing = {"bytea": word(0), "text": "", "boolean": False, "timestamp with time zone": GENESIS}
    row = {
        column["column_name"]: None if column["is_nullable"] == "YES" else nothing.get(column["data_type"], 0)
        for column in columns
    }
    await index.insert(table, **(row | given))


@pytest.fixture
async def session(index: Index) -> bytes:
    config = await index.document({"kind": "fl-config", "name": "digits"}, kind="spec")
    manifest = await index.document({"kind": "fl-manifest", "accuracy": "0.9"}, kind="result")
    parties = {"creator": address(1), "payer": address(1), "purse": address(9)}
    await filled_row(
        index,
        "federated_learning_sessions",
        session_id=word(1),
        phase="training",
        rounds=3,
        finished=1,
        round=2,
        budget=10**18,
        config=config,
        model=word(77),
        **parties,
    )
    await filled_row(
        index,
        "fl_rounds",
        session_id=word(1),
        round=1,
        status="settled",
        model=word(77),
        manifest=manifest,
        pay=5,
    )
    await filled_row(index, "fl_rounds", session_id=word(1), round=2, status="training")
    await filled_row(
        index,
        "fl_participants",
        session_id=word(1),
        slot=0,
        node=address(100),
        owner=address(200),
        status="active",
        paid=5,
    )
    return word(1)


async def test_a_session_comes_with_rounds_participants_and_configuration(
    session: bytes, client: httpx.AsyncClient
) -> None:
    one = (await client.get(f"{PATH}/{hexed(session)}")).json()
    assert (one["phase"], one["finished"], one["configDocument"]["name"]) == ("training", 1, "digits")
    assert [(entry["round"], entry["status"]) for entry in one["roundList"]] == [
        (1, "settled"),
        (2, "training"),
    ]
    assert [(entry["slot"], entry["paid"]) for entry in one["participants"]] == [(0, "5")]
    listed = (await client.get(PATH, params={"phase": "training", "node": hexed(address(100))})).json()
    assert [entry["id"] for entry in listed["sessions"]] == [hexed(session)]
    assert (await client.get(PATH, params={"phase": "finished"})).json()["sessions"] == []


async def test_a_round_comes_with_its_manifest_and_the_session_with_its_model(
    session: bytes, client: httpx.AsyncClient
) -> None:
    first = (await client.get(f"{PATH}/{hexed(session)}/rounds/1")).json()
    assert (first["status"], first["manifestDocument"]["accuracy"]) == ("settled", "0.9")
    missing = await client.get(f"{PATH}/{hexed(session)}/rounds/9")
    assert (missing.status_code, missing.json()["field"]) == (404, "round")
    model = (await client.get(f"{PATH}/{hexed(session)}/model")).json()
    assert (model["round"], model["model"]) == (1, hexed(word(77)))
    assert model["modelCid"].startswith("bafkrei")


async def test_a_session_without_a_settled_round_has_no_model(
    index: Index, client: httpx.AsyncClient
) -> None:
    parties = {"creator": address(1), "payer": address(1), "purse": address(9)}
    await filled_row(index, "federated_learning_sessions", session_id=word(2), phase="joining", **parties)
    answer = await client.get(f"{PATH}/{hexed(word(2))}/model")
    assert (answer.status_code, answer.json()["type"]) == (404, "no-model")
    unknown = await client.get(f"{PATH}/{hexed(word(3))}")
    assert (unknown.status_code, unknown.json()["type"]) == (404, "not-found")


async def test_graphql_tells_the_same(session: bytes, index: Index, ask: Ask) -> None:
    await index.runner(0)
    answer = await ask(
        """query($id: Bytes32!) { session(id: $id) { phase budgetUsdfc configDocument { content }
             roundList { round status manifestDocument { content } } participants { slot runner { name } } }
           sessions { nodes { id } } }""",
        id=hexed(session),
    )
    one = answer["data"]["session"]
    assert (one["phase"], one["budgetUsdfc"], one["configDocument"]["content"]["name"]) == (
        "training",
        "1",
        "digits",
    )
    assert one["roundList"][0]["manifestDocument"]["content"]["accuracy"] == "0.9"
    assert one["participants"] == [{"slot": 0, "runner": {"name": "box"}}]
    assert answer["data"]["sessions"]["nodes"] == [{"id": hexed(session)}]
