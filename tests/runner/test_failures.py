"""What a runner depends on fails: it says so, risks nothing meanwhile, and goes on when it is back."""

import asyncio
import random
import sqlite3
import time
from collections.abc import AsyncIterator

import pytest

from protocol.chain import Chain
from protocol.cid import digest_of
from protocol.documents import LlmOptions, ModelOffer, RunnerProfile, canonical
from protocol.enums import Mode, TaskStatus
from protocol.money import USDFC
from runner.daemon import Daemon
from runner.errors import JournalError
from runner.jobs import Stage
from runner.work import Work
from tests.runner import faulty_engine
from tests.runner.bench import Bench, Hand
from tests.runner.faulty_engine import FaultyEngine
from tests.runner.proxy import Proxy


@pytest.fixture
async def ipfs(ipfs_api: str) -> AsyncIterator[Proxy]:
    port = ipfs_api.split("/")[4]
    async with Proxy(f"http://127.0.0.1:{port}").serving() as proxy:
        yield proxy


@pytest.fixture
async def engine(engine_url: str) -> AsyncIterator[FaultyEngine]:
    proxy = FaultyEngine(engine_url)
    async with proxy.serving():
        yield proxy


def api_of(proxy: Proxy) -> str:
    return f"/ip4/127.0.0.1/tcp/{proxy.port}/http"


async def waits(bench: Bench, hand: Hand, task: bytes, *, blocks: int = 14) -> str:
    """Let a runner look at a task for some blocks; it must not claim. Give what it says about it."""
    for _ in range(blocks):
        await hand.look()
        await hand.step(task)
        await bench.anvil.mine()
    assert await bench.status(task) is TaskStatus.OPEN
    assert hand.journal.transactions(task) == []
    return hand.job(task).reason


async def test_a_spec_that_does_not_match_its_digest_is_never_claimed(bench: Bench, ipfs: Proxy) -> None:
    hand = await bench.hand(0, ipfs_api=api_of(ipfs))
    ipfs.change = lambda path, body: (
        body.replace(b"France", b"Norway") if "/get" in path or "/cat" in path else body
    )
    task = await bench.submit()
    reason = await waits(bench, hand, task)
    assert hand.job(task).stage is Stage.REFUSED
    assert reason.startswith("spec: ")
    assert "other content than asked for" in reason


@pytest.mark.parametrize(
    "content", [b"not json", b'{"kind":"llm","version":1}', b'{ "kind": "llm" }', b"\xff\xfe"]
)
async def test_content_that_is_no_spec_is_refused_with_the_reason(bench: Bench, content: bytes) -> None:
    hand = await bench.hand(0)
    task = await bench.submit(content)
    reason = await waits(bench, hand, task, blocks=3)
    assert hand.job(task).stage is Stage.REFUSED
    assert reason.startswith("spec: ")


async def test_a_document_that_is_no_work_is_refused(bench: Bench) -> None:
    hand = await bench.hand(0)
    offer = ModelOffer(name="m", digest="0" * 64, context=1, input_price="0", output_price="0")
    task = await bench.submit(RunnerProfile(label="x", models=(offer,), slots=1))
    assert await waits(bench, hand, task, blocks=3) == "spec: runner-profile is not work that is done here"


async def test_an_unknown_model_is_not_claimed_and_named(bench: Bench) -> None:
    hand = await bench.hand(0)
    model = "llama9:1t@sha256:" + "0" * 64
    task = await bench.submit(await bench.spec(model=model))
    assert await waits(bench, hand, task) == f"model: {model} is not offered here"


async def test_nothing_is_claimed_while_the_engine_is_down_and_all_is_when_it_is_back(
    bench: Bench, engine: FaultyEngine
) -> None:
    hand = await bench.hand(0, ollama_url=engine.url)
    engine.down = True
    task = await bench.submit()
    await waits(bench, hand, task)
    await bench.until_turn(hand, task)
    await hand.step(task)
    assert "is not available" in hand.job(task).reason
    engine.down = False
    await bench.run(task, hand)
    assert hand.job(task).paid


