"""The document worker on a real IPFS node."""

import json

import asyncpg
import pytest

from indexer.documents import DocumentWorker
from protocol.content import ContentStore, IpfsStore
from protocol.documents import LlmSpec, RunnerProfile, canonical
from protocol.errors import ContentMismatch
from tests.indexer.conftest import Rig

MODEL = "smollm2:135m@sha256:" + "ab" * 32
SPEC = LlmSpec(model=MODEL, prompt="What is the capital of France?", client_id="my-app")


async def wanted(rig: Rig, digest: bytes, kind: str) -> None:
    await rig.fetch("INSERT INTO content.documents (digest, kind) VALUES ($1, $2)", digest, kind)


async def work(rig: Rig, store: ContentStore) -> None:
    async with DocumentWorker.open(rig.database_url, store) as worker:
        while await worker.round():
            pass


async def document(rig: Rig, digest: bytes) -> asyncpg.Record:
    (row,) = await rig.fetch("SELECT * FROM content.documents WHERE digest = $1", digest)
    return row


async def test_a_spec_is_fetched_checked_and_shown(rig: Rig, ipfs_api: str) -> None:
    store = IpfsStore(ipfs_api)
    digest = await store.add(canonical(SPEC))
    await wanted(rig, digest, "spec")
    await work(rig, store)
    row = await document(rig, digest)
    assert (row["status"], row["size"]) == ("stored", len(canonical(SPEC)))
    assert json.loads(row["content"])["prompt"] == SPEC.prompt
    assert json.loads(row["content"])["clientId"] == "my-app"


@pytest.mark.parametrize(("kind", "named"), [("session", "fl-session"), ("model-card", "fl-model-card")])
async def test_what_a_learning_session_says_is_shown_as_it_is(
    rig: Rig, ipfs_api: str, kind: str, named: str
) -> None:
    store = IpfsStore(ipfs_api)
    digest = await store.add(f'{{"kind":"{named}","loss":"0.5"}}'.encode())
    await wanted(rig, digest, kind)
    await work(rig, store)
    row = await document(rig, digest)
    assert json.loads(row["content"]) == {"kind": named, "loss": "0.5"}


@pytest.mark.parametrize(
    ("content", "kind", "message"),
    [
        (b"not json", "spec", "document"),
        (canonical(RunnerProfile(label="r", models=(), slots=1)), "spec", "is a runner-profile, not a spec"),
        (canonical(LlmSpec(model=MODEL, prompt="a\0b")), "spec", "U+0000"),
        (b'{"kind":"fl-session","name":"a"}', "model-card", "is a fl-session, not a model-card"),
        (b'{"kind": "fl-session"}', "session", "canonical"),
        (b"[" * 5_000, "session", "not JSON"),
    ],
)
async def test_content_that_is_no_such_document_is_marked_and_not_asked_for_again(
    rig: Rig, ipfs_api: str, content: bytes, kind: str, message: str
) -> None:
    store = IpfsStore(ipfs_api)
    digest = await store.add(content)
    await wanted(rig, digest, kind)
    await work(rig, store)
    row = await document(rig, digest)
    assert (row["status"], row["content"], row["attempts"]) == ("invalid", None, 1)
    assert message in row["error"]


async def test_a_missing_document_is_tried_again_later(rig: Rig, ipfs_api: str) -> None:
    store = IpfsStore(ipfs_api, timeout_s=1)
    digest = b"\x55" * 32
    await wanted(rig, digest, "result")
    await work(rig, store)
    row = await document(rig, digest)
    assert (row["status"], row["attempts"]) == ("unavailable", 1)
    (due,) = await rig.fetch(
        "SELECT next_attempt_at > now() AS later FROM content.documents WHERE digest = $1", digest
    )
    assert due["later"]


class Liar:
    """A store that gives other content than asked for: no honest node can be made to."""

    async def get(self, _digest: bytes, **_limits: int) -> bytes:
        raise ContentMismatch("the store returned other content than asked for")


async def test_content_that_does_not_match_its_digest_is_recorded_as_a_mismatch(rig: Rig) -> None:
    await wanted(rig, b"\x56" * 32, "result")
    await work(rig, Liar())  # type: ignore[arg-type]
    assert (await document(rig, b"\x56" * 32))["status"] == "mismatch"


async def test_documents_of_a_history_are_asked_for_and_delay_nothing(rig: Rig) -> None:
    rig.node.grow(40)
    async with rig.follower() as follower:
        await follower.step()
    asked = {row["digest"] for row in await rig.fetch("SELECT digest FROM content.documents")}
    specs = {row["spec"] for row in await rig.fetch("SELECT spec FROM tasks")}
    profiles = {row["profile"] for row in await rig.fetch("SELECT profile FROM runners")}
    assert specs | profiles <= asked
    assert await rig.fetch("SELECT * FROM prompt_requests") == []
