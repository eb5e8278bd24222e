"""A runner with nothing to do asks its node next to nothing, and loads nothing that it does not use."""

import asyncio
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from devnet.accounts import LOCAL
from protocol.deployment import save_deployment
from runner.daemon import run_daemon
from runner.settings import RunnerSettings
from tests.runner.bench import Bench
from tests.runner.proxy import Proxy

BLOCKS = 40


class Counting(Proxy):
    """Counts the calls that pass, by method; a block asked for is counted once, however often it was not there yet."""

    def __init__(self, upstream: str) -> None:
        super().__init__(upstream)
        self.calls: Counter[str] = Counter()
        self.heads: set[str] = set()

    async def pass_on(self, request):
        asked = json.loads(await request.read())
        response = await super().pass_on(request)
        if asked["method"] == "eth_getBlockByNumber" and asked["params"][0] == "latest":
            self.heads.add(json.loads(response.body)["result"]["hash"])
        else:
            self.calls[asked["method"]] += 1
        return response


@pytest.fixture
def settings(bench: Bench, tmp_path: Path) -> RunnerSettings:
    save_deployment(bench.chain.deployment, folder=tmp_path / "deployments")
    return RunnerSettings(
        _env_file=None,
        filecoin_rpc=bench.anvil.url,
        deployments_dir=tmp_path / "deployments",
        ipfs_api=bench.ipfs_api,
        ollama_url=bench.engine_url,
        runner_home=tmp_path / "home",
        runner_private_key=LOCAL.node(0).key.hex(),
        runner_learning=True,
    )


async def test_an_idle_runner_costs_its_node_less_than_two_calls_a_block(
    bench: Bench, settings: RunnerSettings
) -> None:
    async with Counting(bench.anvil.url).serving() as node:
        quiet = settings.model_copy(update={"filecoin_rpc": node.url})
        daemon = asyncio.create_task(run_daemon(quiet, quiet.account()))
        try:
            await _seen(bench, node, daemon)
            await bench.anvil.mine(1)
            await asyncio.sleep(1.5)  # the profile is published, and what was before it is read
            node.calls.clear()
            node.heads.clear()
            for _ in range(BLOCKS):
                await bench.anvil.mine(1)
                await _seen(bench, node, daemon)
        finally:
            daemon.cancel()
            await asyncio.gather(daemon, return_exceptions=True)
    assert len(node.heads) <= BLOCKS + 2  # its own transactions for an epoch make blocks too
    assert node.calls.total() < BLOCKS, node.calls


async def _seen(bench: Bench, node: Counting, daemon: asyncio.Task[None]) -> None:
    """Wait until the runner has seen the chain's newest block."""
    newest = (await bench.chain.w3.eth.get_block("latest"))["hash"].to_0x_hex()
    async with asyncio.timeout(60):
        while newest not in node.heads:
            assert not daemon.done(), daemon.exception()
            await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    ("module", "heavy"),
    [("runner.__main__", ("torch", "web3", "ollama")), ("runner.daemon", ("torch", "sklearn"))],
)
def test_what_a_process_does_not_use_it_does_not_load(module: str, heavy: tuple[str, ...]) -> None:
    told = f"import sys, {module}; print(sorted(set(sys.modules) & {set(heavy)}))"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