async def test_an_engine_that_fails_after_the_claim_is_tried_again(
    bench: Bench, engine: FaultyEngine
) -> None:
    hand = await bench.hand(0, ollama_url=engine.url)
    engine.faults.extend([faulty_engine.BUSY] * 3 + [faulty_engine.NO_COUNTS, faulty_engine.NO_JSON])
    task = await bench.submit()
    await bench.run(task, hand)
    assert hand.job(task).paid
    assert engine.generations == 6


async def test_garbage_from_the_engine_is_never_committed_to(bench: Bench, engine: FaultyEngine) -> None:
    hand = await bench.hand(0, ollama_url=engine.url)
    engine.faults.extend([faulty_engine.NO_COUNTS] * 1000)
    task = await bench.submit()
    for _ in range(20):
        await hand.look()
        await hand.step(task)
        await bench.anvil.mine()
    assert hand.job(task).stage is Stage.CLAIMED
    assert hand.job(task).reason == "the engine did not count its tokens"
    assert hand.job(task).salt is None
    await bench.anvil.mine(480)
    await bench.run(task, hand)
    job = hand.job(task)
    assert (job.stage, job.status, job.paid, job.slashed) == (Stage.SETTLED, TaskStatus.FAILED, 0, USDFC)
    assert await bench.logs("SeatCommitted", task) == []
    assert await bench.books_balance()


async def test_a_spec_that_ipfs_does_not_give_is_waited_for(bench: Bench, ipfs: Proxy) -> None:
    hand = await bench.hand(0, ipfs_api=api_of(ipfs))
    ipfs.down = True
    task = await bench.submit()
    reason = await waits(bench, hand, task)
    assert "not available from the IPFS node" in reason
    ipfs.down = False
    await bench.run(task, hand)
    assert hand.job(task).paid


async def test_a_spec_that_nobody_has_is_waited_for(bench: Bench) -> None:
    hand = await bench.hand(0, ipfs_timeout_s=0.5)
    task = await bench.submit(digest=digest_of(b"only a hash"))
    assert "not available" in await waits(bench, hand, task, blocks=2)
    assert hand.job(task).stage is Stage.WAITING


async def test_a_result_is_not_committed_to_before_ipfs_has_it(bench: Bench, ipfs: Proxy) -> None:
    hand = await bench.hand(0, ipfs_api=api_of(ipfs))
    task = await bench.submit()
    for _ in range(14):
        await hand.look()
        while hand.job(task).stage is not Stage.EXECUTED and await hand.step(task):
            pass
        if hand.job(task).stage is Stage.EXECUTED:
            break
        await bench.anvil.mine()
    ipfs.down = True
    for _ in range(3):
        await hand.look()
        await hand.step(task)
    assert hand.job(task).stage is Stage.EXECUTED
    assert await bench.logs("SeatCommitted", task) == []
    ipfs.down = False
    await bench.run(task, hand)
    assert hand.job(task).paid


async def test_steps_wait_while_the_chain_does_not_answer_and_go_on_when_it_does(bench: Bench) -> None:
    async with (
        Proxy(bench.anvil.url).serving() as rpc,
        Chain.connect(rpc.url, bench.chain.deployment) as chain,
    ):
        hand = await bench.hand(0, chain=chain)
        task = await bench.submit()
        await bench.anvil.mine(12)
        await hand.look()
        for _ in range(6):
            rpc.down = True
            assert not await hand.step(task)
            rpc.down = False
            await hand.step(task)
        await bench.run(task, hand)
        assert hand.job(task).paid


async def test_a_draining_runner_claims_nothing_new(bench: Bench) -> None:
    hand = await bench.hand(0)
    hand.parts.situation.draining = True
    task = await bench.submit()
    assert await waits(bench, hand, task) == "draining: no new claims"


