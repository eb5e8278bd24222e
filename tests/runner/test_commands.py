"""Commands from their order to their files: three runners on a chain, each with boxes of its own."""

import secrets
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from devnet.accounts import LOCAL
from protocol.cid import digest_of
from protocol.documents import (
    BLOCK_BYTES,
    Blob,
    CommandLimits,
    CommandOffer,
    CommandResult,
    CommandSpec,
    StoredFile,
    canonical,
    parse_document,
)
from protocol.enums import Mode, TaskStatus
from protocol.errors import ContentMismatch
from protocol.money import USDFC
from runner.admission import Circumstances, Terms, check_command
from runner.errors import SandboxUnavailable
from runner.executors import Execution
from runner.executors.command import CommandExecutor
from runner.jobs import Stage
from runner.profile import commands_of
from runner.sandbox.probe import Box, probe
from tests.runner.bench import Bench, Hand
from tests.runner.conftest import TASK, an_order
from tests.runner.kills import Killed, Killer

MEBIBYTE = 1 << 20
LIMITS = CommandLimits(memory_mib=64, disk_mib=2, wall_s=10)


@pytest.fixture
async def box() -> Box:
    try:
        return await probe()
    except SandboxUnavailable as error:
        pytest.skip(f"no box here: {error}")


def a_command(*argv: str, **changes: Any) -> CommandSpec:
    fields: dict[str, Any] = {"argv": argv, "limits": LIMITS, "deterministic": True}
    return CommandSpec(**(fields | changes))


def able(hand: Hand, box: Box, *, executor: type[CommandExecutor] = CommandExecutor) -> Hand:
    """Let a hand take commands."""
    parts = hand.parts
    home = Path(parts.settings.runner_home)
    commands = executor(
        parts.store,
        box,
        offer=commands_of(parts.settings, level=box.level),
        home=home,
        slots=1,
        cpus=1.0,
    )
    hand.parts = replace(parts, commands=commands)
    return hand


async def hand_of(bench: Bench, box: Box, number: int, **others: Any) -> Hand:
    return able(await bench.hand(number, runner_home=bench.home / f"runner-{number}"), box, **others)


async def submit(bench: Bench, spec: CommandSpec, **order: Any) -> bytes:
    return await bench.submit(
        spec, **({"input_price": 0, "output_price": 0, "replicas": 3, "quorum": 2} | order)
    )


async def stored(bench: Bench, content: bytes, *, path: str, executable: bool = False) -> StoredFile:
    blocks = [
        (await bench.store.add(content[start : start + BLOCK_BYTES])).hex()
        for start in range(0, len(content), BLOCK_BYTES)
    ]
    return StoredFile(path=path, size=len(content), blocks=tuple(blocks), executable=executable)


async def bytes_of(bench: Bench, blob: Blob | None) -> bytes:
    assert blob is not None
    return b"".join([await bench.store.get(bytes.fromhex(block)) for block in blob.blocks])


class Careless(CommandExecutor):
    """Commits to something that no command said."""

    async def execute(self, spec: CommandSpec, task_id: bytes) -> Execution:
        done = await super().execute(spec, task_id)
        result = parse_document(done.result)
        assert isinstance(result, CommandResult)
        return replace(done, result=canonical(result.model_copy(update={"code": 9})))


async def test_three_runners_agree_on_a_command_and_its_files_come_back(bench: Bench, box: Box) -> None:
    data = bytes(range(256)) * 2_000  # two blocks
    spec = a_command(
        *("sh", "-c", "sha256sum < /in/data/a; /in/tool; cp /in/data/a copy; mkdir d; echo 1 > d/one"),
        inputs=(
            await stored(bench, data, path="data/a"),
            await stored(bench, b"#!/bin/sh\necho ran >&2\n", path="tool", executable=True),
        ),
    )
    task = await submit(bench, spec)
    hands = [await hand_of(bench, box, number) for number in range(3)]
    await bench.run(task, *hands)
    assert {hand.job(task).stage for hand in hands} == {Stage.SETTLED}
    assert all(hand.job(task).paid for hand in hands)
    revealed = await bench.logs("SeatRevealed", task)
    result = parse_document(await bench.store.get(bytes(revealed[0]["args"]["result"])))
    assert isinstance(result, CommandResult)
    assert (result.task, result.outcome, result.code) == ("0x" + task.hex(), "exited", 0)
    assert await bytes_of(bench, result.stdout) == f"{digest_of(data).hex()}  -\n".encode()
    assert await bytes_of(bench, result.stderr) == b"ran\n"
    assert [file.path for file in result.files] == ["copy", "d/one"]
    assert await bytes_of(bench, result.files[0]) == data
    assert await bytes_of(bench, result.files[1]) == b"1\n"
    assert await bench.books_balance()


