import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.cid import cid_to_digest, digest_of, digest_to_cid
from protocol.errors import InputError

# Published by the IPFS documentation and by Kubo's own tests (`ipfs add --cid-version=1 --raw-leaves`).
PUBLISHED = {
    b"": "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku",
    b"hello world": "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e",
}


@pytest.mark.parametrize(("content", "cid"), PUBLISHED.items())
def test_a_published_identifier_is_reproduced(content: bytes, cid: str):
    assert digest_to_cid(digest_of(content)) == cid
    assert cid_to_digest(cid) == digest_of(content)


@given(st.binary(min_size=32, max_size=32))
def test_a_digest_survives_its_identifier(digest: bytes):
    assert cid_to_digest(digest_to_cid(digest)) == digest


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "QmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1n",  # version 0: a directory's or large file's node
        "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi",  # not a raw block
        "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5",  # a letter short
        "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e!",
        "é",
    ],
)
def test_what_does_not_name_a_raw_block_is_refused(text: str):
    with pytest.raises(InputError) as caught:
        cid_to_digest(text)
    assert caught.value.field == "cid"


def test_a_digest_of_another_length_has_no_identifier():
    with pytest.raises(InputError):
        digest_to_cid(b"short")
