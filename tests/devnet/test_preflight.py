import socket

import pytest

from devnet import preflight
from devnet.errors import PreflightFailed
from devnet.plan import Plan, Ports
from devnet.ports import LOOPBACK


@pytest.fixture
def taken_port():
    with socket.socket() as server:
        server.bind((LOOPBACK, 0))
        server.listen()
        yield server.getsockname()[1]


def plan_with(tmp_path, **ports):
    free = Ports.free().named()
    return Plan(state=tmp_path, ports=Ports(**{**free, **ports}))


def test_a_machine_with_everything_passes(tmp_path):
    preflight.check(plan_with(tmp_path), own_engine=True)


def test_a_taken_port_is_named_with_its_holder_and_the_flag_that_moves_it(tmp_path, taken_port):
    with pytest.raises(PreflightFailed) as caught:
        preflight.check(plan_with(tmp_path, server=taken_port), own_engine=True)
    message = str(caught.value)
    assert "nothing was started" in message
    assert f"port {taken_port} (server) is taken by" in message
    assert f"--ports server={taken_port + 1}" in message
    assert caught.value.exit_code == 2


def test_the_engines_port_does_not_matter_when_another_engine_is_used(tmp_path, taken_port):
    preflight.check(plan_with(tmp_path, engine=taken_port), own_engine=False)


def test_every_obstacle_is_told_at_once(tmp_path, taken_port):
    with socket.socket() as other:
        other.bind((LOOPBACK, 0))
        other.listen()
        plan = plan_with(tmp_path, server=taken_port, chain=other.getsockname()[1])
        with pytest.raises(PreflightFailed) as caught:
            preflight.check(plan, own_engine=True)
    assert "(server)" in str(caught.value)
    assert "(chain)" in str(caught.value)


def test_a_full_disk_is_told_with_what_is_needed(tmp_path):
    (line,) = preflight.disk_obstacles(Plan(state=tmp_path / "not" / "yet"), least_mib=10**9)
    assert f"MiB are free at {tmp_path}, and {10**9} are needed" in line


@pytest.mark.parametrize(
    ("said", "told"), [("v18.20.1", "v18.20.1 is too old"), ("what?", "what? is too old")]
)
def test_an_old_node_is_told_with_the_version_that_is_needed(tmp_path, said, told):
    command = tmp_path / "node"
    command.write_text(f"#!/bin/sh\necho '{said}'\n")
    command.chmod(0o755)
    (line,) = preflight.node_obstacles(str(command))
    assert told in line
    assert "install version 20 or newer" in line


def test_a_missing_node_is_told():
    (line,) = preflight.node_obstacles("no-such-node")
    assert "no Node.js on PATH" in line
