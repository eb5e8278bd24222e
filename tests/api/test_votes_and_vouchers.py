"""Votes on proposals and redeemed vouchers, one by one: at the root, and below whatever they belong to."""

import re
from typing import Any

import httpx
import pytest
from eth_utils.address import to_checksum_address

from devnet.accounts import LocalAccounts
from protocol.chain import Chain
from protocol.sender import Sender
from tests.voting import governor, vote_holder, vote_token

from .conftest import GENESIS, PROPOSAL, Ask, Index, address, word

STATEMENTS = re.compile(r"^parity_api_statements_total (\d+)", re.MULTILINE)


async def test_votes_are_told_with_all_that_was_said(index: Index, ask: Ask) -> None:
    await index.vote(1, block=7, support="abstain", weight=2**200, reason="Either is fine", params=b"\x01")
    answer = await ask(
        "{ votes { nodes { proposalId voter support weight reason params blockNumber logIndex txHash timestamp } } }"
    )
    assert answer["data"]["votes"]["nodes"] == [
        {
            "proposalId": str(PROPOSAL),
            "voter": to_checksum_address(address(1)),
            "support": "ABSTAIN",
            "weight": str(2**200),
            "reason": "Either is fine",
            "params": "0x01",
            "blockNumber": 7,
            "logIndex": 1,
            "txHash": "0x" + word(7).hex(),
            "timestamp": "2026-01-01T00:00:00+00:00",
        }
    ]


async def test_a_long_reason_is_cut(index: Index, ask: Ask) -> None:
    await index.vote(1, block=7, reason="x" * 100_000)
    answer = await ask("{ votes { nodes { reason } } }")
    assert answer["data"]["votes"]["nodes"] == [{"reason": "x" * 2000}]


@pytest.mark.parametrize(
    ("arguments", "voters"),
    [
        ("", [4, 3, 2, 1]),
        ("(orderBy: CAST_ASC)", [1, 2, 3, 4]),
        ("(orderBy: WEIGHT_DESC)", [2, 4, 3, 1]),
        ("(where: {support: {eq: AGAINST}})", [3, 2]),
        (f'(where: {{voter: {{in: ["0x{address(4).hex()}"]}}}})', [4]),
        (f'(where: {{proposalId: {{eq: "{PROPOSAL}"}}, support: {{in: [FOR]}}}})', [1]),
        ('(where: {proposalId: {eq: "5"}})', [4]),
        ('(where: {weight: {gt: "1"}}, last: 1)', [2]),
    ],
)
async def test_votes_are_filtered_and_ordered(
    index: Index, ask: Ask, arguments: str, voters: list[int]
) -> None:
    await index.vote(1, block=1, weight=0)
    await index.vote(2, block=2, weight=9, support="against")
    await index.vote(3, block=3, weight=1, support="against")
    await index.vote(4, block=4, weight=2, proposal_id=5)
    answer = await ask(f"{{ votes{arguments} {{ nodes {{ voter }} }} }}")
    assert [int(node["voter"], 16) for node in answer["data"]["votes"]["nodes"]] == voters


