"""`parity-devnet` as a person uses it: start, look, Ctrl-C, start again, take down."""

import os
import signal
import subprocess
from pathlib import Path

import psutil
import pytest

from devnet.paths import VENV_BIN
from devnet.plan import Ports
from devnet.ports import is_taken
from devnet.records import Records

pytestmark = pytest.mark.timeout(600)


class Devnet:
    """The command on one state folder and one set of ports, with a single runner to be quick."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.ports = Ports.free()
        named = ",".join(f"{name}={port}" for name, port in self.ports.named().items())
        self.options = ["--state-dir", str(state), "--ports", named, "--runners", "1"]

    def start(self, *more: str) -> "subprocess.Popen[str]":
        argv = [str(VENV_BIN / "parity-devnet"), "up", *self.options, *more]
        env = {
            **os.environ,
            "OLLAMA_URL": "http://127.0.0.1:9",
        }  # nothing answers there: the packaged engine is used
        return subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env)

    def down(self) -> "subprocess.CompletedProcess[str]":
        argv = [str(VENV_BIN / "parity-devnet"), "down", "--state-dir", str(self.state)]
        return subprocess.run(argv, capture_output=True, text=True, check=False)

    def processes(self) -> list[psutil.Process]:
        return [process for record in Records(self.state).read() if (process := record.process())]


@pytest.fixture
def devnet(tmp_path):
    network = Devnet(tmp_path / "state")
    yield network
    for process in network.processes():
        process.kill()


def read_until(process: "subprocess.Popen[str]", words: str) -> str:
    seen = ""
    for line in process.stdout:
        seen += line
        if words in line:
            return seen
    pytest.fail(f"ended without saying '{words}':\n{seen}")


def test_up_answers_stays_up_and_stops_cleanly_and_a_second_up_is_refused_meanwhile(devnet):
    first = devnet.start()
    seen = read_until(first, "Ctrl-C stops everything")
    for said in ("Paris", "no token was lost or made", "GraphQL", "Time spent", "0x"):
        assert said in seen
    assert "✗" not in seen
    running = devnet.processes()
    assert {"anvil", "postgres", "ipfs", "engine", "indexer", "server", "runner-1"} == {
        record.name for record in Records(devnet.state).read()
    }

    second = devnet.start()
    told, _ = second.communicate()
    assert second.returncode == 2
    assert f"already runs on {devnet.state} (pid {first.pid})" in told

    first.send_signal(signal.SIGINT)
    rest, _ = first.communicate(timeout=60)
    assert first.returncode == 0, rest
    assert not any(process.is_running() for process in running)
    assert Records(devnet.state).read() == []
    assert not any(is_taken(port) for port in devnet.ports.named().values())


@pytest.mark.slow
def test_a_killed_network_leaves_nothing_running_and_its_state_serves_the_next(devnet):
    first = devnet.start()
    read_until(first, "Ctrl-C stops everything")
    running = devnet.processes()
    first.kill()
    first.communicate()
    _, alive = psutil.wait_procs(running, timeout=30)
    assert not alive

    second = devnet.start("--demo")
    seen, _ = second.communicate()
    assert second.returncode == 0, seen
    assert "no token was lost or made" in seen

    down = devnet.down()
    assert down.returncode == 0, down.stderr
    assert not devnet.state.exists()


@pytest.mark.slow
def test_down_stops_a_network_that_runs(devnet):
    first = devnet.start()
    read_until(first, "model engine")
    down = devnet.down()
    assert down.returncode == 0, down.stderr
    assert f"stopped the network (pid {first.pid})" in down.stdout
    first.communicate(timeout=60)
    assert not devnet.state.exists()
    assert not any(is_taken(port) for port in devnet.ports.named().values())


def test_an_impossible_option_is_told_before_anything_starts(devnet):
    refused = devnet.start("--runners", "0")
    told, _ = refused.communicate()
    assert refused.returncode == 2
    assert "--runners: 0 is not possible" in told
    assert not devnet.state.exists()
