"""Commands that bring their own root folder."""

import io
import re
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from runner.sandbox.plan import Outcome
from tests.runner.boxes import Boxes


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
    box: Boxes, tmp_path: Path
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
async def test_an_image_that_means_harm_stays_in_the_box(box: Boxes, tmp_path: Path, evil: str) -> None:
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
