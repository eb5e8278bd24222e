"""Ports that are given out stay the asker's own."""

import socket
import subprocess
import sys

from devnet.plan import MAX_RUNNERS, Ports
from devnet.ports import LOOPBACK, free_port

_ASK = "from devnet.ports import free_port\nprint(*(free_port() for _ in range(200)))"


def test_no_port_is_given_twice_to_processes_that_live_at_once() -> None:
    ours = {free_port() for _ in range(200)}
    asked = subprocess.run([sys.executable, "-c", _ASK], capture_output=True, text=True, check=True)
    assert len(ours) == 200
    assert ours.isdisjoint(int(port) for port in asked.stdout.split())


def test_a_span_is_free_as_a_whole() -> None:
    first = free_port(span=8)
    for port in range(first, first + 8):
        with socket.socket() as server:
            server.bind((LOOPBACK, port))


def test_a_network_has_a_port_for_the_stream_of_each_of_its_runners() -> None:
    ports = Ports.free().named()
    streams = range(ports["streams"], ports["streams"] + MAX_RUNNERS)
    assert not any(port in streams for name, port in ports.items() if name != "streams")


def test_ports_are_reserved_below_what_outgoing_connections_take() -> None:
    assert all(free_port() < 32_768 for _ in range(50))
