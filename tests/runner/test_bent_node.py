"""A daemon whose node answers nonsense three times of ten: it loses nothing, does nothing twice, and goes on."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from eth_utils.abi import function_abi_to_4byte_selector

from devnet.accounts import LOCAL
from protocol.deployment import save_deployment
from protocol.enums import TaskStatus
from runner.daemon import run_daemon
from runner.jobs import Stage
from runner.journal import Journal, journal_path
from runner.settings import RunnerSettings
from tests.bent_node import BentNode
from tests.runner.bench import Bench, Hand

SHARE = 0.3
_DEEDS = ("claim", "commit", "reveal")
_BLOCK_S = 0.1


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_a_daemon_does_each_deed_once_and_loses_nothing_though_its_node_answers_nonsense(
    bench: Bench, tmp_path: Path, seed: int
) -> None:
    deployment, account = bench.chain.deployment, LOCAL.node(0)
    save_deployment(deployment, folder=tmp_path / "deployments")
    bench.claim_for = 120
    staked = await bench.stake(LOCAL.owner(0).address)
    beside = [await bench.hand(number) for number in (1, 2)]
    async with BentNode(bench.anvil.url, seed=seed, share=0).serving() as node:
        settings = RunnerSettings(
            _env_file=None,
            filecoin_rpc=node.url,
            deployments_dir=tmp_path / "deployments",
            ipfs_api=bench.ipfs_api,
            ollama_url=bench.engine_url,
            runner_home=tmp_path / "home",
            runner_compared_prompts=True,
            runner_slots=4,
        )
        daemon = asyncio.create_task(run_daemon(settings, account))
        try:
            path = journal_path(
                settings.home,
                chain_id=deployment.chain_id,
                genesis_hash=deployment.genesis_hash,
                node=account.address,
            )
            await _until(lambda: path.exists() and node.calls > 30, daemon)
            node.share = SHARE
            tasks = [*[await bench.submit() for _ in range(3)], await bench.submit(replicas=3, quorum=2)]
            async with asyncio.timeout(240):
                with contextlib.closing(Journal.open(path, exclusive=False)) as journal:
                    while not all(_is_over(journal, task) for task in tasks):
                        assert not daemon.done(), daemon.exception()
                        await _work(beside, tasks[-1])
                        await bench.anvil.mine(1)
                        await asyncio.sleep(_BLOCK_S)
                    jobs = [journal.job(task) for task in tasks]
        finally:
            daemon.cancel()
            await asyncio.gather(daemon, return_exceptions=True)
    assert node.bent > 20
    # A turn to claim may pass while the node answers nonsense; what was claimed is paid.
    done = [job for job in jobs if job.seat is not None]
    assert len(done) >= 2
    assert all((job.stage, job.slashed) == (Stage.SETTLED, 0) and job.paid for job in done)
    assert {await bench.status(job.task_id) for job in done} == {TaskStatus.FINAL}
    assert max((await _deeds(bench, account.address)).values()) == 1
    assert await bench.stake(LOCAL.owner(0).address) == staked
    assert await bench.books_balance()


def _is_over(journal: Journal, task: bytes) -> bool:
    try:
        return journal.job(task).stage.is_over
    except KeyError:
        return False  # not seen yet


async def _work(hands: list[Hand], task: bytes) -> None:
    """Let the other runners, whose node is sound, do what is due for the task of three seats."""
    for hand in hands:
        await hand.look()
        while await hand.step(task):
            pass


async def _deeds(bench: Bench, node: str) -> Counter[tuple[str, str]]:
    """Count a node's transactions that had an effect, by deed and task."""
    escrow = bench.chain.escrow
    selectors = {
        "0x" + function_abi_to_4byte_selector(escrow.get_function_by_name(name).abi).hex(): name
        for name in _DEEDS
    }
    found: Counter[tuple[str, str]] = Counter()
    for number in range(await bench.chain.block_number() + 1):
        block = await bench.chain.w3.eth.get_block(number, full_transactions=True)
        for transaction in block["transactions"]:
            text = transaction["input"].to_0x_hex()
            if transaction["from"] == node and (deed := selectors.get(text[:10])):
                receipt = await bench.chain.w3.eth.get_transaction_receipt(transaction["hash"])
                found[deed, text[10:74]] += receipt["status"]
    assert found
    return found


async def _until(ready: Callable[[], bool], daemon: asyncio.Task[None]) -> None:
    async with asyncio.timeout(60):
        while not ready():
            assert not daemon.done(), daemon.exception()
            await asyncio.sleep(0.05)
