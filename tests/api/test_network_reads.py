"""Figures, billing, channels and contracts through GraphQL."""

from datetime import UTC, datetime, timedelta

import pytest
from eth_utils.address import to_checksum_address

from protocol.deployment import Deployment

from .conftest import Ask, Index, address, word

NOON = datetime(2026, 3, 1, 12, 0, 30, tzinfo=UTC)


async def test_the_network_is_counted_and_its_money_summed(index: Index, ask: Ask) -> None:
    await index.runner(0)
    await index.runner(1, owner=address(200))
    await index.runner(2, status="retired")
    for number, status in enumerate(("open", "final", "final")):
        await index.task(number + 1, status=status, paid=98 * number, fee=2 * number)
    for number in range(2):
        sums = {"free": 1, "escrowed": 10, "bonded": 10**30, "locked": 1000}
        await index.insert(
            "balances",
            account=address(number + 1),
            **sums,
            unbonding=0,
            release_block=0,
            updated_block=1,
        )
    stats = "activeRunners owners free escrowed bonded locked paid tasks { status tasks }"
    answer = await ask(f"{{ networkStats {{ {stats} }} }}")
    assert answer["data"]["networkStats"] == {
        "activeRunners": 2,
        "owners": 1,
        "free": "2",
        "escrowed": "20",
        "bonded": str(2 * 10**30),
        "locked": "2000",
        "paid": "300",
        "tasks": [{"status": "FINAL", "tasks": 2}, {"status": "OPEN", "tasks": 1}],
    }


async def test_throughput_counts_each_minute_up_to_the_newest_block(index: Index, ask: Ask) -> None:
    for number, moment in enumerate((NOON - timedelta(minutes=9), NOON - timedelta(minutes=1), NOON)):
        await index.insert(
            "blocks",
            number=number + 1,
            hash=word(number),
            parent_hash=word(99),
            timestamp=moment,
        )
    before = {"created_block": 1, "created_at": NOON - timedelta(minutes=9)}
    await index.task(1, **before)
    await index.task(2, **before, settled_block=2, settled_at=NOON - timedelta(minutes=1), status="final")
    await index.task(3, created_block=3, created_at=NOON, settled_block=3, settled_at=NOON, status="final")
    answer = await ask("{ throughput(minutes: 3) { start submitted settled } }")
    assert answer["data"]["throughput"] == [
        {"start": "2026-03-01T11:58:00+00:00", "submitted": 0, "settled": 0},
        {"start": "2026-03-01T11:59:00+00:00", "submitted": 0, "settled": 1},
        {"start": "2026-03-01T12:00:00+00:00", "submitted": 1, "settled": 1},
    ]


async def test_throughput_before_the_first_block_is_empty(index: Index, ask: Ask) -> None:
    assert await ask("{ throughput { start } }") == {"data": {"throughput": []}}


@pytest.mark.parametrize("field", ["throughput(minutes: 0) { start }", "billing(days: 400) { cost }"])
async def test_a_span_that_is_not_possible_names_its_argument(field: str, ask: Ask) -> None:
    (error,) = (await ask(f"{{ {field} }}"))["errors"]
    assert error["extensions"]["field"] in ("minutes", "days")
    assert "Ask for 1 to" in error["extensions"]["hint"]


