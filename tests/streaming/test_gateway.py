"""The gateway through the public `openai` client, unmodified."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import openai
import pytest

from client.gateway.app import Gateway
from client.gateway.lines import Budget, Lines
from client.offers import Market
from devnet.accounts import LOCAL
from devnet.anvil import Anvil
from protocol.chain import Chain
from protocol.money import USDFC
from protocol.sender import Sender
from protocol.streaming import Tariff
from tests.streaming.counter import NODE, Shop, served, shop
from tests.streaming.test_faults import at, event, killed

TOKEN = "a-token"
QUESTION = [{"role": "user", "content": "What is the capital of France?"}]


class KnownMarket(Lines):
    """Lines whose market is known: who offers what is another test's subject."""

    def know(self, shop: Shop, *more: object) -> "KnownMarket":
        self._known_market = Market(offers=(*more, shop.offer), unread=0)  # type: ignore[arg-type]
        return self

    async def market(self) -> Market:
        return self._known_market


@pytest.fixture
async def lines(both: Shop) -> KnownMarket:
    budget = Budget(deposit=USDFC // 100, total=USDFC // 50)
    made = KnownMarket(None, both.channels, budget, http=both.http, deliveries=both.deliveries)  # type: ignore[arg-type]
    return made.know(both)


@pytest.fixture
async def client(lines: KnownMarket) -> AsyncIterator[openai.AsyncOpenAI]:
    async with served(Gateway(lines, token=TOKEN).starlette()) as url:
        yield openai.AsyncOpenAI(base_url=f"{url}/v1", api_key=TOKEN, max_retries=0)


async def test_a_stream_reads_as_openais(client: openai.AsyncOpenAI, both: Shop) -> None:
    stream = await client.chat.completions.create(
        model=both.offer.name, messages=QUESTION, stream=True, temperature=0, max_tokens=40
    )
    events = [event async for event in stream]
    assert "Paris" in "".join(event.choices[0].delta.content or "" for event in events if event.choices)
    assert events[-1].choices[0].finish_reason == "stop"
    assert {event.model for event in events} == {both.offer.reference}


async def test_a_whole_answer_comes_with_its_tokens_counted(client: openai.AsyncOpenAI, both: Shop) -> None:
    answer = await client.chat.completions.create(
        model=both.offer.reference, messages=QUESTION, temperature=0, max_tokens=40
    )
    assert "Paris" in (answer.choices[0].message.content or "")
    assert answer.usage is not None
    assert answer.usage.prompt_tokens > 10
    assert answer.usage.completion_tokens > 3


async def test_usage_comes_at_the_end_of_a_stream_that_asks_for_it(
    client: openai.AsyncOpenAI, both: Shop
) -> None:
    stream = await client.chat.completions.create(
        model=both.offer.name,
        messages=QUESTION,
        stream=True,
        temperature=0,
        stream_options={"include_usage": True},
    )
    counted = [event.usage async for event in stream if event.usage]
    assert [usage.total_tokens > 0 for usage in counted] == [True]


async def test_a_second_prompt_takes_the_channel_that_is_open(client: openai.AsyncOpenAI, both: Shop) -> None:
    for _ in range(3):
        await client.chat.completions.create(model=both.offer.name, messages=QUESTION, max_tokens=8)
    assert len(both.channels.book.entries()) == 1


async def test_the_gateways_models_are_those_that_runners_stream(
    client: openai.AsyncOpenAI, both: Shop
) -> None:
    assert {model.id async for model in client.models.list()} == {both.offer.name, both.offer.reference}


async def test_another_key_than_the_printed_one_is_refused(client: openai.AsyncOpenAI) -> None:
    with pytest.raises(openai.AuthenticationError):
        await client.with_options(api_key="guess").models.list()


async def test_an_unknown_model_is_told_with_what_is_offered(client: openai.AsyncOpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="smollm2"):
        await client.chat.completions.create(model="gpt-9", messages=QUESTION)


async def test_a_runner_that_is_gone_is_passed_over(
    client: openai.AsyncOpenAI, both: Shop, lines: KnownMarket
) -> None:
    gone = type(both.offer)(
        **{name: getattr(both.offer, name) for name in both.offer.__slots__}
        | {
            "node": LOCAL.node(1).address,
            "owner": LOCAL.owner(1).address,
            "url": "http://127.0.0.1:9",
            "output_price": 1,
        }
    )
    lines.know(both, gone)
    answer = await client.chat.completions.create(model=both.offer.name, messages=QUESTION, max_tokens=20)
    assert answer.choices[0].message.content


async def test_no_more_than_the_budget_is_locked(both: Shop, lines: KnownMarket) -> None:
    async with served(Gateway(lines, token=TOKEN).starlette()) as url:
        client = openai.AsyncOpenAI(base_url=f"{url}/v1", api_key=TOKEN, max_retries=0)
        lines._budget = Budget(deposit=USDFC, total=USDFC // 2)
        with pytest.raises(openai.APIStatusError, match="budget") as refused:
            await client.chat.completions.create(model=both.offer.name, messages=QUESTION)
    assert refused.value.status_code == 402
    assert both.channels.book.entries() == []


async def test_a_channel_that_runs_low_is_filled_up_within_the_budget(
    client: openai.AsyncOpenAI, both: Shop, lines: KnownMarket
) -> None:
    lines._budget = Budget(deposit=USDFC // 1_000_000, total=USDFC)
    await client.chat.completions.create(model=both.offer.name, messages=QUESTION, max_tokens=40)
    (entry,) = both.channels.book.entries()
    assert entry.deposited > USDFC // 1_000_000
    assert entry.left >= 0


async def test_an_answer_survives_the_death_of_the_gateway_between_two_prompts(
    chain: Chain, engine_url: str, tmp_path: Path, anvil: Anvil
) -> None:
    spent = []
    for _ in range(2):
        async with shop(chain, engine_url, tmp_path) as opened:
            budget = Budget(deposit=USDFC // 100, total=USDFC // 50)
            lines = KnownMarket(
                None,
                opened.channels,
                budget,
                http=opened.http,
                deliveries=opened.deliveries,  # type: ignore[arg-type]
            ).know(opened)
            async with served(Gateway(lines, token=TOKEN).starlette()) as url:
                client = openai.AsyncOpenAI(base_url=f"{url}/v1", api_key=TOKEN, max_retries=0)
                await client.chat.completions.create(model=opened.offer.name, messages=QUESTION, max_tokens=8)
            (entry,) = opened.channels.book.entries()
            spent.append(entry.promised)
    assert 0 < spent[0] < spent[1]
    assert NODE.address == entry.channel.node


async def test_prompts_that_come_at_once_find_their_channel_filled_for_each(
    client: openai.AsyncOpenAI, both: Shop, lines: KnownMarket
) -> None:
    """Each waits for the one before it, which uses up what there was when all of them came."""
    lines._budget = Budget(deposit=1, total=USDFC)
    asked = [
        client.chat.completions.create(model=both.offer.name, messages=QUESTION, temperature=0, max_tokens=24)
        for _ in range(4)
    ]
    for answer in await asyncio.gather(*asked):
        assert answer.choices[0].finish_reason in ("stop", "length")
    (entry,) = both.channels.book.entries()
    assert entry.promised <= entry.deposited


async def test_a_runner_that_is_killed_in_the_middle_is_told_as_an_error(
    client: openai.AsyncOpenAI, both: Shop, lines: KnownMarket
) -> None:
    async with killed(event("Paris")) as url:
        lines._known_market = Market(offers=(at(both, url),), unread=0)  # type: ignore[arg-type]
        with pytest.raises(openai.APIStatusError, match="broke off") as whole:
            await client.chat.completions.create(model=both.offer.name, messages=QUESTION)
        stream = await client.chat.completions.create(model=both.offer.name, messages=QUESTION, stream=True)
        with pytest.raises(openai.APIError, match="broke off"):
            [event async for event in stream]
    assert whole.value.status_code == 502


async def test_a_channel_that_the_runner_closed_is_not_asked_for_ever(
    client: openai.AsyncOpenAI, both: Shop, chain: Chain
) -> None:
    await client.chat.completions.create(model=both.offer.name, messages=QUESTION, max_tokens=4)
    (entry,) = both.channels.book.entries()
    await Sender(chain, NODE).send(chain.wallet.functions.close(entry.channel.as_tuple()), label="close")
    both.till.forget_funds(entry.channel_id)
    with pytest.raises(openai.APIStatusError, match="closing"):
        await client.chat.completions.create(model=both.offer.name, messages=QUESTION, max_tokens=4)
    answer = await client.chat.completions.create(model=both.offer.name, messages=QUESTION, max_tokens=4)
    assert answer.choices[0].message.content


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (
            '{"model": "%s", "messages": [{"role": "user", "content": "hi"}], "max_tokens": "many"}',
            "max_tokens",
        ),
        ('{"model": "%s", "messages": [{"role": "user", "content": "hi"}], "max_tokens": -3}', "max_tokens"),
        (
            '{"model": "%s", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 1e400}',
            "max_tokens",
        ),
        ('{"model": "%s", "messages": [{"role": "user", "content": "hi"}], "temperature": NaN}', "NaN"),
        ('{"model": "%s", "messages": [{"role": "user", "content": "\\ud800"}]}', "JSON"),
        ('{"model": "%s", "messages": [{"role": "tool", "content": "4"}]}', "messages.0.role"),
        ('{"model": "%s", "messages": [{"role": "user", "content": "hi"}], "stop": [7]}', "stop"),
        ('{"model": "%s", "messages": "hi"}', "messages"),
    ],
)
async def test_a_malformed_request_is_told_what_is_wrong_with_it(
    client: openai.AsyncOpenAI, both: Shop, body: str, word: str
) -> None:
    answer = await httpx.AsyncClient(timeout=60).post(
        f"{client.base_url}chat/completions",
        content=(body % both.offer.name).encode(),
        headers={"authorization": f"Bearer {TOKEN}", "content-type": "application/json"},
    )
    assert answer.status_code == 400
    assert word in answer.json()["error"]["message"]


async def test_an_answer_that_nobody_waits_for_any_more_is_not_paid_to_its_end(
    client: openai.AsyncOpenAI, both: Shop, lines: KnownMarket
) -> None:
    asked = client.chat.completions.create(
        model=both.offer.name, messages=[{"role": "user", "content": "Tell a long story."}], max_tokens=1_000
    )
    waiting = asyncio.create_task(asked)
    while not any(entry.promised for entry in both.channels.book.entries()):  # noqa: ASYNC110 (a file's)
        await asyncio.sleep(0.02)
    waiting.cancel()
    await asyncio.wait({waiting})
    (line,) = lines._lines.values()
    async with asyncio.timeout(60), line.busy:
        tariff = Tariff(both.offer.input_price, both.offer.output_price)
        assert line.entry.promised < tariff.cost(0, 500)
