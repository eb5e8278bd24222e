"""The daemon as an owner runs it: a process of its own, signalled, killed, started again."""

import asyncio
import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from devnet.accounts import LOCAL
from devnet.ports import free_port
from protocol.deployment import save_deployment
from protocol.documents import RunnerProfile, parse_document
from protocol.enums import TaskStatus
from protocol.errors import ParityError
from runner.errors import JournalError
from runner.jobs import Job, Stage
from runner.journal import Journal, journal_path
from runner.monitoring.openings import Openings
from runner.status import read_status
from tests.runner.bench import Bench


class Owner:
    """Runs `parity-runner` for runner 0, with an environment of its own."""

    def __init__(self, bench: Bench, home: Path) -> None:
        self.home = home
        self.bench = bench
        save_deployment(bench.chain.deployment, folder=home / "deployments")
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "FILECOIN_RPC": bench.anvil.url,
            "DEPLOYMENTS_DIR": str(home / "deployments"),
            "IPFS_API": bench.ipfs_api,
            "OLLAMA_URL": bench.engine_url,
            "RUNNER_HOME": str(home),
            "RUNNER_PRIVATE_KEY": LOCAL.node(0).key.hex(),
            "RUNNER_COMPARED_PROMPTS": "true",
            "RUNNER_HEARTBEAT_INTERVAL_S": "0.5",
        }
        self.processes: list[asyncio.subprocess.Process] = []
        self.mining = asyncio.ensure_future(self._mine())

    async def _mine(self) -> None:
        while True:
            await self.bench.anvil.mine()
            await asyncio.sleep(0.2)

    async def start(
        self, command: str = "runner", *arguments: str, **environment: str
    ) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "runner", command, *arguments),
            env=self.environment | environment,
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=(self.home / "log").open("ab"),
        )
        self.processes.append(process)
        return process

    async def running(self, **environment: str) -> asyncio.subprocess.Process:
        """Start the daemon and wait until it has seen the chain and offers its model."""
        process = await self.start(**environment)
        await until(lambda: bool(self.beat().get("pid") == process.pid and self.beat()["models"]))
        return process

    async def ask(self, command: str, *arguments: str) -> str:
        process = await self.start(command, *arguments)
        out, _ = await process.communicate()
        assert process.returncode == 0, self.log()
        return out.decode()

    def beat(self) -> dict:
        with contextlib.suppress(
            ParityError, sqlite3.OperationalError
        ):  # no journal yet, or one in the making
            return read_status(self.home, chain_id=31337).heartbeat or {}
        return {}

    def jobs(self) -> tuple[Job, ...]:
        with contextlib.suppress(ParityError, sqlite3.OperationalError):
            return read_status(self.home, chain_id=31337).jobs
        return ()

    def stage(self, task: bytes) -> Stage | None:
        with contextlib.suppress(KeyError, JournalError), self._journal() as journal:
            return journal.job(task).stage
        return None

    def sealed(self) -> list[int]:
        """List the rounds of monitoring whose sealed reports are still to be revealed."""
        with contextlib.suppress(JournalError), self._journal() as journal:
            return Openings(journal).due()
        return []

    def _journal(self) -> contextlib.AbstractContextManager[Journal]:
        genesis_hash = self.bench.chain.deployment.genesis_hash
        path = journal_path(self.home, chain_id=31337, genesis_hash=genesis_hash, node=LOCAL.node(0).address)
        return Journal.open(path, exclusive=False)

    def log(self) -> str:
        return (self.home / "log").read_text()


async def until(condition: Callable[[], bool], *, every_s: float = 0.05, within_s: float = 180.0) -> None:
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 (another process rings no bell here)
            await asyncio.sleep(every_s)


@pytest.fixture
async def owner(bench: Bench, tmp_path: Path) -> AsyncIterator[Owner]:
    """An owner of runner 0 on a chain that mines by itself."""
    bench.claim_for = 2_000  # a busy machine starts a daemon slowly
    made = Owner(bench, tmp_path)
    yield made
    made.mining.cancel()
    for process in made.processes:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def ended(process: asyncio.subprocess.Process) -> int:
    async with asyncio.timeout(120):
        return await process.wait()