async def test_billing_sums_by_client_id_and_by_day(index: Index, ask: Ask) -> None:
    today = datetime.now(UTC)
    for number, (client_id, days_ago) in enumerate((("app", 0), ("app", 1), (None, 0), ("app", 60))):
        given = {"clientId": client_id} if client_id else {}
        spec = await index.document(
            {"kind": "llm", "model": "m@sha256:00", "prompt": str(number), **given}, kind="spec"
        )
        result = await index.document(
            {"kind": "llm-result", "output": str(number), "inputTokens": 5, "outputTokens": 7}, kind="result"
        )
        await index.task(
            number + 1,
            spec=spec,
            result=result,
            status="final",
            paid=98,
            fee=2,
            created_at=today - timedelta(days=days_ago),
        )
    lines = "clientId creator model requests inputTokens outputTokens cost costUsdfc"
    answer = await ask(f"{{ billing {{ {lines} }} billingDays {{ day requests cost }} }}")
    app, none = answer["data"]["billing"]
    assert app == {
        "clientId": "app",
        "creator": to_checksum_address(address(1)),
        "model": "m@sha256:00",
        "requests": 2,
        "inputTokens": 10,
        "outputTokens": 14,
        "cost": "200",
        "costUsdfc": "0.0000000000000002",
    }
    assert (none["clientId"], none["requests"]) == (None, 1)
    yesterday, now = answer["data"]["billingDays"]
    assert (yesterday["requests"], now["requests"]) == (1, 2)
    assert now["day"] == today.date().isoformat()
    one = await ask('{ billing(where: { clientId: { eq: "app" } }, days: 90) { requests } }')
    assert one["data"]["billing"] == [{"requests": 3}]


async def test_channels_are_paged_filtered_and_found_by_id(index: Index, ask: Ask) -> None:
    for number, status in enumerate(("open", "closing", "closed")):
        await index.channel(
            number, status=status, returned=70 if status == "closed" else 0, opened_block=number
        )
    answer = await ask("{ channels(first: 2) { nodes { status left } pageInfo { hasNextPage } } }")
    assert answer["data"]["channels"] == {
        "nodes": [{"status": "CLOSED", "left": "0"}, {"status": "CLOSING", "left": "70"}],
        "pageInfo": {"hasNextPage": True},
    }
    open_only = await ask("{ channels(where: { status: { eq: OPEN } }) { nodes { id runner { node } } } }")
    assert open_only["data"]["channels"]["nodes"] == [{"id": "0x" + word(0).hex(), "runner": None}]
    query = "query($id: Bytes32!) { channel(id: $id) { redeemedUsdfc } }"
    assert (await ask(query, id="0x" + word(1).hex()))["data"]["channel"] is not None
    assert (await ask(query, id="0x" + word(7).hex()))["data"]["channel"] is None


async def test_the_deployment_names_every_contract_and_no_private_node(ask: Ask, nowhere: Deployment) -> None:
    answer = await ask(
        "{ deployment { chainId local publicRpc relayer nativeSymbol contracts { name address } } }"
    )
    found = answer["data"]["deployment"]
    contracts = {one["name"]: one["address"] for one in found.pop("contracts")}
    assert found == {
        "chainId": 31337,
        "local": True,
        "publicRpc": "http://127.0.0.1:9",
        "relayer": None,
        "nativeSymbol": "ETH",
    }
    assert contracts["task_escrow"] == nowhere.task_escrow
    assert {"usdfc", "stake_wallet", "runner_reputation", "governor"} <= contracts.keys()
    assert "treasury" not in contracts


async def test_a_refusal_is_explained_in_words(ask: Ask) -> None:
    # WalletInsufficient(3 USDFC, 1 USDFC)
    from protocol.abi import errors_by_selector  # noqa: PLC0415

    selector = next(
        selector for selector, entry in errors_by_selector().items() if entry["name"] == "WalletInsufficient"
    )
    data = selector + (3 * 10**18).to_bytes(32, "big") + (10**18).to_bytes(32, "big")
    answer = await ask(
        "query($d: Bytes!) { explainRevert(data: $d) { name message hint } }", d="0x" + data.hex()
    )
    assert answer["data"]["explainRevert"]["name"] == "WalletInsufficient"
    assert "3 USDFC needed, 1 USDFC available" in answer["data"]["explainRevert"]["message"]
    unknown = await ask('{ explainRevert(data: "0x12345678") { name hint } }')
    assert unknown["data"]["explainRevert"]["name"] == "Unknown"
