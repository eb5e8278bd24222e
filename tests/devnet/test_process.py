import asyncio
import os
import signal
import subprocess
import sys

import psutil
import pytest

from devnet.errors import ProcessFailed
from devnet.process import Launch, Process, log_tail

SLEEP = "import time; print('up', flush=True); time.sleep(600)"
STUBBORN = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"


def launch(tmp_path, code, **more):
    return Launch(name="child", argv=[sys.executable, "-c", code], log=tmp_path / "child.log", **more)


def says_up(process):
    async def check():
        return "up" in process.tail()

    return check


async def test_a_process_that_ends_too_early_is_told_with_its_last_words(tmp_path):
    process = await Process.start(launch(tmp_path, "import sys; print('no luck'); sys.exit(3)"))
    with pytest.raises(ProcessFailed, match="child ended with status 3 before it was ready") as caught:
        await process.ready(says_up(process))
    assert "no luck" in str(caught.value)


async def test_a_process_that_never_gets_ready_is_told(tmp_path):
    process = await Process.start(launch(tmp_path, "import time; time.sleep(600)"))
    with pytest.raises(ProcessFailed, match=r"not ready after 0\.3 s"):
        await process.ready(says_up(process), timeout_s=0.3)
    await process.stop()


async def test_a_program_that_is_not_there_is_told(tmp_path):
    with pytest.raises(ProcessFailed, match="could not be started"):
        await Process.start(Launch(name="ghost", argv=["/no/such/program"], log=tmp_path / "ghost.log"))


async def test_stop_asks_before_it_kills(tmp_path):
    polite = "import signal, sys, time; signal.signal(15, lambda *_: sys.exit(7)); print('up', flush=True); time.sleep(600)"
    process = await Process.start(launch(tmp_path, polite))
    await process.ready(says_up(process))
    await process.stop()
    assert process.returncode == 7


async def test_stop_kills_what_does_not_listen(tmp_path):
    process = await Process.start(launch(tmp_path, STUBBORN))
    await process.ready(says_up(process))
    await process.stop(grace_s=0.2)
    assert process.returncode == -signal.SIGKILL


async def test_stop_leaves_no_grandchildren(tmp_path):
    code = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {STUBBORN!r}]).wait()"
    process = await Process.start(launch(tmp_path, code))
    await process.ready(says_up(process))
    (grandchild,) = psutil.Process(process.pid).children()
    await process.stop(grace_s=0.2)
    _, alive = await asyncio.to_thread(psutil.wait_procs, [grandchild], 10)
    assert not alive


async def test_what_hangs_does_nothing_for_a_while_and_goes_on_afterwards(tmp_path):
    ticks = "import time\nwhile True: print('up', flush=True); time.sleep(0.01)"
    process = await Process.start(launch(tmp_path, ticks))
    await process.ready(says_up(process))
    hanging = asyncio.create_task(process.hang(0.4))
    await asyncio.sleep(0.1)
    before = process.launch.log.stat().st_size
    await asyncio.sleep(0.2)
    assert process.launch.log.stat().st_size == before
    await hanging
    await asyncio.sleep(0.2)
    assert process.launch.log.stat().st_size > before
    await process.stop()


@pytest.mark.skipif(sys.platform != "linux", reason="the parent-death signal is Linux's")
def test_children_die_with_a_killed_parent(tmp_path):
    code = f"""
import asyncio, sys
from pathlib import Path
from devnet.process import Launch, Process
async def main():
    log = Path({str(tmp_path)!r}) / "grandchild.log"
    process = await Process.start(Launch(name="x", argv=[sys.executable, "-c", {SLEEP!r}], log=log))
    print(process.pid, flush=True)
    await asyncio.sleep(600)
asyncio.run(main())
"""
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    grandchild = psutil.Process(int(parent.stdout.readline()))
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    _, alive = psutil.wait_procs([grandchild], 10)
    assert not alive


def test_the_tail_of_a_long_log_is_its_last_lines(tmp_path):
    log = tmp_path / "long.log"
    log.write_text("\n".join(f"line {number}" for number in range(100_000)))
    assert log_tail(log, 2) == "line 99998\nline 99999"
    assert log_tail(tmp_path / "none.log") == ""
