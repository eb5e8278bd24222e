"""Commands that mean harm, run in a box on this machine: what they can see, reach and change. Skipped, with the reason, where no box can be had."""

import signal
from pathlib import Path

import pytest

from devnet.accounts import LOCAL
from runner.errors import SandboxUnavailable
from runner.sandbox.box import ENVIRONMENT
from runner.sandbox.plan import Outcome
from tests.runner.boxes import Boxes, Came


async def test_a_command_returns_its_exit_code_what_it_printed_and_its_files(box: Boxes) -> None:
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


async def test_a_command_that_does_not_exist_is_missing(box: Boxes) -> None:
    assert (await box.run("no-such-program")).outcome is Outcome.MISSING
    assert (await box.run("/etc/passwd")).outcome is Outcome.MISSING


async def test_arguments_are_never_read_by_a_shell(box: Boxes) -> None:
    came = await box.run("echo", "$(id)", "; id", "a b")
    assert came.out == "$(id) ; id a b\n"


async def test_a_command_that_is_killed_says_by_which_signal(box: Boxes) -> None:
    came = await box.sh("kill -SEGV $$")
    assert (came.outcome, came.code) == (Outcome.SIGNALLED, signal.SIGSEGV)


async def test_the_environment_holds_nothing_of_the_runner(
    box: Boxes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNNER_PRIVATE_KEY", "0xsecret")
    seen = dict(line.split("=", 1) for line in (await box.run("env")).out.splitlines())
    assert seen == ENVIRONMENT


async def test_the_hosts_files_are_not_there(box: Boxes, tmp_path: Path) -> None:
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


async def test_nothing_but_out_and_tmp_can_be_written(box: Boxes) -> None:
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


async def test_no_address_can_be_reached(box: Boxes) -> None:
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


async def test_a_link_out_of_the_box_is_not_followed_home(box: Boxes, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    came = await box.sh(
        f"ln -s {secret} a; ln -s / b; ln -s /proc/1/root/etc/shadow c; mkfifo d; ln -s ../../../.. e;"
        "mkdir f; ln -s /etc/passwd f/g; echo 1 > f/h; printf x > 'we\\ird'"
    )
    assert came.files == {"f/h": b"1\n"}
    assert came.left_out == 7


async def test_the_first_process_of_the_box_cannot_be_touched(box: Boxes) -> None:
    script = "kill -9 1 2>/dev/null; cat /proc/1/environ /proc/1/mem /proc/1/maps 2>/dev/null | head -c 9;"
    script += "ls /proc/1/fd /proc/1/root/ 2>/dev/null; echo alive"
    assert (await box.sh(script)).out == "alive\n"


async def test_forbidden_system_calls_fail(box: Boxes) -> None:
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


async def test_a_setuid_program_gives_nothing(box: Boxes) -> None:
    script = "cp /usr/bin/id /out/id; chmod 6755 /out/id; /out/id -u; cat /proc/self/status; rm /out/id"
    came = await box.sh(script)
    assert came.out.splitlines()[0] == "65534"
    for line in ("NoNewPrivs:\t1", "Seccomp:\t2", "CapEff:\t" + "0" * 16, "CapPrm:\t" + "0" * 16):
        assert line in came.out
    mounted = [line.split()[5] for line in (await box.run("cat", "/proc/self/mountinfo")).out.splitlines()]
    assert all("nosuid" in options.split(",") for options in mounted if "ro" in options.split(","))


async def test_a_box_that_cannot_be_built_is_no_fault_of_the_command(box: Boxes) -> None:
    with pytest.raises(SandboxUnavailable, match="No such file"):
        await box.sh("true", inputs=Path("/no/such/folder"))
    assert not box.groups()
