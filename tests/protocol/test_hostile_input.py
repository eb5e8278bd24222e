"""Whatever a stranger sends, a reader answers with the value or with an error of ours: no crash, no other exception."""

import contextlib
import json
from collections.abc import Callable

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from protocol.cid import cid_to_digest
from protocol.documents import LlmOptions, LlmSpec, canonical, parse_document
from protocol.errors import ParityError
from protocol.order import Order
from protocol.streaming import Payment, channel_from_json
from protocol.unixfs import parse_cid
from protocol.voucher import Voucher

WORD = "0x" + "11" * 32
ADDRESS = "0x000000000000000000000000000000000000bEEF"
DEEP = "[" * 50_000
LONG = "9" * 50_000
VOUCHER = {"channelId": WORD, "cumulative": "5", "r": WORD, "vs": WORD}
CHANNEL = {
    "payer": ADDRESS,
    "node": ADDRESS,
    "owner": ADDRESS,
    "amount": "5",
    "closeDelay": "6",
    "openBy": "7",
    "salt": WORD,
}
SPEC: dict[str, object] = json.loads(
    canonical(LlmSpec(model="m@sha256:" + "0" * 64, prompt="Why?", options=LlmOptions()))
)
ORDER: dict[str, object] = {
    **dict.fromkeys(("client", "payer"), ADDRESS),
    **dict.fromkeys(("reward", "bond", "inputPrice", "outputPrice"), "5"),
    **dict.fromkeys(("paramsId", "replicas", "quorum"), 1),
    "mode": 0,
    "claimBy": 9,
    "retention": 9,
    "clientEpoch": 0,
    "spec": WORD,
    "salt": WORD,
}

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from([LONG, "-1", "1e3", "٣", "0x", WORD, ADDRESS, "\ud800", "\x00"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def bent(draw: st.DrawFn, document: dict[str, object]) -> dict[str, object]:
    """A document with some of its fields replaced, removed or added."""
    changed = dict(document)
    for name in draw(st.lists(st.sampled_from(sorted(document)), max_size=3)):
        changed[name] = draw(json_values)
    for name in draw(st.lists(st.sampled_from(sorted(document)), max_size=1)):
        changed.pop(name, None)
    return changed | draw(st.dictionaries(st.text(max_size=8), json_values, max_size=1))


def spelled(document: dict[str, object]) -> bytes:
    """Canonical JSON where there is one, so that the fields are looked at; else whatever Python writes."""
    with contextlib.suppress(rfc8785.CanonicalizationError, UnicodeError):
        return bytes(rfc8785.dumps(document))
    return json.dumps(document).encode()


def is_read_or_refused(read: Callable[[], object]) -> None:
    with contextlib.suppress(ParityError):
        read()


@given(st.binary(max_size=400) | bent(SPEC).map(spelled))
def test_a_document(content: bytes) -> None:
    is_read_or_refused(lambda: parse_document(content))


@given(st.text(max_size=80))
def test_a_content_identifier(text: str) -> None:
    is_read_or_refused(lambda: cid_to_digest(text))
    is_read_or_refused(lambda: parse_cid(text))


@given(bent(VOUCHER))
def test_a_voucher(document: dict[str, object]) -> None:
    is_read_or_refused(lambda: Voucher.from_json(document))


@given(json_values | st.fixed_dictionaries({"channel": bent(CHANNEL), "voucher": bent(VOUCHER)}))
def test_a_payment(document: object) -> None:
    is_read_or_refused(lambda: Payment.from_header(json.dumps(document)))


def test_what_is_bent_is_otherwise_read() -> None:
    assert Order.from_json(ORDER).reward == 5
    assert parse_document(rfc8785.dumps(SPEC)).kind == "llm"
    assert Payment.from_header(json.dumps({"channel": CHANNEL, "voucher": VOUCHER})).channel.amount == 5


@given(bent(ORDER))
def test_an_order(document: dict[str, object]) -> None:
    is_read_or_refused(lambda: Order.from_json(document))


@pytest.mark.parametrize(
    "text", [DEEP, LONG, '{"a":' * 50_000, "", "NaN", "\ud800"], ids=lambda text: ascii(text[:8])
)
def test_what_is_too_deep_or_too_long_is_refused_as_any_other_fault(text: str) -> None:
    is_read_or_refused(lambda: Payment.from_header(text))
    is_read_or_refused(lambda: parse_document(text.encode(errors="surrogatepass")))


@pytest.mark.parametrize("field", ["amount", "closeDelay", "openBy"])
def test_a_number_of_fifty_thousand_digits_is_refused_by_its_field(field: str) -> None:
    with pytest.raises(ParityError, match=field):
        channel_from_json({**CHANNEL, field: LONG})