async def test_a_runner_with_another_result_is_slashed_and_the_honest_are_paid(
    bench: Bench, box: Box
) -> None:
    honest = [await hand_of(bench, box, number) for number in (0, 1)]
    cheat = await hand_of(bench, box, 2, executor=Careless)
    task = await submit(bench, a_command("sh", "-c", "echo 42"))
    await bench.run(task, *honest, cheat)
    assert await bench.status(task) is TaskStatus.FINAL
    assert all(hand.job(task).paid for hand in honest)
    assert (cheat.job(task).paid, cheat.job(task).slashed) == (0, 5 * USDFC)
    assert await bench.stake(LOCAL.owner(2).address) == (395 * USDFC, 0)


@pytest.mark.parametrize(
    ("argv", "outcome"),
    [
        (("sh", "-c", "exit 3"), "exited"),
        (("sh", "-c", "x=aaaaaaaaaaaaaaaa; while :; do x=$x$x; done"), "memory"),
        (("yes",), "output"),
        (("no-such-program",), "missing"),
        (("sleep", "100"), "wall-time"),
        (
            (
                "sh",
                "-c",
                f"i=0; while [ $i -lt 60 ]; do mkdir {'d' * 200}; cd {'d' * 200}; : > f; i=$((i+1)); done",
            ),
            "exited",
        ),
    ],
)
async def test_however_a_command_ends_there_is_a_result_to_commit_to(
    bench: Bench, box: Box, argv: tuple[str, ...], outcome: str
) -> None:
    commands = (await hand_of(bench, box, 0)).parts.commands
    assert commands is not None
    # Only the command that must be stopped is given little time: the others end by themselves on any machine.
    spec = a_command(*argv, limits=LIMITS.model_copy(update={"wall_s": 1 if outcome == "wall-time" else 60}))
    results = {(await commands.execute(spec, TASK)).result for _ in range(2)}
    assert len(results) == 1
    result = parse_document(results.pop())
    assert isinstance(result, CommandResult)
    assert result.outcome == outcome
    assert (result.stdout is None) == (outcome != "exited")


async def test_a_result_that_fits_no_document_counts_as_too_much_output(bench: Bench, box: Box) -> None:
    commands = (await hand_of(bench, box, 0)).parts.commands
    assert commands is not None
    folder = "f" * 200 + "/" + "g" * 200
    script = f"mkdir -p {folder}; i=0; while [ $i -lt 900 ]; do : > {folder}/$i; i=$((i+1)); done"
    limits = LIMITS.model_copy(update={"files": 1_024})
    done = await commands.execute(a_command("sh", "-c", script, limits=limits), TASK)
    result = parse_document(done.result)
    assert isinstance(result, CommandResult)
    assert (result.outcome, result.files) == ("output", ())


async def test_a_command_whose_input_cannot_be_had_is_not_claimed(bench: Bench, box: Box) -> None:
    content = secrets.token_bytes(16)  # which no other test stores
    missing = StoredFile(path="a", size=len(content), blocks=(digest_of(content).hex(),))
    task = await submit(bench, a_command("true", inputs=(missing,)), replicas=1, quorum=1)
    hand = await hand_of(bench, box, 0)
    await bench.until_turn(hand, task)
    await hand.step(task)
    assert hand.job(task).stage is Stage.WAITING
    assert hand.job(task).reason.startswith("command: ")
    await bench.store.add(content)
    await bench.run(task, hand)
    assert hand.job(task).paid


async def test_a_command_whose_blocks_are_not_what_the_spec_says_is_refused(bench: Bench, box: Box) -> None:
    short = StoredFile(path="a", size=5, blocks=((await bench.store.add(b"x")).hex(),))
    commands = (await hand_of(bench, box, 0)).parts.commands
    assert commands is not None
    with pytest.raises(ContentMismatch, match="the spec says 5"):
        await commands.prepare(a_command("true", inputs=(short,)), TASK)


