"""Whether a box holds, where its limits come from, and what its two sides tell each other."""

import os
from pathlib import Path

import pytest

from runner.errors import SandboxUnavailable
from runner.sandbox.cgroups import _mounts, _own_places, find
from runner.sandbox.plan import Outcome, Parcel
from runner.sandbox.probe import _check


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
