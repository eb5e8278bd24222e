"""Who pays what, when: neither side is ever more than one chunk ahead of the other."""

import json
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from client.gateway.events import StreamBroken
from client.gateway.line import RunnerRefused
from devnet.accounts import LOCAL
from devnet.anvil import Anvil
from protocol.chain import Chain
from protocol.money import USDFC
from protocol.streaming import (
    CHUNK_TOKENS,
    PAY_EVERY,
    PAYMENT_HEADER,
    Payment,
    Receipt,
    Tariff,
    prompt_tokens,
)
from protocol.voucher import sign_voucher
from runner.streaming import answering
from tests.streaming.counter import NODE, OWNER, PAYER, TURNS, Shop, served, shop


async def free(chain: Chain, account: str) -> int:
    return int((await chain.call(chain.wallet.functions.accountOf(account)))[0])


def body(shop: Shop, **changes: object) -> dict[str, object]:
    return {"model": shop.offer.name, "messages": TURNS, "stream": True, "temperature": 0, **changes}


async def payment(
    shop: Shop, *, cumulative: int, signer: object = PAYER, deposit: int = USDFC
) -> dict[str, str]:
    entry = await shop.channels.open(node=NODE.address, owner=OWNER.address, amount=deposit)
    voucher = sign_voucher(entry.channel_id, cumulative, shop.channels.domain, account=signer)  # type: ignore[arg-type]
    return {PAYMENT_HEADER: Payment(channel=entry.channel, voucher=voucher).to_header()}


async def test_an_answer_costs_what_its_tokens_cost_and_not_a_unit_more(both: Shop) -> None:
    line = await both.line()
    text = await both.answer(line)
    assert len(text) > 2 * PAY_EVERY
    await both.delivered(line)
    tab = both.tabs.tab(line.entry.channel_id)
    assert tab is not None
    assert tab.earned == tab.promised == line.entry.spent
    assert 0 < tab.earned <= Tariff(both.offer.input_price, both.offer.output_price).cost(200, 60)


async def test_a_second_prompt_builds_on_what_the_first_one_cost(both: Shop) -> None:
    line = await both.line()
    await both.answer(line)
    first = line.entry.promised
    await both.answer(line, [{"role": "user", "content": "What is the capital of France?"}])
    await both.delivered(line)
    tab = both.tabs.tab(line.entry.channel_id)
    assert tab is not None
    assert line.entry.promised > first
    assert tab.earned == line.entry.spent


async def test_without_vouchers_the_runner_gives_one_chunk_and_no_more(
    both: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answering, "PATIENCE_S", 0.3)
    prompt = Tariff(both.offer.input_price, both.offer.output_price).cost(prompt_tokens(TURNS), 0)
    headers = await payment(both, cumulative=prompt)
    given, errors = 0, []
    async with both.http.stream(
        "POST", f"{both.url}/v1/chat/completions", json=body(both), headers=headers
    ) as answer:
        async for line in answer.aiter_lines():
            if line.startswith("data: {"):
                event = json.loads(line.removeprefix("data: "))
                given += event.get("parity_tokens", 0)
                errors += [event["error"]["code"]] if "error" in event else []
    assert errors == ["payment_stopped"]
    assert PAY_EVERY < given <= CHUNK_TOKENS


