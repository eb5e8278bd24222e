"""A network namespace with nothing but loopback, for a program that would listen beyond it.

`python -m benchmarks.learning.network_of_its_own PROGRAM ARGUMENTS…` becomes that program, there.
"""

import fcntl
import os
import socket
import struct
import sys

from runner.sandbox import kernel

_RAISE_FLAGS, _UP_AND_RUNNING = 0x8914, 0x41


def leave_the_network() -> None:
    """Enter such a namespace; OSError where that is not allowed."""
    kernel.unshare(kernel.CLONE_NEWNET | (0 if os.geteuid() == 0 else kernel.CLONE_NEWUSER))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as loopback:
        fcntl.ioctl(loopback, _RAISE_FLAGS, struct.pack("16sH14s", b"lo", _UP_AND_RUNNING, b""))


if __name__ == "__main__":
    leave_the_network()
    os.execv(sys.argv[1], sys.argv[1:])
