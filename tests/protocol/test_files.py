import io
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.errors import ConfigError, ContentMismatch, ContentTooLarge, ContentUnavailable, InputError
from protocol.files import FileStore, http_url
from protocol.unixfs import LAYOUTS, PARITY, cid_of_file, layout_of, parse_cid

CHUNK = PARITY.chunk_bytes
V0 = LAYOUTS[1]


@pytest.fixture
def files(ipfs_api: str) -> FileStore:
    return FileStore(ipfs_api, timeout_s=6)


# What `ipfs add` of Kubo prints for these, as its documentation and tests show.
@pytest.mark.parametrize(
    ("content", "cid"),
    [
        (b"hello world\n", "QmT78zSuBmuS4z925WZfrqQ1qHaJ56DQaTfyMUF7F8ff5o"),
        (b"", "QmbFMke1KXqnYyBBWxB74N4c5SBnJMVAiMNRcGu6x1AwQH"),
        (b"", "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"),
    ],
)
def test_files_have_the_identifiers_that_kubo_gives_them(content: bytes, cid: str):
    assert layout_of(io.BytesIO(content), parse_cid(cid)) is not None


@pytest.mark.parametrize("length", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 7, 180 * CHUNK])
async def test_a_file_of_any_length_is_named_as_the_node_names_it_and_comes_back(
    files: FileStore, length: int
):
    content = os.urandom(length)
    seen: list[int] = []
    cid = await files.upload(io.BytesIO(content), on_progress=seen.append)
    assert seen[-1] == length
    assert await files.fetch(cid) == content


@given(st.sampled_from(LAYOUTS), st.integers(0, 3), st.integers(-1, 1))
def test_a_file_is_recognised_under_every_layout_and_one_bit_more_is_not(layout, chunks: int, more: int):
    content = bytes(max(0, chunks * CHUNK + more))
    cid = cid_of_file(io.BytesIO(content), layout)
    assert layout_of(io.BytesIO(content), cid) is not None
    assert layout_of(io.BytesIO(content + b"\0"), cid) is None


def test_an_identifier_is_written_as_it_was_read():
    for text in (
        "QmT78zSuBmuS4z925WZfrqQ1qHaJ56DQaTfyMUF7F8ff5o",
        "bafybeicg2rebjoofv4kbyovkw7af3rpiitvnl6i7ckcywaq6xjcxnc2mby",
        "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku",
    ):
        assert str(parse_cid(text)) == text


@pytest.mark.parametrize("text", ["", "QmXXX...", "bafy", "z" * 50, "hello", "bafyreigh2akiscaildc"])
def test_what_is_no_identifier_of_a_file_is_refused_by_the_name_of_its_field(text: str):
    with pytest.raises(InputError) as caught:
        parse_cid(text, field="--dataset-cid")
    assert caught.value.field == "--dataset-cid"
    assert "upload-file" in str(caught.value.hint)


async def test_a_file_that_is_longer_than_allowed_is_refused(files: FileStore):
    cid = await files.upload(io.BytesIO(b"x" * 1000))
    with pytest.raises(ContentTooLarge):
        await files.fetch(cid, max_bytes=999)


async def test_a_file_that_nobody_has_is_unavailable(files: FileStore):
    missing = str(cid_of_file(io.BytesIO(os.urandom(50))))
    with pytest.raises(ContentUnavailable, match=missing):
        await files.fetch(missing)


async def test_bytes_that_are_not_those_of_the_identifier_are_refused(files: FileStore):
    content = os.urandom(CHUNK + 9)
    cid = await files.upload(io.BytesIO(content))
    under_another_layout = str(cid_of_file(io.BytesIO(content[:-1]), V0))
    with pytest.raises((ContentMismatch, ContentUnavailable)):
        await files.fetch(under_another_layout)
    assert await files.fetch(cid) == content


async def test_a_file_can_be_let_go_of_twice(files: FileStore):
    cid = await files.upload(io.BytesIO(os.urandom(CHUNK + 1)))
    await files.pin(cid)
    assert await files.unpin(cid)
    await files.unpin(cid)


@pytest.mark.parametrize(
    ("api", "url"),
    [
        ("/ip4/127.0.0.1/tcp/5001/http", "http://127.0.0.1:5001"),
        ("/dns/ipfs.example/tcp/443/https", "https://ipfs.example:443"),
        ("/ip6/::1/tcp/5001", "http://[::1]:5001"),
    ],
)
def test_a_node_s_address_becomes_a_url(api: str, url: str):
    assert http_url(api) == url


def test_an_address_without_http_is_refused():
    with pytest.raises(ConfigError, match="IPFS_API"):
        http_url("/ip4/127.0.0.1/udp/4001/quic")
