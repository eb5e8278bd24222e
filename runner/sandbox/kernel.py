"""System calls that Python's standard library has no name for: see unshare(2), mount(2), mount_setattr(2), prctl(2)."""

import ctypes
import errno
import os

CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY = 0x1
MS_NOSUID = 0x2
MS_NODEV = 0x4
MS_NOEXEC = 0x8
MS_REMOUNT = 0x20
MS_BIND = 0x1000
MS_REC = 0x4000
MS_PRIVATE = 0x40000
MNT_DETACH = 0x2

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_SECCOMP = 22
PR_CAPBSET_DROP = 24
PR_SET_NO_NEW_PRIVS = 38
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_CLEAR_ALL = 4
SECCOMP_MODE_FILTER = 2

_AT_FDCWD = -100
_AT_RECURSIVE = 0x8000
_SYS_CAPSET = 126
_SYS_PIVOT_ROOT = 155
_SYS_MOUNT_SETATTR = 442
"""Numbers of x86-64; `seccomp.SUPPORTED` keeps every other machine out."""
_CAPABILITY_VERSION_3 = 0x20080522
_MOST_CAPABILITIES = 64

_libc = ctypes.CDLL(None, use_errno=True)


class _MountAttributes(ctypes.Structure):
    _fields_ = [
        ("attr_set", ctypes.c_uint64),
        ("attr_clr", ctypes.c_uint64),
        ("propagation", ctypes.c_uint64),
        ("userns_fd", ctypes.c_uint64),
    ]


class _Filter(ctypes.Structure):
    _fields_ = [("len", ctypes.c_ushort), ("instructions", ctypes.c_void_p)]


def unshare(flags: int) -> None:
    """Leave the namespaces named by `flags`; OSError."""
    _check(_libc.unshare(ctypes.c_int(flags)), "unshare")


def mount(source: str, target: str, *, kind: str = "none", flags: int = 0, options: str = "") -> None:
    """Mount; OSError names the target."""
    given = _libc.mount(
        source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), options.encode() or None
    )
    _check(given, f"mount {target}")


def make_read_only(target: str) -> None:
    """Make a mount and all below it read-only, without devices, and deaf to setuid; OSError."""
    wanted = _MountAttributes(attr_set=MS_RDONLY | MS_NOSUID | MS_NODEV)
    given = _libc.syscall(
        ctypes.c_long(_SYS_MOUNT_SETATTR),
        ctypes.c_int(_AT_FDCWD),
        target.encode(),
        ctypes.c_uint(_AT_RECURSIVE),
        ctypes.byref(wanted),
        ctypes.c_size_t(ctypes.sizeof(wanted)),
    )
    _check(given, f"mount_setattr {target}")


def enter_root(path: str) -> None:
    """Make `path`, a mount, the root, and let the old one go with everything on it; OSError."""
    os.chdir(path)
    # Old and new root may be stacked on one folder, which spares a folder for the old one: see pivot_root(2).
    _check(_libc.syscall(ctypes.c_long(_SYS_PIVOT_ROOT), b".", b"."), "pivot_root")
    _check(_libc.umount2(b".", ctypes.c_int(MNT_DETACH)), "umount the old root")
    os.chdir("/")


def unmount(target: str) -> None:
    """Take a mount away; OSError."""
    _check(_libc.umount2(target.encode(), ctypes.c_int(MNT_DETACH)), f"umount {target}")


def prctl(option: int, first: int = 0, second: int = 0) -> None:
    """Set something about this process; OSError."""
    arguments = [ctypes.c_ulong(value) for value in (first, second, 0, 0)]
    _check(_libc.prctl(ctypes.c_int(option), *arguments), f"prctl {option}")


def forbid_capabilities() -> None:
    """Let nothing that this process becomes have a capability; OSError. It takes one (SETPCAP) to do it."""
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
    for capability in range(_MOST_CAPABILITIES):
        given = _libc.prctl(ctypes.c_int(PR_CAPBSET_DROP), ctypes.c_ulong(capability), 0, 0, 0)
        if given != 0 and ctypes.get_errno() == errno.EINVAL:
            break  # the kernel has fewer
        _check(given, "drop a capability")


def drop_capabilities() -> None:
    """Give up every capability of this process; OSError."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    none = (ctypes.c_uint32 * 6)()
    _check(_libc.syscall(ctypes.c_long(_SYS_CAPSET), header, none), "capset")


def set_filter(program: bytes) -> None:
    """Put a seccomp filter on this process for good; OSError. It needs no privileges once there are to be no new ones."""
    instructions = ctypes.create_string_buffer(program, len(program))
    described = _Filter(len(program) // 8, ctypes.addressof(instructions))
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.addressof(described))


def _check(given: int, what: str) -> None:
    if given != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
