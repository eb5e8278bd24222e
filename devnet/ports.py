"""Loopback ports: reserving free ones, and telling whether one is taken."""

import contextlib
import fcntl
import os
import secrets
import socket
import tempfile
from pathlib import Path
from typing import IO, Final

import psutil

LOOPBACK = "127.0.0.1"

_FIRST: Final = 10_000
_LAST: Final = 32_767
"""Below what Linux and macOS give to outgoing connections: no client of anybody's takes one of these by chance."""
_LOCKS: Final = Path(tempfile.gettempdir()) / f"parity-ports-{os.getuid()}"
_reserved: list[IO[bytes]] = []


def free_port(*, span: int = 1) -> int:
    """Return the first of `span` ports that nobody listens on, reserved while this process lives.

    The reservation binds whoever asks here: processes of a network start seconds after their ports were chosen, and
    many networks start at once when tests run side by side. Raises OSError when there are no such ports.
    """
    _LOCKS.mkdir(mode=0o700, exist_ok=True)
    places = (_LAST - _FIRST) // span
    start = secrets.randbelow(places)
    for place in range(places):
        first = _FIRST + (start + place) % places * span
        if _reserve(range(first, first + span)):
            return first
    message = f"no {span} free loopback ports in a row between {_FIRST} and {_LAST}"
    raise OSError(message)


def _reserve(ports: range) -> bool:
    held: list[IO[bytes]] = []
    with contextlib.ExitStack() as undo:
        for port in ports:
            lock = undo.enter_context((_LOCKS / str(port)).open("wb"))
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            if is_taken(port):
                return False
            held.append(lock)
        undo.pop_all()
    _reserved.extend(held)
    return True


def is_taken(port: int) -> bool:
    """Return whether a server could not listen on this loopback port now."""
    with socket.socket() as probe:
        # What every server of ours sets: a connection that is only fading away is no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return True
        return False


def holder(port: int) -> str | None:
    """Describe the process that listens on this port, or None when the system does not tell."""
    with contextlib.suppress(psutil.Error, PermissionError):
        for connection in psutil.net_connections(kind="tcp"):
            listens = connection.status == psutil.CONN_LISTEN
            if listens and getattr(connection.laddr, "port", None) == port and connection.pid:
                process = psutil.Process(connection.pid)
                return f"{process.name()} (pid {process.pid})"
    return None
