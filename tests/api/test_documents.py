"""Putting a prompt's specification on IPFS through the API."""

import hashlib
from typing import Any

import pytest

from protocol.cid import cid_to_digest
from protocol.content import IpfsStore
from protocol.documents import LlmSpec, parse_document

from .conftest import Index, Serve

MODEL = "smollm2:135m@sha256:" + "ab" * 32


async def test_a_specification_is_stored_canonically_and_its_digest_is_of_what_was_stored(
    index: Index, serve: Serve, ipfs_api: str
) -> None:
    document = {"kind": "llm", "version": 1, "prompt": "2+2?", "model": MODEL, "options": {"num_predict": 9}}
    async with serve(database_url=index.url, ipfs_api=ipfs_api) as client:
        answer = await client.post("/api/v1/documents", json=document)
        again = await client.post("/api/v1/documents", json=document)
    assert answer.status_code == 201
    stored = answer.json()
    assert again.json() == stored
    assert stored["digest"] == "0x" + hashlib.sha256(stored["content"].encode()).hexdigest()
    assert cid_to_digest(stored["cid"]).hex() == stored["digest"][2:]
    content = await IpfsStore(ipfs_api).get(bytes.fromhex(stored["digest"][2:]))
    spec = parse_document(content)
    assert isinstance(spec, LlmSpec)
    assert (spec.prompt, spec.options.num_predict) == ("2+2?", 9)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"prompt": ""}, "prompt"),
        ({"model": "smollm2"}, "model"),
        ({"more": 1}, "more"),
        ({"kind": "file"}, "kind"),
    ],
)
async def test_what_is_no_specification_is_refused_and_its_field_named(
    change: dict[str, Any], field: str, index: Index, serve: Serve
) -> None:
    document = {"kind": "llm", "version": 1, "prompt": "2+2?", "model": MODEL} | change
    async with serve(database_url=index.url) as client:
        answer = await client.post("/api/v1/documents", json=document)
    assert answer.status_code == 400
    assert answer.json()["field"] == field


async def test_an_ipfs_node_that_is_away_is_said(index: Index, serve: Serve) -> None:
    document = {"kind": "llm", "version": 1, "prompt": "2+2?", "model": MODEL}
    async with serve(database_url=index.url, ipfs_api="/ip4/127.0.0.1/tcp/9/http") as client:
        answer = await client.post("/api/v1/documents", json=document)
    assert answer.status_code == 503
    assert answer.json()["type"].endswith("content-unavailable")
    assert "IPFS" in answer.json()["detail"]