@pytest.mark.parametrize("order", ["CAST_DESC", "CAST_ASC", "WEIGHT_DESC"])
async def test_pages_of_votes_follow_each_other(index: Index, ask: Ask, order: str) -> None:
    for number in range(1, 8):
        await index.vote(number, block=number // 2, weight=number % 3 * 2**100)
    query = f"query($after: String) {{ votes(first: 2, after: $after, orderBy: {order}) {{ nodes {{ voter }} pageInfo {{ endCursor hasNextPage }} }} }}"
    found: list[str] = []
    page: Any = {"endCursor": None, "hasNextPage": True}
    while page["hasNextPage"]:
        answer = (await ask(query, after=page["endCursor"]))["data"]["votes"]
        found += [node["voter"] for node in answer["nodes"]]
        page = answer["pageInfo"]
    whole = (await ask(f"{{ votes(orderBy: {order}) {{ nodes {{ voter }} }} }}"))["data"]["votes"]["nodes"]
    assert found == [node["voter"] for node in whole]
    assert len(set(found)) == 7


async def test_a_channel_has_its_vouchers_and_a_voucher_its_channel(index: Index, ask: Ask) -> None:
    await index.channel(1)
    await index.voucher(1, block=7)
    answer = await ask(
        "query($id: Bytes32!) { channel(id: $id) { left vouchers { nodes { amountUsdfc cumulative payer owner place"
        " channel { id left runner { node } } } } } }",
        id="0x" + word(1).hex(),
    )
    assert answer["data"]["channel"] == {
        "left": "70",
        "vouchers": {
            "nodes": [
                {
                    "amountUsdfc": "0.000000000000000005",
                    "cumulative": "35",
                    "payer": to_checksum_address(address(1)),
                    "owner": to_checksum_address(address(200)),
                    "place": 1,
                    "channel": {"id": "0x" + word(1).hex(), "left": "70", "runner": None},
                }
            ]
        },
    }


async def test_an_account_has_its_votes_and_what_it_paid_and_was_paid_by_voucher(
    index: Index, ask: Ask
) -> None:
    await index.vote(1, block=3)
    await index.vote(2, block=4)
    await index.voucher(1, block=5)
    await index.voucher(2, block=6, payer=address(3), owner=address(1))
    answer = await ask(
        "query($who: Address!) { account(address: $who) { address balance { free } votes { nodes { blockNumber } }"
        " vouchersPaid { nodes { blockNumber } } vouchersReceived { nodes { blockNumber } } } }",
        who="0x" + address(1).hex(),
    )
    assert answer["data"]["account"] == {
        "address": to_checksum_address(address(1)),
        "balance": {"free": "0"},
        "votes": {"nodes": [{"blockNumber": 3}]},
        "vouchersPaid": {"nodes": [{"blockNumber": 5}]},
        "vouchersReceived": {"nodes": [{"blockNumber": 6}]},
    }


async def test_what_hangs_on_the_past_is_of_the_past(index: Index, ask: Ask) -> None:
    await index.sync(indexed=50)
    await index.vote(1, block=3)
    await index.vote(1, block=30, proposal_id=5)
    await index.voucher(1, block=5)
    await index.voucher(1, block=31)
    answer = await ask(
        "query($who: Address!) { account(address: $who, block: {number: 10}) { votes { nodes { blockNumber } }"
        " vouchersPaid { nodes { blockNumber } } } }",
        who="0x" + address(1).hex(),
    )
    assert answer["data"]["account"] == {
        "votes": {"nodes": [{"blockNumber": 3}]},
        "vouchersPaid": {"nodes": [{"blockNumber": 5}]},
    }


@pytest.mark.parametrize("channels", [1, 30])
async def test_vouchers_of_a_page_of_channels_cost_one_statement_more(
    index: Index, ask: Ask, client: httpx.AsyncClient, channels: int
) -> None:
    for number in range(channels):
        await index.channel(number)
        for block in range(4):
            await index.voucher(number, block=block)

    async def statements() -> int:
        found = STATEMENTS.search((await client.get("/metrics")).text)
        assert found is not None
        return int(float(found.group(1)))

    query = """{ channels(first: 100) { nodes { id vouchers(first: 2, where: {blockNumber: {lt: 3}}) {
        nodes { blockNumber channelId } pageInfo { hasNextPage endCursor } } } } }"""
    await ask(query)  # the first time shows that one statement is not enough for it
    before = await statements()
    nodes = (await ask(query))["data"]["channels"]["nodes"]
    assert await statements() - before == 2
    assert len(nodes) == channels
    for node in nodes:
        assert node["vouchers"]["nodes"] == [{"blockNumber": b, "channelId": node["id"]} for b in (2, 1)]
        assert node["vouchers"]["pageInfo"]["hasNextPage"]


async def test_pages_below_go_on_from_their_cursor_and_back(index: Index, ask: Ask) -> None:
    await index.channel(1)
    for block in range(5):
        await index.voucher(1, block=block)
    query = """query($id: Bytes32!, $after: String, $first: Int, $last: Int, $before: String) {
        channel(id: $id) { vouchers(first: $first, after: $after, last: $last, before: $before) {
            edges { cursor node { blockNumber } } pageInfo { hasNextPage hasPreviousPage } } } }"""

    async def page(**asked: Any) -> Any:
        answer = await ask(query, id="0x" + word(1).hex(), **asked)
        return answer["data"]["channel"]["vouchers"]

    first = await page(first=2)
    then = await page(first=2, after=first["edges"][-1]["cursor"])
    back = await page(last=1, before=then["edges"][0]["cursor"])
    assert [edge["node"]["blockNumber"] for edge in first["edges"] + then["edges"]] == [4, 3, 2, 1]
    assert [edge["node"]["blockNumber"] for edge in back["edges"]] == [3]
    assert then["pageInfo"] == {"hasNextPage": True, "hasPreviousPage": True}


async def test_a_proposal_has_its_text_its_timeline_and_its_votes(
    server: httpx.AsyncClient, index: Index, chain: Chain, accounts: LocalAccounts
) -> None:
    token, voting = vote_token(chain), governor(chain)
    holder = Sender(chain, await vote_holder(chain, accounts))
    await holder.send(token.functions.delegate(holder.address), label="delegate")
    ids = []
    for number in range(2):
        call = ([chain.deployment.usdfc], [0], [b""], f"Number {number}")
        receipt = await holder.send(voting.functions.propose(*call), label="propose")
        ids.append(voting.events.ProposalCreated().process_receipt(receipt.raw)[0]["args"]["proposalId"])
    created = {
        "tx_index": 0,
        "log_index": 1,
        "tx_hash": word(1),
        "block_time": GENESIS,
        "name": "ProposalCreated",
    }
    await index.insert(
        "proposal_events",
        proposal_id=ids[1],
        block_number=5,
        data='{"description": "Number 1", "proposer": "0x"}',
        **created,
    )
    await index.vote(1, block=6, proposal_id=ids[1])
    await index.sync(indexed=6)
    query = "{ proposals { number description timeline { name blockNumber } votes { nodes { voter proposal { number } } } } }"
    answer = await server.post("/graphql", json={"query": query})
    assert answer.json()["data"]["proposals"] == [
        {
            "number": 1,
            "description": "Number 1",
            "timeline": [{"name": "ProposalCreated", "blockNumber": 5}],
            "votes": {"nodes": [{"voter": to_checksum_address(address(1)), "proposal": {"number": 1}}]},
        },
        {"number": 0, "description": None, "timeline": [], "votes": {"nodes": []}},
    ]
    found = await server.post(
        "/graphql",
        json={"query": f'{{ proposal(id: "{ids[0]}") {{ number }} none: proposal(id: "7") {{ number }} }}'},
    )
    assert found.json()["data"] == {"proposal": {"number": 0}, "none": None}
