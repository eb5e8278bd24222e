from eth_abi.abi import encode
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

from protocol.commitment import Reveal, commitment, new_salt

TASK = b"\x01" * 32
NODE = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
OTHER_NODE = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"
word = st.binary(min_size=32, max_size=32)
tokens = st.integers(min_value=0, max_value=2**32 - 1)
reveals = st.builds(
    Reveal, result=word, fingerprint=word, input_tokens=tokens, output_tokens=tokens, salt=word
)


@given(reveals, reveals)
def test_different_reveals_have_different_commitments(one: Reveal, other: Reveal):
    assert (commitment(TASK, NODE, one) == commitment(TASK, NODE, other)) == (one == other)


@given(reveals)
def test_a_commitment_cannot_be_copied_by_another_node_or_to_another_task(reveal: Reveal):
    mine = commitment(TASK, NODE, reveal)
    assert mine != commitment(TASK, OTHER_NODE, reveal)
    assert mine != commitment(b"\x02" * 32, NODE, reveal)


@given(reveals)
def test_a_commitment_is_the_hash_that_the_interface_documents(reveal: Reveal):
    kinds = ["bytes32", "address", "bytes32", "bytes32", "uint32", "uint32", "bytes32"]
    values = [
        TASK,
        NODE,
        reveal.result,
        reveal.fingerprint,
        reveal.input_tokens,
        reveal.output_tokens,
        reveal.salt,
    ]
    assert commitment(TASK, NODE, reveal) == keccak(encode(kinds, values))


def test_salts_do_not_repeat():
    assert len({new_salt() for _ in range(1000)}) == 1000
    assert len(new_salt()) == 32