async def final(bench: Bench, task: bytes) -> None:
    async with asyncio.timeout(180):
        while await bench.status(task) is not TaskStatus.FINAL:  # noqa: ASYNC110 (as above)
            await asyncio.sleep(0.1)


async def test_a_daemon_publishes_what_it_offers_answers_a_prompt_and_stops_at_once_on_sigterm(
    bench: Bench, owner: Owner
) -> None:
    process = await owner.running()
    task = await bench.submit()
    await final(bench, task)
    await until(lambda: owner.stage(task) is Stage.SETTLED)
    changes = await bench.chain.reputation.events.RunnerProfileChanged.get_logs(from_block=0)
    ours = [log for log in changes if log["args"]["node"] == LOCAL.node(0).address]
    assert len(ours) == 1
    profile = parse_document(await bench.store.get(bytes(ours[0]["args"]["profile"])))
    assert isinstance(profile, RunnerProfile)
    assert [model.name for model in profile.models] == ["smollm2:135m"]
    process.send_signal(signal.SIGTERM)
    assert await ended(process) == 0
    shown = await owner.ask("status")
    assert "daemon   not running" in shown
    assert "settled" in shown
    assert "USDFC" in shown


async def test_a_runner_whose_engine_is_away_publishes_its_other_work(bench: Bench, owner: Owner) -> None:
    await owner.start(OLLAMA_URL="http://127.0.0.1:1", RUNNER_ENGINE_PATIENCE_S="0")
    changed = bench.chain.reputation.events.RunnerProfileChanged
    async with asyncio.timeout(120):
        while not (changes := await changed.get_logs(from_block=0)):  # noqa: ASYNC110 (as above)
            await asyncio.sleep(0.1)
    profile = parse_document(await bench.store.get(bytes(changes[-1]["args"]["profile"])))
    assert isinstance(profile, RunnerProfile)
    assert profile.models == ()


async def test_kill_minus_nine_at_each_stage_that_can_be_seen_costs_nothing(
    bench: Bench, owner: Owner
) -> None:
    task = await bench.submit()
    killed_at: list[Stage] = []
    for _ in Stage:  # more starts than stages that can be killed, so that the last one lives
        process = await owner.start()
        while (stage := owner.stage(task)) in (None, Stage.WAITING, *killed_at):  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        if stage is Stage.SETTLED:
            break
        process.kill()
        killed_at.append(stage)
        await process.wait()
    await until(lambda: owner.stage(task) is Stage.SETTLED)
    assert Stage.CLAIMING in killed_at or Stage.CLAIMED in killed_at
    for event in ("SeatClaimed", "SeatRevealed"):  # a sole seat commits to nothing
        assert len(await bench.logs(event, task)) == 1
    assert await bench.status(task) is TaskStatus.FINAL


async def test_the_first_interrupt_finishes_what_has_a_seat_and_claims_nothing_more(
    bench: Bench, owner: Owner
) -> None:
    process = await owner.running()
    task = await bench.submit(replicas=3, quorum=2)
    await until(lambda: owner.stage(task) is Stage.STORED)
    process.send_signal(signal.SIGINT)
    await until(lambda: bool(owner.beat().get("draining")))
    left_alone = await bench.submit()
    others = [await bench.hand(1, home=owner.home / "1"), await bench.hand(2, home=owner.home / "2")]
    await bench.run(task, *others, blocks=400)
    assert await ended(process) == 0
    assert owner.stage(task) is Stage.SETTLED
    assert await bench.logs("SeatClaimed", left_alone) == []