@pytest.mark.parametrize(
    ("cumulative", "signer", "deposit", "code"),
    [
        (0, PAYER, USDFC, "voucher_too_low"),
        (USDFC // 2, LOCAL.outsider, USDFC, "bad_signature"),
        (USDFC, PAYER, USDFC // 2, "channel_exhausted"),
    ],
)
async def test_a_voucher_that_does_not_pay_is_refused_before_anything_is_given(
    both: Shop, cumulative: int, signer: object, deposit: int, code: str
) -> None:
    headers = await payment(both, cumulative=cumulative, signer=signer, deposit=deposit)
    answer = await both.http.post(f"{both.url}/v1/chat/completions", json=body(both), headers=headers)
    assert answer.status_code == 402
    assert answer.json()["error"]["code"] == code
    assert answer.json()["error"]["hint"]


async def test_a_channel_that_the_chain_does_not_know_is_refused(both: Shop, anvil: Anvil) -> None:
    before = await anvil.rpc("evm_snapshot")
    headers = await payment(both, cumulative=USDFC // 10)
    await anvil.rpc("evm_revert", before)
    answer = await both.http.post(f"{both.url}/v1/chat/completions", json=body(both), headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (402, "channel_unknown")


async def test_a_runner_that_claims_more_than_it_gave_is_promised_no_more_than_it_gave(both: Shop) -> None:
    async def lie(_request: Request) -> Response:
        async def events():  # type: ignore[no-untyped-def]
            for number in range(10):
                delta = {"choices": [{"index": 0, "delta": {"content": "x"}, "finish_reason": None}]}
                yield f"data: {json.dumps({**delta, 'parity_tokens': 500})}\n\n".encode()
                yield f": parity-due {USDFC * (number + 1) // 20} 4000000 999999\n\n".encode()
            yield b"data: [DONE]\n\n"

        return StreamingResponse(events(), media_type="text/event-stream")

    async def take(_request: Request) -> Response:
        return JSONResponse({})

    routes = [
        Route("/v1/chat/completions", lie, methods=["POST"]),
        Route("/v1/parity/vouchers", take, methods=["POST"]),
    ]
    async with served(Starlette(routes=routes)) as url:
        line = await both.line(offer=type(both.offer)(**{**_fields(both.offer), "url": url}))
        assert await both.answer(line) == "x" * 10
    most = Tariff(both.offer.input_price, both.offer.output_price).cost(
        sum(len(t["content"]) for t in TURNS) + 128, 11
    )
    assert line.entry.promised <= most


async def test_a_runner_that_breaks_off_has_cost_the_prompt_and_what_arrived(both: Shop) -> None:
    async def cut(_request: Request) -> Response:
        async def events():  # type: ignore[no-untyped-def]
            delta = {"choices": [{"index": 0, "delta": {"content": "x"}, "finish_reason": None}]}
            yield f"data: {json.dumps({**delta, 'parity_tokens': 1})}\n\n".encode()

        return StreamingResponse(events(), media_type="text/event-stream")

    async with served(Starlette(routes=[Route("/v1/chat/completions", cut, methods=["POST"])])) as url:
        line = await both.line(offer=type(both.offer)(**{**_fields(both.offer), "url": url}))
        with pytest.raises(StreamBroken, match="broke off"):
            await both.answer(line)
    assert line.entry.promised == Tariff(both.offer.input_price, both.offer.output_price).cost(
        prompt_tokens(TURNS), 0
    )


async def test_an_answer_that_the_client_leaves_is_owed_only_as_far_as_it_went(both: Shop) -> None:
    line = await both.line()
    stream = line.ask({"messages": TURNS, "max_tokens": 60, "temperature": 0}, TURNS)
    texts = []
    async for chunk in stream:
        texts.append(chunk.text)
        if len(texts) == 5:
            break
    await stream.aclose()
    assert await both.answer(line, [{"role": "user", "content": "What is the capital of France?"}])
    tab = both.tabs.tab(line.entry.channel_id)
    assert tab is not None
    tariff = Tariff(both.offer.input_price, both.offer.output_price)
    assert abs(tab.earned - line.entry.spent) <= tariff.cost(0, CHUNK_TOKENS)


async def test_a_receipt_is_signed_by_the_node_over_what_was_asked_and_answered(both: Shop) -> None:
    headers = await payment(both, cumulative=USDFC // 10)
    answer = await both.http.post(
        f"{both.url}/v1/chat/completions", json=body(both, max_tokens=8), headers=headers
    )
    (line,) = [line for line in answer.text.splitlines() if line.startswith(": parity-receipt ")]
    receipt = Receipt.from_json(line.removeprefix(": parity-receipt "))
    assert receipt.signer(both.channels.domain) == NODE.address
    assert receipt.output_tokens == 8
    assert receipt.fingerprint != bytes(32)


async def test_what_was_promised_becomes_the_owners_balance(both: Shop, chain: Chain) -> None:
    line = await both.line()
    await both.answer(line)
    await both.delivered(line)
    before = await free(chain, OWNER.address)
    assert await both.redeemer().redeem(everything=True) == line.entry.promised
    assert await free(chain, OWNER.address) - before == line.entry.promised
    assert await both.redeemer().redeem(everything=True) == 0


async def test_small_sums_wait_for_company_unless_their_channel_closes(both: Shop, chain: Chain) -> None:
    line = await both.line()
    await both.answer(line)
    await both.delivered(line)
    assert await both.redeemer(least=USDFC).redeem() == 0
    await both.channels.close(line.entry)
    both.till.forget_funds(line.entry.channel_id)
    assert await both.redeemer(least=USDFC).redeem() == line.entry.promised


async def test_a_closing_channel_is_served_no_more(both: Shop) -> None:
    line = await both.line()
    await both.channels.close(line.entry)
    with pytest.raises(RunnerRefused, match="closing") as refused:
        await both.answer(line)
    assert refused.value.may_try_another


async def test_what_is_left_comes_back_after_the_close_delay(both: Shop, chain: Chain, anvil: Anvil) -> None:
    line = await both.line()
    await both.answer(line)
    await both.delivered(line)
    await both.redeemer().redeem(everything=True)
    promised, before = line.entry.promised, await free(chain, PAYER.address)
    due = await both.channels.close(line.entry)
    assert due is not None
    assert await both.channels.collect() == 0
    await anvil.mine(due - await chain.block_number() + 1)
    assert await both.channels.collect() == USDFC - promised
    assert await free(chain, PAYER.address) - before == USDFC - promised
    assert both.channels.book.entries() == []


async def test_a_restarted_runner_and_client_go_on_where_they_were(
    chain: Chain, engine_url: str, tmp_path: Path
) -> None:
    async with shop(chain, engine_url, tmp_path) as first:
        line = await first.line()
        await first.answer(line)
        await first.delivered(line)
        identity, promised = line.entry.channel_id, line.entry.promised
    async with shop(chain, engine_url, tmp_path) as second:
        entry = second.channels.book.entry(identity)
        assert entry.promised == promised
        again = type(line)(
            second.channels, entry, second.offer, http=second.http, deliveries=second.deliveries
        )
        await second.answer(again)
        await second.delivered(again)
        assert await second.redeemer().redeem(everything=True) == again.entry.promised > promised


async def test_two_processes_cannot_promise_from_one_book(both: Shop, tmp_path: Path) -> None:
    from client.gateway.book import Book  # noqa: PLC0415 (what is tested)
    from protocol.errors import ConfigError  # noqa: PLC0415 (what is tested)

    with pytest.raises(ConfigError, match="another process"):
        Book.open(tmp_path / "book.sqlite")


async def test_whole_answers_are_the_gateways_business(both: Shop) -> None:
    headers = await payment(both, cumulative=USDFC // 10)
    answer = await both.http.post(
        f"{both.url}/v1/chat/completions", json=body(both, stream=False), headers=headers
    )
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "stream_only")


@pytest.mark.parametrize(
    ("changes", "status", "word"),
    [
        ({"messages": []}, 400, "messages"),
        ({"temperature": 9}, 400, "temperature"),
        ({"model": "gpt-9"}, 404, "model"),
        ({"messages": [{"role": "user", "content": "x" * 1_100_000}]}, 413, "body"),
    ],
)
async def test_bad_requests_are_told_by_field(
    both: Shop, changes: dict[str, object], status: int, word: str
) -> None:
    headers = await payment(both, cumulative=USDFC // 10)
    answer = await both.http.post(
        f"{both.url}/v1/chat/completions", json=body(both, **changes), headers=headers
    )
    assert answer.status_code == status
    assert answer.json()["error"]["message"].startswith(word)


async def test_a_prompt_without_payment_is_told_what_to_send(both: Shop) -> None:
    answer = await httpx.AsyncClient().post(f"{both.url}/v1/chat/completions", json=body(both))
    assert (answer.status_code, answer.json()["error"]["code"]) == (402, "payment_missing")


def _fields(offer: object) -> dict[str, object]:
    return {name: getattr(offer, name) for name in offer.__slots__}  # type: ignore[attr-defined]
