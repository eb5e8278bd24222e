"""Monitoring through REST, from rows as the indexer writes them."""

import httpx
import pytest
from eth_utils.address import to_checksum_address

from .conftest import Index, address, word
from .test_learning_reads import filled_row, hexed

PATH = "/api/v1/reputation/monitoring"


def shown(node: bytes) -> str:
    return to_checksum_address(node)


@pytest.fixture
async def monitored(index: Index) -> bytes:
    """Three epochs and a judges' round; in the newest epoch runner 0 said two things, and runner 1 was silent."""
    for epoch in (7, 8, 9):
        await filled_row(
            index, "monitoring_epochs", round=word(epoch), epoch=epoch, opened_block=epoch * 10, active=3
        )
    judges = (2**200).to_bytes(32, "big")
    await filled_row(index, "monitoring_epochs", round=judges, opened_block=95, active=3)
    for number in range(3):
        await index.runner(number)
    await index.connection.execute(
        "UPDATE runner_reputation SET monitor_missed = 1 WHERE node = $1", address(101)
    )
    duty = {"commitment": word(1), "committed_block": 91, "committed_tx": word(2)}
    opened = {"revealed_block": 99, "revealed_tx": word(3)}
    await filled_row(
        index,
        "monitoring_assignments",
        round=word(9),
        monitor=address(100),
        reports=2,
        updated_block=99,
        **duty,
        **opened,
    )
    await filled_row(
        index,
        "monitoring_assignments",
        round=word(9),
        monitor=address(101),
        mark="silent",
        mark_target=address(100),
        mark_block=120,
        updated_block=120,
    )
    await filled_row(
        index, "monitoring_assignments", round=word(7), monitor=address(100), updated_block=71, **duty
    )
    for target, kind in ((101, "offline"), (102, "good_behavior")):
        await filled_row(
            index,
            "monitoring_reports",
            round=word(9),
            target=address(target),
            monitor=address(100),
            kind=kind,
            counted=True,
            revealed_block=99,
        )
    await filled_row(
        index,
        "monitoring_verdicts",
        round=word(9),
        epoch=9,
        target=address(101),
        ruling="agreed",
        kind="offline",
        agreeing=1,
        reports=1,
        concluded_block=121,
    )
    return address(100)


async def test_duties_come_with_what_was_reported(monitored: bytes, client: httpx.AsyncClient) -> None:
    listed = (await client.get(f"{PATH}/assignments")).json()["assignments"]
    assert [(duty["epoch"], duty["monitor"], duty["mark"]) for duty in listed] == [
        (9, shown(address(101)), "silent"),
        (9, shown(monitored), None),
        (7, shown(monitored), None),
    ]
    assert [(said["target"], said["kind"]) for said in listed[1]["reports"]] == [
        (shown(address(101)), "offline"),
        (shown(address(102)), "good_behavior"),
    ]
    assert listed[0]["reports"] == listed[2]["reports"] == []


async def test_duties_are_filtered_by_monitor_and_epoch_and_paged(
    monitored: bytes, client: httpx.AsyncClient
) -> None:
    asked = {"node": hexed(monitored), "first": 1}
    first = (await client.get(f"{PATH}/assignments", params=asked)).json()
    assert [duty["epoch"] for duty in first["assignments"]] == [9]
    after = asked | {"after": first["pageInfo"]["endCursor"]}
    second = (await client.get(f"{PATH}/assignments", params=after)).json()
    assert [duty["epoch"] for duty in second["assignments"]] == [7]
    seventh = (await client.get(f"{PATH}/assignments", params={"epoch": 7})).json()
    assert [duty["committedBlock"] for duty in seventh["assignments"]] == [91]


@pytest.mark.usefixtures("monitored")
async def test_monitoring_is_summed_up_over_the_newest_epochs(client: httpx.AsyncClient) -> None:
    whole = (await client.get(f"{PATH}/stats")).json()
    assert (whole["epochs"], whole["firstEpoch"], whole["lastEpoch"], whole["sinceBlock"]) == (3, 7, 9, 70)
    assert whole["duties"] == {
        "rounds": 3,
        "committed": 2,
        "revealed": 1,
        "reports": 2,
        "silent": 1,
        "lying": 0,
    }
    assert whole["reports"] == {"good_behavior": 1, "offline": 1}
    assert whole["verdicts"] == {"agreed": 1}
    newest = (await client.get(f"{PATH}/stats", params={"epochs": 1})).json()
    assert (newest["firstEpoch"], newest["duties"]["rounds"]) == (9, 2)


@pytest.mark.usefixtures("index")
async def test_monitoring_before_the_first_epoch_is_nothing(client: httpx.AsyncClient) -> None:
    stats = (await client.get(f"{PATH}/stats")).json()
    assert (stats["epochs"], stats["firstEpoch"], stats["duties"]["rounds"], stats["reports"]) == (
        0,
        None,
        0,
        {},
    )
    assert (await client.get(f"{PATH}/assignments")).json()["assignments"] == []


async def test_a_runners_part_is_told_without_the_chain_too(
    monitored: bytes, client: httpx.AsyncClient
) -> None:
    watcher = (await client.get(f"{PATH}/runners/{hexed(monitored)}/metrics")).json()
    assert (watcher["asMonitor"]["rounds"], watcher["asMonitor"]["reports"]) == (2, 2)
    assert (watcher["reports"], watcher["verdicts"], watcher["watching"]) == ({}, {}, None)
    assert watcher["node"] == to_checksum_address(monitored)
    watched = (await client.get(f"{PATH}/runners/{hexed(address(101))}/metrics")).json()
    assert (watched["reports"], watched["verdicts"]) == ({"offline": 1}, {"agreed": 1})
    assert (watched["monitorMissed"], watched["asMonitor"]["silent"]) == (1, 1)
    unknown = await client.get(f"{PATH}/runners/{hexed(address(9))}/metrics")
    assert (unknown.status_code, unknown.json()["type"]) == (404, "not-found")


async def test_a_span_of_epochs_has_bounds(client: httpx.AsyncClient) -> None:
    for epochs in ("0", "1001", "many"):
        answer = await client.get(f"{PATH}/stats", params={"epochs": epochs})
        assert (answer.status_code, answer.json()["field"]) == (400, "epochs")
