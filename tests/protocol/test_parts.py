import asyncio
import hashlib
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.cid import digest_of
from protocol.content import IpfsStore
from protocol.documents import canonical
from protocol.errors import ContentMismatch, ContentTooLarge, ContentUnavailable, InputError
from protocol.parts import PART_BYTES, PartList, fetch_parts, list_parts, store_parts, stored_as


@pytest.fixture
def store(ipfs_api: str) -> IpfsStore:
    return IpfsStore(ipfs_api)


@pytest.mark.parametrize("length", [0, 1, PART_BYTES, PART_BYTES + 1, 3 * PART_BYTES])
async def test_content_of_any_length_comes_back_by_the_digest_of_its_list(store: IpfsStore, length: int):
    content = os.urandom(length)
    stored = await store_parts(store, content)
    assert stored == stored_as(content)
    assert stored.sha256 == hashlib.sha256(content).digest()
    assert await fetch_parts(store, stored.root, max_bytes=length) == content


@given(st.integers(min_value=0, max_value=3 * PART_BYTES))
def test_a_list_has_as_many_parts_as_its_length_needs(length: int):
    listed = list_parts(b"\0" * length)
    assert listed.size == length
    assert len(listed.parts) == -(-length // PART_BYTES)


async def test_content_longer_than_allowed_is_refused_before_any_part_is_fetched(store: IpfsStore):
    listed = list_parts(b"x" * 1000)
    await store.add(canonical(listed))  # the part itself is nowhere
    with pytest.raises(ContentTooLarge):
        await fetch_parts(store, digest_of(canonical(listed)), max_bytes=999)


async def test_a_part_that_nobody_has_makes_the_content_unavailable(ipfs_api: str):
    store = IpfsStore(ipfs_api, timeout_s=1)
    root = await store.add(canonical(list_parts(b"of this only the list was ever stored")))
    with pytest.raises(ContentUnavailable):
        await fetch_parts(store, root, max_bytes=1000)


async def test_a_list_that_names_other_content_than_its_parts_make_is_a_mismatch(store: IpfsStore):
    await store.add(b"ab")
    honest = list_parts(b"ab")
    for lie in ({"sha256": "0" * 64}, {"size": 3}):
        root = await store.add(canonical(honest.model_copy(update=lie)))
        with pytest.raises(ContentMismatch):
            await fetch_parts(store, root, max_bytes=1000)


async def test_another_document_is_not_taken_for_a_list(store: IpfsStore):
    root = await store.add(b'{"kind":"llm"}')
    with pytest.raises(ContentMismatch):
        await fetch_parts(store, root, max_bytes=1000)


async def test_equal_content_stored_at_once_has_one_name(store: IpfsStore):
    content = os.urandom(PART_BYTES + 5)
    stored = await asyncio.gather(*(store_parts(store, content) for _ in range(16)))
    assert len(set(stored)) == 1


def test_a_list_with_too_few_parts_is_no_list():
    with pytest.raises((InputError, ValueError), match="parts"):
        PartList(size=PART_BYTES + 1, sha256="0" * 64, parts=("0" * 64,))
