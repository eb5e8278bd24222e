"""Commands that mean harm, run in a box on this machine. Skipped, with the reason, where no box can be had."""

import asyncio
import io
import os
import re
import signal
import subprocess
import sys
import tarfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from devnet.accounts import LOCAL
from runner.errors import SandboxUnavailable
from runner.sandbox.box import ENVIRONMENT, LAUNCHER, Job, run
from runner.sandbox.cgroups import Hierarchy, _mounts, _own_places, find
from runner.sandbox.plan import Outcome, Parcel, Plan
from runner.sandbox.probe import _check, probe

MEBIBYTE = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Came:
    """What a run came to, read to its end."""

    outcome: Outcome
    code: int | None
    out: str
    errors: str
    files: dict[str, bytes]
    left_out: int


class Bench:
    """Runs commands in boxes."""

    def __init__(self, hierarchy: Hierarchy, folder: Path) -> None:
        self.hierarchy = hierarchy
        self.inputs = folder / "in"
        self.inputs.mkdir()

    def job(self, *argv: str, **changes: object) -> Job:
        job = Job(
            argv=argv,
            inputs=self.inputs,
            image=None,
            memory_bytes=64 * MEBIBYTE,
            disk_bytes=4 * MEBIBYTE,
            output_bytes=64 * 1024,
            processes=24,
            cpus=1.0,
            wall_s=20.0,
            files=16,
        )
        return replace(job, **changes)  # type: ignore[arg-type]

    async def run(self, *argv: str, **changes: object) -> Came:
        async with run(self.job(*argv, **changes), self.hierarchy) as delivery:
            parcel = delivery.parcel

            async def read(size: int) -> bytes:
                return b"".join([piece async for piece in delivery.pieces(size)])

            out, errors = await read(parcel.stdout), await read(parcel.stderr)
            files = {path: await read(size) for path, size, _ in parcel.files}
        return Came(
            outcome=parcel.outcome,
            code=parcel.code,
            out=out.decode(),
            errors=errors.decode(),
            files=files,
            left_out=parcel.left_out,
        )

    async def sh(self, script: str, **changes: object) -> Came:
        return await self.run("sh", "-c", script, **changes)

    async def python(self, program: str, **changes: object) -> Came:
        """Run a program in the host's own Python, whatever that is; skip where there is none in the box."""
        came = await self.run("python3", "-c", program, **changes)
        if came.outcome is Outcome.MISSING:
            pytest.skip("the host has no python3 in /usr")
        return came

    def groups(self) -> set[str]:
        return {path.name for path in self.hierarchy.folders["pids"].glob("parity-*")}


@pytest.fixture
async def box(tmp_path: Path) -> Bench:
    try:
        held = await probe()
    except SandboxUnavailable as error:
        pytest.skip(f"no box here: {error}")
    return Bench(held.hierarchy, tmp_path)


async def test_a_command_returns_its_exit_code_what_it_printed_and_its_files(box: Bench) -> None:
    (box.inputs / "name").write_text("Ada")
    came = await box.sh("cat /in/name; echo oops >&2; mkdir d; echo 1 > d/a; printf '' > b; exit 7")
    assert came == Came(
        outcome=Outcome.EXITED,
        code=7,
        out="Ada",
        errors="oops\n",
        files={"b": b"", "d/a": b"1\n"},
        left_out=0,
    )


async def test_a_command_that_does_not_exist_is_missing(box: Bench) -> None:
    assert (await box.run("no-such-program")).outcome is Outcome.MISSING
    assert (await box.run("/etc/passwd")).outcome is Outcome.MISSING


async def test_arguments_are_never_read_by_a_shell(box: Bench) -> None:
    came = await box.run("echo", "$(id)", "; id", "a b")
    assert came.out == "$(id) ; id a b\n"


async def test_a_command_that_is_killed_says_by_which_signal(box: Bench) -> None:
    came = await box.sh("kill -SEGV $$")
    assert (came.outcome, came.code) == (Outcome.SIGNALLED, signal.SIGSEGV)


