"""Runners killed in the middle of a round end at the same bytes as if nothing had happened."""

import asyncio
import hashlib
import os
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path

import pytest

from devnet.accounts import LOCAL
from protocol.deployment import save_deployment
from protocol.enums import SessionPhase
from runner.federated.diary import Diary, diary_path
from runner.journal import journal_path
from tests.runner.federated.school import Lesson, School, model_file
from tests.runner.kills import Killer


@pytest.mark.parametrize(
    "secure", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["plain", "secure"]
)
async def test_a_runner_killed_at_every_boundary_keeps_its_promises(school: School, secure: bool) -> None:
    sections = {"secure_aggregation": {}} if secure else {}
    lesson = await school.session(3, **sections)
    killer = Killer()
    await school.runner(0, killer=killer)
    for number in (1, 2):
        await school.runner(number)

    sight = await school.ended(lesson)

    expected = model_file(lesson.config, lesson.simulated().progress.weights)
    assert sight.phase is SessionPhase.FINISHED
    assert sight.model == hashlib.sha256(expected).digest()
    assert [one.paid for one in (await school.rounds(lesson)).values()] == [0b111, 0b111]
    kept = "keep_state" if secure else "promise"
    act = "postMasking" if secure else "commitContribution"
    wanted = {
        f"before {kept}",
        f"after {kept}",
        f"before sending {act}",
        f"after sending {act}",
        "after secret",
    }
    assert wanted <= set(killer.boundaries)


class Daemon:
    """Runner 0 as its owner runs it."""

    def __init__(self, school: School) -> None:
        bench = school.bench
        self.home = bench.home / "daemon"
        save_deployment(bench.chain.deployment, folder=self.home / "deployments")
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "FILECOIN_RPC": bench.anvil.url,
            "DEPLOYMENTS_DIR": str(self.home / "deployments"),
            "IPFS_API": bench.ipfs_api,
            "OLLAMA_URL": bench.engine_url,
            "RUNNER_HOME": str(self.home),
            "RUNNER_PRIVATE_KEY": LOCAL.node(0).key.hex(),
            "RUNNER_MONITORING": "false",
            "RUNNER_AUDITING": "false",
        }
        deployment = bench.chain.deployment
        journal = journal_path(
            self.home,
            chain_id=deployment.chain_id,
            genesis_hash=deployment.genesis_hash,
            node=LOCAL.node(0).address,
        )
        self.diary: Path = diary_path(journal)

    async def start(self) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "runner", "runner"),
            env=self.environment,
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            stdout=(self.home / "log").open("ab"),
            stderr=subprocess.STDOUT,
        )

    async def has_promised(self, lesson: Lesson, round_: int) -> None:
        async with asyncio.timeout(120):
            while not self.diary.exists() or not self._contribution(lesson, round_):  # noqa: ASYNC110 (another process)
                await asyncio.sleep(0.05)

    def _contribution(self, lesson: Lesson, round_: int) -> bool:
        with suppress(Exception), closing(Diary.read(self.diary)) as diary:
            return diary.contribution(lesson.session, round_) is not None
        return False

    def log(self) -> str:
        return (self.home / "log").read_text()


async def test_a_daemon_killed_in_the_middle_of_rounds_goes_on_to_the_same_hash(school: School) -> None:
    lesson = await school.session(3)
    daemon = Daemon(school)
    for number in (1, 2):
        await school.runner(number)
    process = await daemon.start()
    try:
        for round_ in (1, 2):
            await daemon.has_promised(lesson, round_)
            process.kill()
            await process.wait()
            process = await daemon.start()

        sight = await school.ended(lesson)
    finally:
        process.kill()
        await process.wait()

    expected = model_file(lesson.config, lesson.simulated().progress.weights)
    assert sight.phase is SessionPhase.FINISHED, daemon.log()
    assert sight.model == hashlib.sha256(expected).digest()
    assert [one.paid for one in (await school.rounds(lesson)).values()] == [0b111, 0b111]
