"""What a command sees of files: tools or an image, read-only; /in read-only; /out and /tmp in memory, of limited size."""

import os
import stat
import tarfile
from collections.abc import Iterator

from runner.sandbox import kernel
from runner.sandbox.plan import NOBODY, Plan

_MOST_FILES = 65_536
_TOOLS_BYTES = 1 << 20
_SPARE_BYTES = 4 << 20
_DEVICES = ("null", "zero", "full", "random", "urandom")
_LINKS = (
    ("fd", "/proc/self/fd"),
    ("stdin", "fd/0"),
    ("stdout", "fd/1"),
    ("stderr", "fd/2"),
    ("shm", "../tmp"),
)
_ACCOUNTS = {
    "passwd": f"nobody:x:{NOBODY}:{NOBODY}:nobody:/tmp:/bin/sh\n",
    "group": f"nogroup:x:{NOBODY}:\n",
    "hostname": "parity\n",
}


class ImageUnusable(Exception):
    """The image is no tar file of a root folder."""


def enter(plan: Plan) -> None:
    """Build the box's root and make it the only one there is; OSError, `ImageUnusable`.

    To be called by the first process of new mount, process and user namespaces.
    """
    kernel.mount("none", "/", flags=kernel.MS_REC | kernel.MS_PRIVATE)
    size = _TOOLS_BYTES if plan.image is None else os.stat(plan.image).st_size + _SPARE_BYTES
    _scratch(plan.work, size=size, files=_MOST_FILES, mode="755")
    if plan.image is None:
        _lay_tools(plan.work)
    else:
        _unpack_apart(plan.image, plan.work)
    _lay_devices(_folder(plan.work, "dev"))
    proc = _folder(plan.work, "proc")
    kernel.mount("proc", proc, kind="proc", flags=_PLAIN | kernel.MS_NOEXEC, options="subset=pid")
    kernel.mount(plan.inputs, _folder(plan.work, "in"), flags=kernel.MS_BIND | kernel.MS_REC)
    kernel.make_read_only(os.path.join(plan.work, "in"))
    for name in ("tmp", "out"):
        folder = _folder(plan.work, name)
        _scratch(folder, size=plan.disk_bytes, files=max(plan.files * 2, 1_024), mode="1777")
    kernel.mount("none", plan.work, flags=kernel.MS_REMOUNT | kernel.MS_BIND | kernel.MS_RDONLY | _PLAIN)
    kernel.enter_root(plan.work)


_PLAIN = kernel.MS_NOSUID | kernel.MS_NODEV


def _scratch(folder: str, *, size: int, files: int, mode: str) -> None:
    kernel.mount(
        "tmpfs", folder, kind="tmpfs", flags=_PLAIN, options=f"size={size},nr_inodes={files},mode={mode}"
    )


def _folder(root: str, name: str) -> str:
    """Make a folder to mount on. One that an image has must be a folder, not a link to somewhere else."""
    path = os.path.join(root, name)
    try:
        if not stat.S_ISDIR(os.lstat(path).st_mode):
            raise ImageUnusable(f"/{name} is no folder")
    except FileNotFoundError:
        os.mkdir(path, 0o755)
    return path


def _lay_tools(root: str) -> None:
    for name in ("usr", "bin", "sbin", "lib", "lib32", "lib64"):
        host = f"/{name}"
        if os.path.islink(host):
            os.symlink(os.readlink(host), os.path.join(root, name))
        elif os.path.isdir(host):
            _show(host, _folder(root, name))
    etc = _folder(root, "etc")
    for name, text in _ACCOUNTS.items():
        with open(os.path.join(etc, name), "w") as file:
            file.write(text)
    if os.path.isdir("/etc/alternatives"):  # where Debian's tools lead through
        _show("/etc/alternatives", _folder(etc, "alternatives"))


def _show(host: str, folder: str) -> None:
    kernel.mount(host, folder, flags=kernel.MS_BIND | kernel.MS_REC)
    kernel.make_read_only(folder)


def _lay_devices(folder: str) -> None:
    _scratch(folder, size=65_536, files=64, mode="755")
    for name in _DEVICES:
        path = os.path.join(folder, name)
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o666))
        kernel.mount(f"/dev/{name}", path, flags=kernel.MS_BIND)
    for name, target in _LINKS:
        os.symlink(target, os.path.join(folder, name))
    kernel.mount("none", folder, flags=kernel.MS_REMOUNT | kernel.MS_BIND | kernel.MS_RDONLY | _PLAIN)


def _unpack_apart(image: str, root: str) -> None:
    """Unpack in a process that sees the new root alone: whatever an image's links point at, it is in there."""
    descriptor = os.open(image, os.O_RDONLY | os.O_CLOEXEC)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            kernel.unshare(kernel.CLONE_NEWNS)
            kernel.enter_root(root)
            _unpack(descriptor)
            code = 0
        except (tarfile.TarError, OSError, ValueError, EOFError):
            pass
        finally:
            os._exit(code)
    os.close(descriptor)
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0:
        raise ImageUnusable("the image cannot be unpacked")


def _unpack(descriptor: int) -> None:
    with os.fdopen(descriptor, "rb") as file, tarfile.open(fileobj=file, mode="r:") as archive:
        archive.extractall("/", members=_plain_members(archive), filter="tar")


def _plain_members(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    for member in archive:
        if not member.isdev():
            yield member.replace(uid=os.geteuid(), gid=os.getegid(), deep=False)
