"""Audits and monitoring through GraphQL, from rows as the indexer writes them."""

import httpx
import pytest
from eth_utils.address import to_checksum_address

from .conftest import Ask, Index, address
from .test_graphql_reads import STATEMENTS
from .test_learning_reads import filled_row, hexed
from .test_monitoring_reads import monitored as monitored  # noqa: PLC0414  # a fixture, shared


@pytest.fixture
async def audited(index: Index) -> bytes:
    """An audited task whose panel of two has voted, one of them openly."""
    task_id = await index.task(1, mode="audited", status="disputed")
    for number in range(3):
        await index.runner(number)
    await filled_row(
        index,
        "audits",
        task_id=task_id,
        node=address(100),
        stage="revealing",
        rate_bps=500,
        audited=True,
        bond=7 * 10**18,
        opened_block=15,
    )
    await filled_row(index, "audit_panels", task_id=task_id, round=0, size=2, seated=2, opened=1)
    for seat, (node, valid) in enumerate(((101, False), (102, None))):
        await filled_row(
            index,
            "audit_votes",
            task_id=task_id,
            round=0,
            seat=seat,
            node=address(node),
            owner=address(node + 100),
            valid=valid,
        )
    return task_id


AUDIT = """stage rateBps audited valid bondUsdfc runner { name } challenger
  panels { round size seated opened valid votes { seat valid outcome runner { name } } }"""


async def test_an_audit_is_told_with_its_panels_and_votes(audited: bytes, ask: Ask) -> None:
    answer = await ask(
        f"query($id: Bytes32!) {{ task(id: $id) {{ audit {{ {AUDIT} }} }} audits {{ nodes {{ taskId task {{ mode }} }} }} }}",
        id=hexed(audited),
    )
    audit = answer["data"]["task"]["audit"]
    assert (audit["stage"], audit["rateBps"], audit["audited"], audit["bondUsdfc"]) == (
        "REVEALING",
        500,
        True,
        "7",
    )
    (panel,) = audit["panels"]
    assert [(vote["seat"], vote["valid"]) for vote in panel["votes"]] == [(0, False), (1, None)]
    assert answer["data"]["audits"]["nodes"] == [{"taskId": hexed(audited), "task": {"mode": "AUDITED"}}]


async def test_audits_are_filtered_by_stage_and_auditor(audited: bytes, ask: Ask) -> None:
    query = "query($where: AuditWhere) { audits(where: $where) { nodes { taskId } } }"
    for where, found in (
        ({"stage": {"eq": "REVEALING"}}, 1),
        ({"stage": {"eq": "CLOSED"}}, 0),
        ({"auditor": {"eq": hexed(address(101))}}, 1),
        ({"auditor": {"eq": hexed(address(100))}}, 0),
        ({"challenged": {"eq": False}}, 1),
        ({"challenged": {"eq": True}}, 0),
        ({"taskId": {"eq": hexed(audited)}, "valid": {"eq": True}}, 0),
    ):
        answer = await ask(query, where=where)
        assert len(answer["data"]["audits"]["nodes"]) == found, where


async def test_rest_lists_the_same_audits(audited: bytes, client: httpx.AsyncClient) -> None:
    path = "/api/v1/reputation/audits"
    (audit,) = (await client.get(path, params={"stage": "revealing", "challenged": "false"})).json()["audits"]
    assert (audit["taskId"], audit["bond"], audit["challenger"]) == (hexed(audited), str(7 * 10**18), None)
    assert (await client.get(path, params={"challenged": "true"})).json()["audits"] == []
    refused = await client.get(path, params={"stage": "over"})
    assert (refused.status_code, refused.json()["field"]) == (400, "stage")


async def test_a_task_that_is_not_audited_has_no_audit(index: Index, ask: Ask) -> None:
    task_id = await index.task(2)
    answer = await ask("query($id: Bytes32!) { task(id: $id) { audit { stage } } }", id=hexed(task_id))
    assert answer["data"]["task"] == {"audit": None}


@pytest.mark.usefixtures("monitored")
async def test_duties_reports_and_verdicts_are_told(ask: Ask) -> None:
    answer = await ask(
        """query($node: Address!) {
          monitoringAssignments(where: {epoch: {gte: 8}}) { nodes { epoch mark runner { name } reports { kind target } } }
          monitoringReports(where: {target: {eq: $node}}) { nodes { kind counted monitorRunner { name } } }
          monitoringVerdicts(where: {ruling: {eq: AGREED}}) { nodes { epoch kind agreeing judgedKind runner { name } } }
        }""",
        node=hexed(address(101)),
    )
    silent, heard = answer["data"]["monitoringAssignments"]["nodes"]
    assert (silent["mark"], silent["reports"]) == ("SILENT", [])
    assert heard["reports"] == [
        {"kind": "OFFLINE", "target": to_checksum_address(address(101))},
        {"kind": "GOOD_BEHAVIOR", "target": to_checksum_address(address(102))},
    ]
    assert answer["data"]["monitoringReports"]["nodes"] == [
        {"kind": "OFFLINE", "counted": True, "monitorRunner": {"name": "box"}}
    ]
    assert answer["data"]["monitoringVerdicts"]["nodes"] == [
        {"epoch": 9, "kind": "OFFLINE", "agreeing": 1, "judgedKind": None, "runner": {"name": "box"}}
    ]


@pytest.mark.usefixtures("monitored", "audited_too")
async def test_each_level_costs_one_statement(ask: Ask, client: httpx.AsyncClient) -> None:
    async def statements() -> int:
        found = STATEMENTS.search((await client.get("/metrics")).text)
        assert found
        return int(float(found.group(1)))

    async def cost(query: str) -> int:
        await ask(query)  # the first time shows that one statement is not enough for it
        before = await statements()
        await ask(query)
        return await statements() - before

    assert await cost("{ monitoringAssignments { nodes { reports { monitorRunner { name } } } } }") == 3
    # audits, as objects since they are asked for twice; runners and panels; votes; their runners
    assert await cost(f"{{ audits {{ edges {{ node {{ stage }} }} nodes {{ {AUDIT} }} }} }}") == 4
    beat = AUDIT.replace("runner {", "runner { heartbeat { slots }", 1)
    assert await cost(f"{{ audits {{ nodes {{ {beat} }} }} }}") == 1
    assert await cost(f"{{ audits {{ nodes {{ {AUDIT} }} }} }}") == 1


@pytest.fixture
async def audited_too(monitored: bytes, index: Index) -> None:
    for number in range(3):
        task_id = await index.task(number + 1, mode="audited")
        await filled_row(
            index, "audits", task_id=task_id, node=monitored, stage="voting", opened_block=number
        )
        await filled_row(index, "audit_panels", task_id=task_id, round=0, size=1, seated=1)
        await filled_row(
            index, "audit_votes", task_id=task_id, round=0, seat=0, node=address(101), owner=address(201)
        )