async def test_the_environment_holds_nothing_of_the_runner(
    box: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNNER_PRIVATE_KEY", "0xsecret")
    seen = dict(line.split("=", 1) for line in (await box.run("env")).out.splitlines())
    assert seen == ENVIRONMENT


async def test_a_fork_bomb_stays_within_its_processes_and_its_time(box: Bench) -> None:
    came = await box.sh("bomb() { bomb | bomb & }; bomb; while :; do :; done", wall_s=2.0)
    assert came.outcome in (Outcome.WALL_TIME, Outcome.EXITED)
    assert not box.groups()


async def test_a_memory_bomb_is_stopped(box: Bench) -> None:
    came = await box.sh("x=aaaaaaaaaaaaaaaa; while :; do x=$x$x; done")
    assert came.outcome is Outcome.MEMORY


async def test_a_full_disk_is_the_commands_own_and_small(box: Bench) -> None:
    came = await box.sh(
        "for f in /out/f /tmp/f; do head -c 64M /dev/zero > $f; stat -c %s $f; done; rm /out/f"
    )
    assert came.outcome is Outcome.EXITED
    assert [int(size) <= 4 * MEBIBYTE for size in came.out.split()] == [True, True]


async def test_too_many_files_are_not_returned(box: Bench) -> None:
    came = await box.sh("i=0; while [ $i -lt 40 ]; do : > f$i; i=$((i+1)); done")
    assert (came.outcome, came.files) == (Outcome.OUTPUT, {})


async def test_a_file_that_is_larger_than_the_disk_is_not_returned(box: Bench) -> None:
    came = await box.sh("truncate -s 3M a; truncate -s 3M b")
    assert came.outcome is Outcome.OUTPUT


@pytest.mark.parametrize("stream", [1, 2])
async def test_endless_output_is_stopped(box: Bench, stream: int) -> None:
    came = await box.sh(f"yes >&{stream}")
    assert (came.outcome, came.out, came.errors) == (Outcome.OUTPUT, "", "")


async def test_a_command_that_never_ends_is_stopped_with_all_it_started(box: Bench) -> None:
    mark = f"98{os.getpid()}"
    came = await box.sh(f"(setsid sleep {mark}1 &) ; sleep {mark}2", wall_s=1.0)
    assert came.outcome is Outcome.WALL_TIME
    assert not box.groups()
    assert sleepers(mark) == []


async def test_what_a_command_leaves_running_ends_with_it(box: Bench) -> None:
    came = await box.sh("setsid sh -c 'trap : TERM HUP; sleep 30; echo late > /out/late' & exit 0")
    assert (came.outcome, came.code, came.files) == (Outcome.EXITED, 0, {})


async def test_the_hosts_files_are_not_there(box: Bench, tmp_path: Path) -> None:
    keystore = tmp_path / "node.json"
    keystore.write_text(LOCAL.node(0).key.hex())
    keystore.chmod(0o666)
    paths = [
        keystore,
        Path.home(),
        Path(__file__),
        Path("/root"),
        Path("/etc/shadow"),
        Path("/sys"),
        Path("/var"),
    ]
    script = "; ".join(f"ls -d {path} 2>/dev/null && echo FOUND" for path in paths)
    assert "FOUND" not in (await box.sh(script)).out
    assert set((await box.run("ls", "/")).out.split()) - {"lib32", "lib64"} == {
        *("bin", "dev", "etc", "in", "lib", "out", "proc", "sbin", "tmp", "usr"),
    }


async def test_nothing_but_out_and_tmp_can_be_written(box: Bench) -> None:
    (box.inputs / "name").write_text("Ada")
    script = (
        "for d in / /usr /usr/bin /etc /in /dev /proc /proc/1; do (: > $d/x) 2>/dev/null && echo $d; done;"
    )
    script += (
        "(echo x > /in/name) 2>/dev/null && echo input; mount -o remount,rw / 2>/dev/null && echo remounted;"
    )
    script += (
        "(: > /proc/sysrq-trigger) 2>/dev/null && echo sysrq; chmod 777 /in 2>/dev/null && echo chmod; true"
    )
    assert (await box.sh(script)).out == ""
    assert (box.inputs / "name").read_text() == "Ada"


async def test_no_address_can_be_reached(box: Bench) -> None:
    program = """
import socket
for family in (socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK, 40, socket.AF_PACKET):
    try:
        made = socket.socket(family, socket.SOCK_DGRAM)
        print("made", family)
        made.connect(("169.254.169.254", 80))
    except OSError as error:
        print(error.errno)
"""
    assert (await box.python(program)).out.split() == ["97"] * 5  # EAFNOSUPPORT
    networks = (await box.run("cat", "/proc/self/net/dev")).out
    assert [line.split()[0] for line in networks.splitlines() if ":" in line] == ["lo:"]


async def test_a_link_out_of_the_box_is_not_followed_home(box: Bench, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    came = await box.sh(
        f"ln -s {secret} a; ln -s / b; ln -s /proc/1/root/etc/shadow c; mkfifo d; ln -s ../../../.. e;"
        "mkdir f; ln -s /etc/passwd f/g; echo 1 > f/h; printf x > 'we\\ird'"
    )
    assert came.files == {"f/h": b"1\n"}
    assert came.left_out == 7


async def test_the_first_process_of_the_box_cannot_be_touched(box: Bench) -> None:
    script = "kill -9 1 2>/dev/null; cat /proc/1/environ /proc/1/mem /proc/1/maps 2>/dev/null | head -c 9;"
    script += "ls /proc/1/fd /proc/1/root/ 2>/dev/null; echo alive"
    assert (await box.sh(script)).out == "alive\n"


async def test_forbidden_system_calls_fail(box: Bench) -> None:
    program = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
calls = {"ptrace": (101, 0), "unshare": (272, 0x10000000), "mount": (165,), "bpf": (321,), "clone": (56, 0x10000011),
    "clone3": (435,), "io_uring": (425, 8, 0), "keyctl": (250, 0), "setns": (308, 0, 0), "perf": (298,),
    "userfaultfd": (323, 0), "new": (500,), "x32": (0x40000000 + 39,), "chroot": (161, 0), "vm_readv": (310, 1)}
for name, (number, *arguments) in calls.items():
    given = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(value) for value in arguments])
    print(name, given, ctypes.get_errno())
