"""What a command in a box may use up, and that nothing of it outlives its run."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from runner.sandbox.box import ENVIRONMENT, LAUNCHER
from runner.sandbox.plan import Outcome, Plan
from tests.runner.boxes import MEBIBYTE, Boxes, sleepers


async def test_a_fork_bomb_stays_within_its_processes_and_its_time(box: Boxes) -> None:
    came = await box.sh("bomb() { bomb | bomb & }; bomb; while :; do :; done", wall_s=2.0)
    assert came.outcome in (Outcome.WALL_TIME, Outcome.EXITED)
    assert not box.groups()


async def test_a_memory_bomb_is_stopped(box: Boxes) -> None:
    came = await box.sh("x=aaaaaaaaaaaaaaaa; while :; do x=$x$x; done")
    assert came.outcome is Outcome.MEMORY


async def test_a_full_disk_is_the_commands_own_and_small(box: Boxes) -> None:
    came = await box.sh(
        "for f in /out/f /tmp/f; do head -c 64M /dev/zero > $f; stat -c %s $f; done; rm /out/f"
    )
    assert came.outcome is Outcome.EXITED
    assert [int(size) <= 4 * MEBIBYTE for size in came.out.split()] == [True, True]


async def test_too_many_files_are_not_returned(box: Boxes) -> None:
    came = await box.sh("i=0; while [ $i -lt 40 ]; do : > f$i; i=$((i+1)); done")
    assert (came.outcome, came.files) == (Outcome.OUTPUT, {})


async def test_a_file_that_is_larger_than_the_disk_is_not_returned(box: Boxes) -> None:
    came = await box.sh("truncate -s 3M a; truncate -s 3M b")
    assert came.outcome is Outcome.OUTPUT


@pytest.mark.parametrize("stream", [1, 2])
async def test_endless_output_is_stopped(box: Boxes, stream: int) -> None:
    came = await box.sh(f"yes >&{stream}")
    assert (came.outcome, came.out, came.errors) == (Outcome.OUTPUT, "", "")


async def test_a_command_that_never_ends_is_stopped_with_all_it_started(box: Boxes) -> None:
    mark = f"98{os.getpid()}"
    came = await box.sh(f"(setsid sleep {mark}1 &) ; sleep {mark}2", wall_s=1.0)
    assert came.outcome is Outcome.WALL_TIME
    assert not box.groups()
    assert sleepers(mark) == []


async def test_what_a_command_leaves_running_ends_with_it(box: Boxes) -> None:
    came = await box.sh("setsid sh -c 'trap : TERM HUP; sleep 30; echo late > /out/late' & exit 0")
    assert (came.outcome, came.code, came.files) == (Outcome.EXITED, 0, {})


async def test_a_command_gets_no_more_processor_than_its_share(box: Boxes) -> None:
    came = await box.python(
        "import os, time; until = time.monotonic() + 2\nfor _ in range(4):\n  if not os.fork(): break\n"
        "while time.monotonic() < until: pass\n"
        "print(sum(os.times()[:2])) if 0 else print(time.process_time())",
        cpus=0.5,
    )
    assert (
        sum(float(line) for line in came.out.split()) < 2.5
    )  # of 2 s on two cores, with 4 at once at full speed: 4 s


async def test_a_box_dies_with_the_runner(box: Boxes, tmp_path: Path) -> None:
    mark = f"97{os.getpid()}"
    plan = Plan(
        argv=("sleep", mark),
        environment=ENVIRONMENT,
        work=str(tmp_path),
        inputs=str(box.inputs),
        image=None,
        disk_bytes=MEBIBYTE,
        output_bytes=100,
        wall_s=60.0,
        files=1,
    )
    program = (
        "import subprocess, sys, time\n"
        "box = subprocess.Popen(sys.argv[2:], stdin=subprocess.PIPE, env={}, cwd='/')\n"
        "box.stdin.write(sys.argv[1].encode()); box.stdin.close(); time.sleep(100)"
    )
    runner = await asyncio.create_subprocess_exec(sys.executable, "-c", program, plan.to_text(), *LAUNCHER)
    async with asyncio.timeout(60):
        while not sleepers(mark):  # noqa: ASYNC110 (another process rings no bell here)
            await asyncio.sleep(0.05)
        runner.kill()
        await runner.wait()
        while sleepers(mark):  # noqa: ASYNC110 (as above)
            await asyncio.sleep(0.05)


async def test_a_cancelled_run_leaves_nothing(box: Boxes) -> None:
    running = asyncio.ensure_future(box.sh("sleep 965432", wall_s=60.0))
    async with asyncio.timeout(60):
        while not box.groups():  # noqa: ASYNC110 (as above)
            await asyncio.sleep(0.02)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert not box.groups()
