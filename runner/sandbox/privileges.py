"""Who a command is, and what it may still do: nobody, and nothing that an ordinary program does not need."""

import os
import resource

from runner.sandbox import kernel, seccomp
from runner.sandbox.plan import NOBODY

_OPEN_FILES = 1_024
_STACK_BYTES = 8 << 20
"""Also decides how long a command line may be, so it must not differ from machine to machine."""


def map_users(pid: int) -> None:
    """Map the users of a process that has just left its user namespace; OSError. Called from outside of it.

    As root, the box is built by root without any power outside, and commands run as the host's `nobody`. Otherwise the
    kernel lets a user map itself alone, which is then called `nobody` inside.
    """
    own_user, own_group = os.geteuid(), os.getegid()
    users = f"0 0 1\n{NOBODY} {NOBODY} 1\n" if own_user == 0 else f"{NOBODY} {own_user} 1\n"
    groups = f"0 0 1\n{NOBODY} {NOBODY} 1\n" if own_user == 0 else f"{NOBODY} {own_group} 1\n"
    if own_user != 0:
        _write(f"/proc/{pid}/setgroups", "deny")
    _write(f"/proc/{pid}/uid_map", users)
    _write(f"/proc/{pid}/gid_map", groups)


def lay_down(*, disk_bytes: int) -> None:
    """Become nobody, for good: to be called last before the command is run; OSError."""
    kernel.prctl(kernel.PR_SET_DUMPABLE, 1)  # or its own /proc is root's alone
    _write("/proc/self/oom_score_adj", "1000")  # the command dies for its memory, not the box's first process
    _limit(disk_bytes=disk_bytes)
    kernel.forbid_capabilities()
    if os.geteuid() == 0:
        os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    kernel.drop_capabilities()
    kernel.set_filter(seccomp.program())


def _limit(*, disk_bytes: int) -> None:
    for what, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_STACK, _STACK_BYTES),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
        (resource.RLIMIT_FSIZE, disk_bytes),
        (resource.RLIMIT_MEMLOCK, 65_536),
        (resource.RLIMIT_MSGQUEUE, 0),
    ):
        _, hard = resource.getrlimit(what)
        least = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (least, least))


def _write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)
