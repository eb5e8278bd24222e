"""Which system calls are left in a box: what compilers, interpreters and numerical programs need, and no more.

The kernel's interface is the largest hole in a wall of namespaces. As in Docker's default profile, whatever was not
reviewed is refused: a call whose number is above the last reviewed one does not exist for the command, and of the
others those are missing that load code into the kernel, reach other processes, make namespaces or mounts, or talk to
subsystems with a history of faults (bpf, io_uring, keys, perf, userfaultfd). See seccomp(2).
"""

import errno
import platform
import socket
import struct

SUPPORTED = ("x86_64",)
"""Machines whose numbers are written down here."""

_ARCHITECTURE = 0xC000003E
_LAST_REVIEWED = 461
"""`lsm_list_modules`; newer ones are answered as by a kernel that lacks them."""
_CLONE, _CLONE3, _SOCKET, _SOCKETPAIR = 56, 435, 41, 53
_NAMESPACES = 0x7E020080
"""Every `CLONE_NEW…` flag of clone(2)."""

REFUSED: dict[str, int] = {
    "ptrace": 101, "syslog": 103, "personality": 135, "ustat": 136, "vhangup": 153,
    "modify_ldt": 154, "pivot_root": 155, "_sysctl": 156, "chroot": 161, "acct": 163, "adjtimex": 159,
    "settimeofday": 164, "mount": 165, "umount2": 166, "swapon": 167, "swapoff": 168, "reboot": 169,
    "sethostname": 170, "setdomainname": 171, "iopl": 172, "ioperm": 173, "create_module": 174,
    "init_module": 175, "delete_module": 176, "get_kernel_syms": 177, "query_module": 178, "quotactl": 179,
    "nfsservctl": 180, "lookup_dcookie": 212, "clock_settime": 227, "clock_adjtime": 305, "mbind": 237,
    "set_mempolicy": 238, "get_mempolicy": 239, "kexec_load": 246, "add_key": 248, "request_key": 249,
    "keyctl": 250, "migrate_pages": 256, "unshare": 272, "move_pages": 279, "perf_event_open": 298,
    "fanotify_init": 300, "name_to_handle_at": 303, "open_by_handle_at": 304, "setns": 308,
    "process_vm_readv": 310, "process_vm_writev": 311, "kcmp": 312, "finit_module": 313,
    "kexec_file_load": 320, "bpf": 321, "userfaultfd": 323, "io_uring_setup": 425, "io_uring_enter": 426,
    "io_uring_register": 427, "open_tree": 428, "move_mount": 429, "fsopen": 430, "fsconfig": 431,
    "fsmount": 432, "fspick": 433, "pidfd_open": 434, "pidfd_getfd": 438, "process_madvise": 440,
    "mount_setattr": 442, "quotactl_fd": 443, "memfd_secret": 447, "process_mrelease": 448,
    "set_mempolicy_home_node": 450, "statmount": 457, "listmount": 458, "lsm_get_self_attr": 459,
    "lsm_set_self_attr": 460, "lsm_list_modules": 461, "uselib": 134,
}  # fmt: skip
"""Calls that fail with EPERM, by their numbers on x86-64."""

_LOAD, _JUMP_EQUAL, _JUMP_GREATER, _JUMP_BITS, _RETURN = 0x20, 0x15, 0x25, 0x45, 0x06
_ALLOW, _KILL, _FAIL = 0x7FFF0000, 0x80000000, 0x00050000
_NUMBER, _ARCH, _FIRST_ARGUMENT = 0, 4, 16


def program() -> bytes:
    """Return the filter as the kernel takes it: classic BPF, 8 bytes an instruction.

    Raises OSError on a machine whose numbers are not known here.
    """
    if platform.machine() not in SUPPORTED:
        raise OSError(
            errno.ENOSYS, f"no system call filter for {platform.machine()}; known: {', '.join(SUPPORTED)}"
        )
    return b"".join(
        [
            _instruction(_LOAD, value=_ARCH),
            _instruction(_JUMP_EQUAL, value=_ARCHITECTURE, yes=1),
            _instruction(_RETURN, value=_KILL),
            _instruction(_LOAD, value=_NUMBER),
            *_unless_greater(_LAST_REVIEWED, errno.ENOSYS),  # the x32 numbers among them
            # Programs fall back to clone, whose flags can be looked at: clone3 hides them behind a pointer.
            *_refuse(_CLONE3, errno.ENOSYS),
            *[step for number in sorted(REFUSED.values()) for step in _refuse(number, errno.EPERM)],
            *_clone_rule(),
            *[step for number in (_SOCKET, _SOCKETPAIR) for step in _local_sockets_only(number)],
            _instruction(_RETURN, value=_ALLOW),
        ]
    )


def _refuse(number: int, error: int) -> list[bytes]:
    return [_instruction(_JUMP_EQUAL, value=number, no=1), _instruction(_RETURN, value=_FAIL | error)]


def _unless_greater(number: int, error: int) -> list[bytes]:
    return [_instruction(_JUMP_GREATER, value=number, no=1), _instruction(_RETURN, value=_FAIL | error)]


def _clone_rule() -> list[bytes]:
    """Let processes and threads be made, but no namespaces."""
    return [
        _instruction(_JUMP_EQUAL, value=_CLONE, no=4),
        _instruction(_LOAD, value=_FIRST_ARGUMENT),
        _instruction(_JUMP_BITS, value=_NAMESPACES, no=1),
        _instruction(_RETURN, value=_FAIL | errno.EPERM),
        _instruction(_LOAD, value=_NUMBER),
    ]


def _local_sockets_only(number: int) -> list[bytes]:
    """Leave sockets between processes. A network namespace is empty, but vsock and some others know no namespaces."""
    return [
        _instruction(_JUMP_EQUAL, value=number, no=4),
        _instruction(_LOAD, value=_FIRST_ARGUMENT),
        _instruction(_JUMP_EQUAL, value=int(socket.AF_UNIX), yes=1),
        _instruction(_RETURN, value=_FAIL | errno.EAFNOSUPPORT),
        _instruction(_LOAD, value=_NUMBER),
    ]


def _instruction(code: int, *, value: int, yes: int = 0, no: int = 0) -> bytes:
    return struct.pack("=HBBI", code, yes, no, value)
