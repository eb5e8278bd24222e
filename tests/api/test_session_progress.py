"""A learning session's contributions, its timeline, and its progress as it happens."""

import json
from typing import Any

import httpx
import pytest

from .conftest import GENESIS, Ask, Index, address, word
from .test_learning_reads import filled_row, hexed
from .test_subscriptions import following, live, opened, start, subscribed


@pytest.fixture
async def session(index: Index) -> bytes:
    """A session in its second round: slot 0 and 1 contributed to the first, of which slot 0's was accepted."""
    parties = {"creator": address(1), "payer": address(1), "purse": address(9)}
    await filled_row(
        index,
        "federated_learning_sessions",
        session_id=word(1),
        phase="revealing",
        round=2,
        finished=1,
        updated_block=5,
        **parties,
    )
    await filled_row(
        index, "fl_rounds", session_id=word(1), round=1, status="settled", accepted=1, accepted_count=1
    )
    await filled_row(index, "fl_rounds", session_id=word(1), round=2, status="running")
    told: list[tuple[str, bytes | None, dict[str, Any]]] = [
        ("RoundStarted", None, {"round": "1", "attempt": "0"}),
        ("ContributionRevealed", address(100), {"slot": "0", "update": hexed(word(70)), "samples": "12"}),
        ("ContributionRevealed", address(101), {"slot": "1", "update": hexed(word(71)), "samples": "13"}),
        ("RoundStarted", None, {"round": "2", "attempt": "0"}),
        (
            "Posted",
            address(101),
            {"slot": "1", "phase": "masking", "first": hexed(word(72)), "second": hexed(word(14))},
        ),
        (
            "Posted",
            address(101),
            {"slot": "1", "phase": "keys", "first": hexed(word(1)), "second": hexed(word(2))},
        ),
    ]
    for number, (name, node, data) in enumerate(told):
        await index.insert(
            "fl_events",
            session_id=word(1),
            block_number=number + 1,
            tx_index=0,
            log_index=0,
            tx_hash=word(number),
            block_time=GENESIS,
            name=name,
            node=node,
            data=json.dumps(data),
        )
    return word(1)


async def test_contributions_belong_to_their_rounds(session: bytes, index: Index, ask: Ask) -> None:
    await index.runner(0)
    answer = await ask(
        """query($id: Bytes32!) { session(id: $id) {
          roundList { round contributionList { slot samples masked accepted update runner { name } } }
          timeline { name node } } }""",
        id=hexed(session),
    )
    first, second = answer["data"]["session"]["roundList"]
    assert [(one["slot"], one["samples"], one["accepted"]) for one in first["contributionList"]] == [
        (0, 12, True),
        (1, 13, False),
    ]
    assert [one["runner"] for one in first["contributionList"]] == [{"name": "box"}, None]
    (masked,) = second["contributionList"]
    assert (masked["samples"], masked["masked"], masked["accepted"]) == (14, True, None)
    assert masked["update"] == hexed(word(72))
    assert [event["name"] for event in answer["data"]["session"]["timeline"]][:2] == [
        "RoundStarted",
        "ContributionRevealed",
    ]


async def test_a_sessions_progress_is_told_until_it_ends(
    session: bytes, index: Index, client: httpx.AsyncClient
) -> None:
    await index.sync(indexed=6)
    await live(client)
    query = f'subscription {{ sessionProgress(id: "{hexed(session)}") {{ phase roundList {{ status }} }} }}'
    async with opened(client) as socket:
        await start(socket, query)
        assert await following(socket) == {
            "sessionProgress": {
                "phase": "revealing",
                "roundList": [{"status": "settled"}, {"status": "running"}],
            }
        }
        await subscribed(client, 1)
        await index.sync(indexed=7)  # a block that does not change it tells nothing
        await index.connection.execute("UPDATE fl_rounds SET status = 'settled'")
        await index.connection.execute(
            "UPDATE federated_learning_sessions SET phase = 'finished', updated_block = 8"
        )
        await index.sync(indexed=8)
        assert await following(socket) == {
            "sessionProgress": {
                "phase": "finished",
                "roundList": [{"status": "settled"}, {"status": "settled"}],
            }
        }
        assert await following(socket) == "complete"
    await subscribed(client, 0)
