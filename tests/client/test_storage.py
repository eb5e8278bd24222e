import io
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from protocol.errors import ContentMismatch
from protocol.files import FileStore
from protocol.unixfs import cid_of_file
from tests.client.cli import Cli
from tests.client.stand_ins import serving


@pytest.fixture
def shell(offline: Cli, ipfs_api: str) -> Cli:
    """A shell with an IPFS node, and no chain: storage needs none."""
    return Cli(env={**offline.env, "IPFS_API": ipfs_api})


@pytest.mark.parametrize("size", [0, 1_000, 700_000])
async def test_a_file_comes_back_by_what_its_upload_printed(shell: Cli, tmp_path: Path, size: int):
    source, target = tmp_path / "data.csv", tmp_path / "back" / "data.csv"
    source.write_bytes(os.urandom(size))
    uploaded = await shell("storage", "upload-file", str(source))
    assert uploaded.code == 0, uploaded.err
    assert uploaded.out.strip() == str(cid_of_file(io.BytesIO(source.read_bytes())))
    downloaded = await shell("storage", "download", uploaded.out.strip(), "-o", str(target))
    assert downloaded.code == 0, downloaded.err
    assert target.read_bytes() == source.read_bytes()
    assert [path.name for path in target.parent.iterdir()] == ["data.csv"]


async def test_a_folder_comes_back_with_all_its_files(shell: Cli, tmp_path: Path):
    source, target = tmp_path / "photos", tmp_path / "back"
    (source / "deep" / "er").mkdir(parents=True)
    contents = {"a.png": b"", "deep/b.png": os.urandom(300_000), "deep/er/c": b"c"}
    for name, content in contents.items():
        (source / name).write_bytes(content)
    uploaded = (await shell("storage", "upload-dir", str(source), "--json")).json
    assert [file["path"] for file in uploaded["files"]] == sorted(contents)
    info = (await shell("storage", "info", uploaded["cid"], "--json")).json
    assert info["files"] == uploaded["files"]
    assert (await shell("storage", "download", uploaded["cid"], "-o", str(target))).code == 0
    found = {p.relative_to(target).as_posix(): p.read_bytes() for p in target.rglob("*") if p.is_file()}
    assert found == contents


async def test_what_a_cid_names_is_described(shell: Cli, tmp_path: Path):
    (tmp_path / "f").write_bytes(os.urandom(300_000))
    cid = (await shell("storage", "upload-file", str(tmp_path / "f"))).out.strip()
    info = (await shell("storage", "info", cid, "--json")).json
    assert info["size"] == 300_000
    assert info["codec"] == "dag-pb"
    assert info["cidV0"].startswith("Qm")


async def test_a_file_under_its_older_name_is_the_same_file(shell: Cli, tmp_path: Path):
    """A guide's `Qm…` may be what the node knows as `bafy…`."""
    (tmp_path / "f").write_bytes(os.urandom(300_000))
    cid = (await shell("storage", "upload-file", str(tmp_path / "f"))).out.strip()
    old = (await shell("storage", "info", cid, "--json")).json["cidV0"]
    assert (await shell("storage", "download", old, "-o", str(tmp_path / "g"))).code == 0
    assert (tmp_path / "g").read_bytes() == (tmp_path / "f").read_bytes()


async def test_pinning_a_folder_pins_its_files_and_unpinning_lets_them_go(shell: Cli, tmp_path: Path):
    (tmp_path / "d").mkdir()
    for name in ("a", "b"):
        (tmp_path / "d" / name).write_bytes(os.urandom(10))
    cid = (await shell("storage", "upload-dir", str(tmp_path / "d"))).out.strip()
    assert (await shell("storage", "pin", cid, "--json")).json == {"cid": cid, "pinned": 3}
    assert (await shell("storage", "unpin", cid, "--json")).json == {"cid": cid, "unpinned": 3}


async def test_an_existing_file_is_left_alone_unless_it_is_to_be_replaced(shell: Cli, tmp_path: Path):
    source, target = tmp_path / "new", tmp_path / "old"
    source.write_bytes(b"new")
    target.write_bytes(b"old")
    cid = (await shell("storage", "upload-file", str(source))).out.strip()
    refused = await shell("storage", "download", cid, "-o", str(target))
    assert (refused.code, target.read_bytes()) == (2, b"old")
    assert "--replace" in refused.err
    assert (await shell("storage", "download", cid, "-o", str(target), "--replace")).code == 0
    assert target.read_bytes() == b"new"


@pytest.mark.parametrize("path", ["../evil", "/etc/evil", "a/../../evil", "a//b", "C:/evil", "a\\b"])
async def test_a_listing_that_leads_out_of_its_folder_writes_nothing(shell: Cli, tmp_path: Path, path: str):
    listing = {"files": [{"cid": "bafk", "path": path, "size": 1}], "kind": "folder", "version": 1}
    source, target = tmp_path / "listing", tmp_path / "inner" / "out"
    source.write_text(json.dumps(listing, separators=(",", ":")))
    cid = (await shell("storage", "upload-file", str(source))).out.strip()
    refused = await shell("storage", "download", cid, "-o", str(target))
    assert refused.code == 2
    assert "below the folder" in refused.err
    assert not any("evil" in name for name in os.listdir(tmp_path) + os.listdir(tmp_path / "inner"))


async def test_links_are_not_followed_out_of_a_folder(shell: Cli, tmp_path: Path):
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "link").symlink_to("/etc/passwd")
    refused = await shell("storage", "upload-dir", str(tmp_path / "d"))
    assert refused.code == 2
    assert "link" in refused.err


@pytest.mark.parametrize(
    ("argv", "named"),
    [
        (("upload-file", "/nowhere/at/all"), "/nowhere/at/all"),
        (("upload-file", "/"), "upload-dir"),
        (("upload-dir", "/nowhere"), "/nowhere"),
        (("download", "QmXXX...", "-o", "x"), "QmXXX"),
        (("pin", "hello"), "hello"),
    ],
)
async def test_what_cannot_be_used_is_named_with_exit_code_2(shell: Cli, argv: tuple[str, ...], named: str):
    refused = await shell("storage", *argv)
    assert refused.code == 2
    assert named in refused.err
    assert "hint:" in refused.err


async def test_a_node_that_does_not_run_is_named(offline: Cli, tmp_path: Path):
    (tmp_path / "f").write_bytes(b"f")
    failed = await offline("storage", "upload-file", str(tmp_path / "f"))
    assert failed.code == 1
    assert "IPFS_API" in failed.err


@pytest.fixture
def node_that_answers() -> Callable[[bytes], Starlette]:
    """An IPFS node that gives the same bytes whatever it is asked for."""

    def make(content: bytes) -> Starlette:
        async def answer(_: Request) -> Response:
            return Response(content)

        return Starlette(routes=[Route("/api/v0/cat", answer, methods=["POST"])])

    return make


async def test_a_node_that_returns_other_content_is_found_out(
    node_that_answers: Callable[[bytes], Starlette], offline: Cli, tmp_path: Path
):
    asked = cid_of_file(io.BytesIO(b"what was asked for"))
    async with serving(node_that_answers(b"something else")) as port:
        api = f"/ip4/127.0.0.1/tcp/{port}/http"
        with pytest.raises(ContentMismatch):
            await FileStore(api).fetch(str(asked))
        failed = await offline("storage", "download", str(asked), "-o", str(tmp_path / "f"), IPFS_API=api)
    assert failed.code == 1
    assert os.listdir(tmp_path) == ["home"]
