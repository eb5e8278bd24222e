import asyncio
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from devnet.ipfs import IpfsNode
from protocol.cid import digest_of, digest_to_cid
from protocol.content import IpfsStore
from protocol.documents import MAX_DOCUMENT_BYTES
from protocol.errors import ContentMismatch, ContentTooLarge, ContentUnavailable


@pytest.fixture
def store(ipfs_api: str) -> IpfsStore:
    return IpfsStore(ipfs_api)


@pytest.mark.parametrize("content", [b".", b"hello", b"\0" * 1000, b"x" * MAX_DOCUMENT_BYTES], ids=len)
async def test_what_is_added_is_got_back_by_its_digest(store: IpfsStore, content: bytes):
    digest = await store.add(content)
    assert digest == digest_of(content)
    assert await store.get(digest) == content


async def test_many_documents_at_once_do_not_mix(store: IpfsStore):
    contents = [f"document {number}".encode() for number in range(40)]
    digests = await asyncio.gather(*(store.add(content) for content in contents))
    assert await asyncio.gather(*(store.get(digest) for digest in digests)) == contents


async def test_a_document_larger_than_one_block_is_not_added(store: IpfsStore):
    with pytest.raises(ContentTooLarge):
        await store.add(b"x" * (MAX_DOCUMENT_BYTES + 1))


async def test_content_longer_than_allowed_is_refused_though_it_is_what_was_asked_for(store: IpfsStore):
    digest = await store.add(b"x" * 1000)
    assert len(await store.get(digest, max_bytes=1000)) == 1000
    with pytest.raises(ContentTooLarge, match=digest_to_cid(digest)):
        await store.get(digest, max_bytes=999)


async def test_content_that_nobody_has_is_unavailable(ipfs_api: str):
    missing = digest_of(b"nobody ever added this")
    with pytest.raises(ContentUnavailable) as caught:
        await IpfsStore(ipfs_api, timeout_s=0.5).get(missing)
    assert digest_to_cid(missing) in str(caught.value)
    assert "IPFS_API" in str(caught.value.hint)


async def test_a_node_that_does_not_run_is_named(unused_tcp_port: int):
    api = f"/ip4/127.0.0.1/tcp/{unused_tcp_port}/http"
    with pytest.raises(ContentUnavailable, match=rf"{api} \(no connection\)"):
        await IpfsStore(api, timeout_s=2).add(b"hello")


_ASK_AND_LEAVE = """
import asyncio, sys
from protocol.content import IpfsStore

async def ask_and_leave():
    asking = asyncio.ensure_future(IpfsStore(sys.argv[1], timeout_s=600).get(bytes(32)))
    await asyncio.sleep(0.5)
    asking.cancel()

asyncio.run(ask_and_leave())
"""


def test_a_process_can_end_while_a_node_still_looks_for_something():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        api = f"/ip4/127.0.0.1/tcp/{silent.getsockname()[1]}/http"
        done = subprocess.run([sys.executable, "-c", _ASK_AND_LEAVE, api], timeout=120, check=False)
    assert done.returncode == 0


async def test_pinned_content_may_be_let_go_of_twice(store: IpfsStore):
    digest = await store.add(b"pinned")
    await store.pin(digest)
    await store.unpin(digest)
    await store.unpin(digest)


def falsify(folder: Path, *, old: bytes, new: bytes) -> None:
    block = next(path for path in folder.rglob("*") if path.is_file() and path.read_bytes() == old)
    block.write_bytes(new)


@pytest.fixture
async def liar(tmp_path: Path) -> AsyncIterator[tuple[IpfsStore, bytes]]:
    """Yield a store whose node has other bytes on its disk than the digest says."""
    async with IpfsNode.start(folder=tmp_path) as node:
        digest = await IpfsStore(node.api).add(b"the truth")
    falsify(tmp_path, old=b"the truth", new=b"something else")
    async with IpfsNode.start(folder=tmp_path) as node:
        yield IpfsStore(node.api, timeout_s=5), digest


async def test_other_bytes_than_asked_for_are_refused(liar: tuple[IpfsStore, bytes]):
    store, digest = liar
    with pytest.raises(ContentMismatch, match=digest_to_cid(digest)):
        await store.get(digest)