async def test_no_more_seats_are_taken_than_there_are_slots(bench: Bench) -> None:
    hand = await bench.hand(0)
    first = await bench.submit(replicas=3, quorum=2)
    second = await bench.submit(replicas=3, quorum=2)
    await bench.anvil.mine(12)
    await hand.look()
    await hand.step(first)
    assert hand.job(first).stage is Stage.CLAIMING
    assert not await hand.step(second)
    assert hand.job(second).reason == "no free slot of 1"
    while await hand.step(first):
        pass
    assert await hand.step(second)


async def test_an_order_that_pays_too_little_is_left_alone(bench: Bench) -> None:
    hand = await bench.hand(0)
    spec = await bench.spec(options=LlmOptions(num_predict=1000))
    task = await bench.submit(canonical(spec), reward=USDFC // 10_000)
    assert (await waits(bench, hand, task, blocks=3)).startswith("price: ")


async def test_a_bond_above_the_owners_stake_is_waited_for(bench: Bench) -> None:
    hand = await bench.hand(0)
    task = await bench.submit(bond=401 * USDFC)
    assert (await waits(bench, hand, task, blocks=3)).startswith("bond: ")


async def test_the_watch_survives_a_chain_that_is_away_and_catches_up(bench: Bench) -> None:
    async with (
        Proxy(bench.anvil.url).serving() as rpc,
        Chain.connect(rpc.url, bench.chain.deployment) as chain,
    ):
        hand = await bench.hand(0, chain=chain)
        watching = asyncio.ensure_future(hand.watch.run())
        rpc.down = True
        task = await bench.submit()
        await bench.anvil.mine(3)
        await asyncio.sleep(0.5)
        assert hand.journal.live() == []
        rpc.down = False
        async with asyncio.timeout(20):
            while not hand.journal.live():
                await hand.parts.situation.news(since=hand.parts.situation.rings)
        assert hand.journal.live()[0].task_id == task
        watching.cancel()


async def test_a_journal_that_cannot_be_written_stops_the_daemon_with_a_remedy(bench: Bench) -> None:
    hand = await bench.hand(0)
    hand.journal._database.execute("PRAGMA query_only = 1")  # as a full disk would, every write fails
    with pytest.raises(JournalError, match="cannot be used any more") as caught:
        await Daemon(hand.parts).run()
    assert "disk space" in str(caught.value.hint)


async def test_a_full_disk_keeps_a_runner_from_promising_what_it_could_not_open(bench: Bench) -> None:
    hand = await bench.hand(0)
    task = await bench.submit(mode=Mode.AUDITED)  # its fingerprint fills pages
    await bench.until_turn(hand, task)
    await hand.step(task)
    assert hand.job(task).stage is Stage.CLAIMING
    database = hand.journal._database
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    used = database.execute("PRAGMA page_count").fetchone()[0]
    database.execute(f"PRAGMA max_page_count = {used}")  # from here on SQLite answers as on a full disk
    with pytest.raises(sqlite3.OperationalError, match="full"):
        await Work(hand.parts, task).step()
    assert hand.job(task).salt is None
    assert await bench.logs("SeatRevealed", task) == []
    database.execute(f"PRAGMA max_page_count = {used + 1_000}")
    await bench.run(task, hand, blocks=400)
    assert hand.job(task).paid
    assert hand.job(task).slashed == 0


@pytest.mark.parametrize("shift_s", [-86_400.0, 86_400.0, None], ids=["a day late", "a day early", "leaping"])
async def test_a_wrong_clock_changes_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, shift_s: float | None
) -> None:
    right, rng = time.time, random.Random(3)
    monkeypatch.setattr(
        time, "time", lambda: right() + (rng.uniform(-1e6, 1e6) if shift_s is None else shift_s)
    )
    hands = [await bench.hand(number) for number in range(3)]
    task = await bench.submit(replicas=3, quorum=2)
    await bench.run(task, *hands)
    assert all(hand.job(task).paid and not hand.job(task).slashed for hand in hands)