"""
    came = await box.python(program)
    answers = [line.split() for line in came.out.splitlines()]
    assert {name for name, given, _ in answers if given != "-1"} == set()
    assert {number for _, _, number in answers} <= {"1", "38"}, came.out  # EPERM, ENOSYS


async def test_a_setuid_program_gives_nothing(box: Bench) -> None:
    script = "cp /usr/bin/id /out/id; chmod 6755 /out/id; /out/id -u; cat /proc/self/status; rm /out/id"
    came = await box.sh(script)
    assert came.out.splitlines()[0] == "65534"
    for line in ("NoNewPrivs:\t1", "Seccomp:\t2", "CapEff:\t" + "0" * 16, "CapPrm:\t" + "0" * 16):
        assert line in came.out
    mounted = [line.split()[5] for line in (await box.run("cat", "/proc/self/mountinfo")).out.splitlines()]
    assert all("nosuid" in options.split(",") for options in mounted if "ro" in options.split(","))


async def test_a_command_gets_no_more_processor_than_its_share(box: Bench) -> None:
    came = await box.python(
        "import os, time; until = time.monotonic() + 2\nfor _ in range(4):\n  if not os.fork(): break\n"
        "while time.monotonic() < until: pass\n"
        "print(sum(os.times()[:2])) if 0 else print(time.process_time())",
        cpus=0.5,
    )
    assert (
        sum(float(line) for line in came.out.split()) < 2.5
    )  # of 2 s on two cores, with 4 at once at full speed: 4 s


def sleepers(mark: str) -> list[str]:
    """List the processes of this machine that sleep for a time which begins with `mark`."""
    seen = subprocess.run(["ps", "-eo", "comm,args"], capture_output=True, text=True, check=True).stdout
    return [line for line in seen.splitlines() if line.split()[:1] == ["sleep"] and f"sleep {mark}" in line]


async def test_a_box_dies_with_the_runner(box: Bench, tmp_path: Path) -> None:
    mark = f"97{os.getpid()}"
    plan = Plan(
        argv=("sleep", mark),
        environment=ENVIRONMENT,
        work=str(tmp_path),
        inputs=str(box.inputs),
        image=None,
        disk_bytes=MEBIBYTE,
        output_bytes=100,
        wall_s=60.0,
        files=1,
    )
    program = (
        "import subprocess, sys, time\n"
        "box = subprocess.Popen(sys.argv[2:], stdin=subprocess.PIPE, env={}, cwd='/')\n"
        "box.stdin.write(sys.argv[1].encode()); box.stdin.close(); time.sleep(100)"
    )
    runner = await asyncio.create_subprocess_exec(sys.executable, "-c", program, plan.to_text(), *LAUNCHER)
    async with asyncio.timeout(60):
        while not sleepers(mark):  # noqa: ASYNC110 (another process rings no bell here)
            await asyncio.sleep(0.05)
        runner.kill()
        await runner.wait()
        while sleepers(mark):  # noqa: ASYNC110 (as above)
            await asyncio.sleep(0.05)


def an_image(folder: Path, *, extra: Callable[[tarfile.TarFile], None] | None = None) -> Path:
    """A root folder with the host's shell and what that needs, links as images have them."""
    path = folder / "image.tar"
    libraries = subprocess.run(["ldd", "/usr/bin/dash"], capture_output=True, text=True, check=True).stdout
    with tarfile.open(path, "w") as image:
        for file in ("/usr/bin/dash", *re.findall(r"/\S+", libraries)):
            image.add(Path(file).resolve(), arcname=file.lstrip("/"))
        link = tarfile.TarInfo("bin/sh")
        link.type, link.linkname = tarfile.SYMTYPE, "/usr/bin/dash"
        image.addfile(link)
        note = tarfile.TarInfo("etc/note")
        note.size, note.mode = 4, 0o644
        image.addfile(note, io.BytesIO(b"mine"))
        if extra is not None:
            extra(image)
    return path