async def test_the_second_interrupt_stops_at_once(bench: Bench, owner: Owner) -> None:
    process = await owner.running()
    task = await bench.submit(replicas=3, quorum=2)
    await until(lambda: owner.stage(task) is Stage.STORED)
    process.send_signal(signal.SIGINT)
    await until(lambda: bool(owner.beat().get("draining")))
    process.send_signal(signal.SIGINT)
    assert await ended(process) == 0
    assert owner.stage(task) is Stage.STORED


async def test_status_explains_and_drain_stops_an_idle_daemon(bench: Bench, owner: Owner) -> None:
    process = await owner.running()
    model = "llama9:1t@sha256:" + "0" * 64
    task = await bench.submit(await bench.spec(model=model))
    await until(lambda: any(job.reason for job in owner.jobs()))
    shown = json.loads(await owner.ask("status", "--json"))
    assert shown["running"] is True
    (job,) = shown["jobs"]
    assert job["taskId"] == "0x" + task.hex()
    assert (job["stage"], job["reason"]) == ("waiting", f"model: {model} is not offered here")
    assert "draining" in await owner.ask("drain")
    assert await ended(process) == 0
    assert "no daemon is running" in await owner.ask("drain")


async def test_a_daemon_that_serves_streams_stops_without_a_complaint(owner: Owner) -> None:
    process = await owner.running(RUNNER_PORT=str(free_port()))
    await until(lambda: "streams_served" in owner.log())
    process.send_signal(signal.SIGTERM)
    assert await ended(process) == 0
    assert "Traceback" not in owner.log()


async def test_draining_waits_until_what_was_sealed_about_others_is_revealed(
    bench: Bench, owner: Owner
) -> None:
    process = await owner.running()
    owner.mining.cancel()  # a block while the drain is asked for could open the time of revealing
    while not owner.sealed():
        await bench.anvil.mine()
        await asyncio.sleep(0.2)
    await owner.ask("drain")
    await until(lambda: bool(owner.beat().get("draining")))
    assert process.returncode is None
    while process.returncode is None:
        await bench.anvil.mine(2)
        await asyncio.sleep(0.05)
    assert await ended(process) == 0
    assert owner.sealed() == []
    assert "revealReports" in owner.log()


async def test_a_second_daemon_with_the_same_key_is_refused(owner: Owner) -> None:
    await owner.running()
    second = await owner.start()
    assert await ended(second) == 2
    assert "another runner with this node key is running" in owner.log()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"RUNNER_PRIVATE_KEY": LOCAL.outsider.key.hex()}, "is not registered as a runner"),
        ({"RUNNER_PRIVATE_KEY": "0xabc"}, "RUNNER_PRIVATE_KEY: not a private key"),
        ({"FILECOIN_CHAIN_ID": "314159"}, "314159"),
    ],
)
async def test_a_wrong_setting_is_named_and_nothing_is_started(
    owner: Owner, changes: dict[str, str], said: str
) -> None:
    process = await owner.start(**changes)
    assert await ended(process) == 2
    assert said in owner.log()
    assert "hint: " in owner.log()
    assert LOCAL.outsider.key.hex() not in owner.log()


async def test_no_key_and_no_prompt_reaches_the_log(bench: Bench, owner: Owner) -> None:
    await owner.running()
    task = await bench.submit()
    await until(lambda: owner.stage(task) is Stage.SETTLED)
    assert LOCAL.node(0).key.hex().removeprefix("0x") not in owner.log()
    assert "capital of France" not in owner.log()
    assert "Paris" not in owner.log()


async def test_doctor_proves_the_box_and_names_what_is_missing(owner: Owner) -> None:
    found = json.loads(await owner.ask("doctor", "--json"))
    assert [finding["subject"] for finding in found] == ["chain", "IPFS", "engine", "sandbox", "training"]
    assert all(finding["fine"] for finding in found[:3])
    process = await owner.start("doctor", OLLAMA_URL="http://127.0.0.1:1")
    shown, _ = await process.communicate()
    assert process.returncode == 1
    assert "FAIL  engine" in shown.decode()
    assert "hint: Start it, or set OLLAMA_URL" in shown.decode()