async def test_kill_at_every_boundary_of_a_command_loses_no_result_and_claims_once(
    bench: Bench, box: Box
) -> None:
    killer = Killer()
    others = [await hand_of(bench, box, number) for number in (1, 2)]
    before = await bench.free(LOCAL.owner(0).address)
    tasks = []
    for round_ in range(6):
        deaths = len(killer.boundaries)
        task = await submit(bench, a_command("sh", "-c", f"echo {round_} > /out/a; echo {round_}"))
        tasks.append(task)
        hand = await _live_and_die(bench, box, task, killer=killer, others=others)
        assert hand.job(task).stage is Stage.SETTLED
        assert hand.job(task).paid
        # Whoever finds all others bound needs no commitment.
        for event, times in (("SeatClaimed", {1}), ("SeatCommitted", {0, 1}), ("SeatRevealed", {1})):
            ours = [log for log in await bench.logs(event, task) if log["args"]["node"] == hand.parts.node]
            assert len(ours) in times
        if len(killer.boundaries) == deaths:
            break
    assert {"before prepare", "after prepare", "before execute", "after execute"} <= set(killer.boundaries)
    assert await bench.free(LOCAL.owner(0).address) - before == sum(
        hand.job(task).paid or 0 for task in tasks
    )
    assert await bench.stake(LOCAL.owner(0).address) == (400 * USDFC, 0)


async def _live_and_die(bench: Bench, box: Box, task: bytes, *, killer: Killer, others: list[Hand]) -> Hand:
    for _ in range(60):
        hand = await hand_of(bench, box, 0)
        hand.parts = replace(killer.armed(hand.parts), commands=_Mortal(hand.parts.commands, killer))
        died = True
        try:
            await bench.run(task, hand, *others)
            died = False
        except* Killed:
            pass
        if not died:
            return hand
    raise AssertionError("still dying after 60 restarts")


class _Mortal:
    """A command executor whose process dies before and after what it does."""

    def __init__(self, inner: CommandExecutor | None, killer: Killer) -> None:
        assert inner is not None
        self._inner = inner
        self._killer = killer
        self.offer = inner.offer

    async def prepare(self, spec: CommandSpec, task_id: bytes) -> None:
        self._killer.reach("before prepare")
        await self._inner.prepare(spec, task_id)
        self._killer.reach("after prepare")

    async def execute(self, spec: CommandSpec, task_id: bytes) -> Execution:
        self._killer.reach("before execute")
        done = await self._inner.execute(spec, task_id)
        self._killer.reach("after execute")
        return done


# Admission

OFFER = CommandOffer(level="namespaces", images=False, limits=LIMITS, price_per_s=str(USDFC // 1_000))
TERMS = Terms(owner="0x" + "a1" * 20, min_reward=0, tokens_per_s=10, block_time_s=1)
NOW = Circumstances(head_block=1, commit_for=100, free_stake=100 * USDFC)
BLOB = Blob(size=1, blocks=("00" * 32,))


@pytest.mark.parametrize(
    ("spec", "order", "said"),
    [
        ({"deterministic": False}, {"replicas": 3}, "mode: not declared deterministic"),
        ({}, {"mode": Mode.AUDITED}, "mode: commands are compared"),
        ({}, {"input_price": 1}, "price: a command has no tokens"),
        ({"image": BLOB}, {}, "command: images are not taken"),
        ({"limits": CommandLimits(memory_mib=65)}, {}, "limits: memory_mib 65; the most is 64"),
        ({}, {"reward": USDFC // 1_000}, "price: a seat earns 0.001"),
        ({"inputs": (StoredFile(path="a", size=1, blocks=("00" * 32,)),)}, {}, None),
        (
            {"inputs": tuple(StoredFile(path=f"{n}", size=1, blocks=("00" * 32,)) for n in range(3))},
            {},
            "limits: 3 bytes",
        ),
    ],
)
def test_a_command_is_refused_for_a_reason_that_is_said(
    spec: dict[str, Any], order: dict[str, Any], said: str | None
) -> None:
    refusal = check_command(
        a_command("true", **spec), an_order(**order), offer=OFFER, most_content=2, terms=TERMS, now=NOW
    )
    assert (refusal is None) if said is None else str(refusal).startswith(said)


def test_a_runner_without_a_box_takes_no_command_and_one_too_long_for_the_window_is_refused() -> None:
    spec, order = a_command("true"), an_order()
    refusal = check_command(spec, order, offer=None, most_content=2, terms=TERMS, now=NOW)
    assert str(refusal) == "command: commands are not taken here"
    short = replace(NOW, commit_for=13)
    refusal = check_command(spec, order, offer=OFFER, most_content=2, terms=TERMS, now=short)
    assert str(refusal).startswith("deadline: 10 s are about 14 blocks")