async def test_a_command_runs_in_its_image_and_nothing_of_the_hosts_is_there(
    box: Bench, tmp_path: Path
) -> None:
    came = await box.run(
        *(
            "/bin/sh",
            "-c",
            "read x < /etc/note || :; echo $x; echo /* ; (: > /x) || echo kept; echo 1 > /out/a",
        ),
        image=an_image(tmp_path),
    )
    assert came.out.splitlines()[0] == "mine"
    assert set(came.out.splitlines()[1].split()) - {"/lib64", "/lib"} == {
        *("/bin", "/dev", "/etc", "/in", "/out", "/proc", "/tmp", "/usr"),
    }
    assert came.out.splitlines()[2] == "kept"
    assert came.files == {"a": b"1\n"}


@pytest.mark.parametrize("evil", ["link", "traversal", "device", "no tar"])
async def test_an_image_that_means_harm_stays_in_the_box(box: Bench, tmp_path: Path, evil: str) -> None:
    target = tmp_path / "target"
    target.mkdir(mode=0o777)

    def add(image: tarfile.TarFile) -> None:
        member = tarfile.TarInfo("out")
        member.type, member.linkname = tarfile.SYMTYPE, str(target)
        if evil == "traversal":
            member = tarfile.TarInfo(f"../../../../../../..{target}/x")
        if evil == "device":
            member = tarfile.TarInfo("disk")
            member.type, member.devmajor, member.devminor = tarfile.BLKTYPE, 254, 0
        image.addfile(member)

    path = an_image(tmp_path, extra=add)
    if evil == "no tar":
        path.write_bytes(b"\0\1" * 5_000)
    came = await box.run("/bin/sh", "-c", "echo x > /out/x; echo /disk*", image=path)
    assert list(target.iterdir()) == []
    if evil in ("device", "traversal"):  # the one is not made, the other made in the box's own root
        assert came.out == "/disk*\n"
    else:
        assert came.outcome is Outcome.IMAGE


async def test_a_box_that_cannot_be_built_is_no_fault_of_the_command(box: Bench) -> None:
    with pytest.raises(SandboxUnavailable, match="No such file"):
        await box.sh("true", inputs=Path("/no/such/folder"))
    assert not box.groups()


async def test_a_cancelled_run_leaves_nothing(box: Bench) -> None:
    running = asyncio.ensure_future(box.sh("sleep 965432", wall_s=60.0))
    async with asyncio.timeout(60):
        while not box.groups():  # noqa: ASYNC110 (as above)
            await asyncio.sleep(0.02)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert not box.groups()


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (("Seccomp:\t2", "Seccomp:\t0"), "not filtered"),
        (("CapEff:\t0000000000000000", "CapEff:\t0000000000000001"), "has capabilities"),
        (("net lo: 0", "net eth0: 0"), "sees the network eth0"),
        (("out is writable", "out is writable\nwrote /usr"), "wrote /usr"),
    ],
)
def test_a_probe_that_finds_a_hole_refuses_the_box(change: tuple[str, str], fault: str) -> None:
    said = "NoNewPrivs:\t1\nSeccomp:\t2\nCapEff:\t0000000000000000\nCapBnd:\t0000000000000000\n"
    said += "Uid:\t65534\t65534\t65534\t65534\nnet lo: 0\nout is writable"
    _check(said)
    with pytest.raises(SandboxUnavailable, match=fault):
        _check(said.replace(*change))


def test_a_group_of_version_two_gets_its_limits_and_one_without_control_is_refused(tmp_path: Path) -> None:
    (tmp_path / "cgroup.controllers").write_text("cpu memory pids\n")
    (tmp_path / "cgroup.subtree_control").write_text("memory pids cpu\n")
    (tmp_path / "cgroup.procs").write_text(f"{os.getpid()}\n")
    hierarchy = find(tmp_path)
    assert hierarchy.version == 2
    (tmp_path / "cgroup.controllers").write_text("cpu pids\n")
    with pytest.raises(SandboxUnavailable, match="no control over memory"):
        find(tmp_path)


def test_where_groups_are_is_read_from_the_kernels_lists() -> None:
    assert _own_places("4:memory:/a\n3:cpu,cpuacct:/b\n0::/c\n") == {
        "memory": "/a",
        "cpu": "/b",
        "cpuacct": "/b",
        "": "/c",
    }
    listed = "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n31 23 0:27 / /m rw shared:9 - cgroup cgroup rw,memory\n"
    assert _mounts(listed) == {"": Path("/sys/fs/cgroup"), "memory": Path("/m")}


def test_a_parcel_is_read_as_it_was_written() -> None:
    parcel = Parcel(outcome=Outcome.EXITED, code=3, stdout=1, files=(("a/b", 2, True),), left_out=1)
    assert Parcel.from_line(parcel.to_line()) == parcel
