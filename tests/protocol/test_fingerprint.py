import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from protocol.documents import canonical
from protocol.errors import InputError
from protocol.fingerprint import (
    Alternative,
    Fingerprint,
    TokenMark,
    leaf,
    merkle_proof,
    merkle_root,
    merkle_verify,
    milli,
    parse_fingerprint,
)

MODEL = "smollm2:135m@sha256:" + "ab" * 32
TASK = "0x" + "11" * 32

hashes = st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=33)


def a_mark(text: str = "Paris", logprob: int = -63, **others: int) -> TokenMark:
    top = tuple(
        Alternative(token=other.encode().hex(), logprob=value)
        for other, value in sorted(others.items(), key=lambda item: -item[1])
    )
    return TokenMark(token=text.encode().hex(), logprob=logprob, top=top)


def a_fingerprint(*marks: TokenMark) -> Fingerprint:
    return Fingerprint(task=TASK, model=MODEL, input_tokens=27, tokens=marks)


@given(hashes, st.data())
def test_every_leaf_is_proven_by_its_siblings(leaves: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(leaves) - 1))
    assert merkle_verify(merkle_root(leaves), leaves[index], merkle_proof(leaves, index))


@given(hashes, st.data())
def test_no_other_leaf_passes_with_the_same_siblings(leaves: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(leaves) - 1))
    other = data.draw(st.binary(min_size=32, max_size=32).filter(lambda drawn: drawn != leaves[index]))
    assert not merkle_verify(merkle_root(leaves), other, merkle_proof(leaves, index))


@given(hashes)
def test_a_longer_list_has_another_root(leaves: list[bytes]) -> None:
    assert merkle_root([*leaves, bytes(32)]) != merkle_root(leaves)


def test_the_root_changes_with_every_part_of_a_mark() -> None:
    mark = a_mark(Paris=-63, London=-3_000)
    changed = [
        a_mark("paris", Paris=-63, London=-3_000),
        a_mark(logprob=-64, Paris=-63, London=-3_000),
        a_mark(Paris=-63, London=-3_001),
        a_mark(Paris=-63, Berlin=-3_000),
        a_mark(Paris=-63),
    ]
    roots = {a_fingerprint(each).root for each in (mark, *changed)}
    assert len(roots) == 1 + len(changed)


def test_a_mark_is_bound_to_its_place() -> None:
    assert leaf(0, a_mark()) != leaf(1, a_mark())


def test_a_fingerprint_reads_back() -> None:
    fingerprint = a_fingerprint(a_mark(" Paris", Paris=-63), a_mark("", -361))
    assert parse_fingerprint(canonical(fingerprint)) == fingerprint
    assert fingerprint.text_before(1) == b" Paris"


def test_alternatives_out_of_order_are_refused() -> None:
    with pytest.raises(ValidationError, match="falling order"):
        a_fingerprint(
            TokenMark(
                token="00",
                logprob=-5,
                top=(Alternative(token="00", logprob=-5), Alternative(token="01", logprob=-1)),
            )
        )


def test_a_likelihood_above_one_is_refused_by_the_name_of_its_field() -> None:
    content = canonical(a_fingerprint(a_mark())).replace(b'"logprob":-63', b'"logprob":63')
    with pytest.raises(InputError, match=r"tokens\.0\.logprob"):
        parse_fingerprint(content)


@pytest.mark.parametrize(
    ("logprob", "thousandths"),
    [
        (-0.0634, -63),
        (0.0, 0),
        (1e-9, 0),
        (float("-inf"), -100_000),
        (float("nan"), -100_000),
        (-1e9, -100_000),
    ],
)
def test_a_log_probability_is_kept_to_a_thousandth(logprob: float, thousandths: int) -> None:
    assert milli(logprob) == thousandths
