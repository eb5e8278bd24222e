import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.enums import Mode
from protocol.errors import InputError
from protocol.order import Order

MakeOrder = Callable[..., Order]


@given(st.from_type(Order))
def test_an_order_survives_json(order: Order):
    assert Order.from_json(json.loads(json.dumps(order.to_json()))) == order


def test_amounts_travel_as_strings_and_bytes_as_hex(make_order: MakeOrder):
    document = make_order(reward=2**95).to_json()
    assert document["reward"] == str(2**95)
    assert document["spec"] == "0x" + "11" * 32
    assert document["claimBy"] == 1000
    assert document["mode"] == 0


def test_an_address_is_checksummed_whatever_its_case(make_order: MakeOrder):
    lower = make_order().client.lower()
    assert make_order(client=lower) == make_order()


@pytest.mark.parametrize(
    ("attribute", "value", "field"),
    [
        ("reward", 2**96, "order.reward"),
        ("reward", -1, "order.reward"),
        ("reward", 1.5, "order.reward"),
        ("reward", True, "order.reward"),
        ("claim_by", 2**40, "order.claimBy"),
        ("replicas", 256, "order.replicas"),
        ("mode", 2, "order.mode"),
        ("client", "0x1234", "order.client"),
        ("client", "0x3c44CdDdB6a900fa2b585dd299e03d12FA4293BC", "order.client"),
        ("payer", None, "order.payer"),
        ("spec", b"short", "order.spec"),
        ("salt", "0x00", "order.salt"),
    ],
)
def test_a_field_out_of_its_range_is_refused_by_name(
    make_order: MakeOrder, attribute: str, value: object, field: str
):
    with pytest.raises(InputError) as caught:
        make_order(**{attribute: value})
    assert caught.value.field == field
    assert caught.value.hint


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"tip": 1}, "order.tip"),
        ({"reward": 5}, "order.reward"),
        ({"reward": "1.5"}, "order.reward"),
        ({"reward": "\u0661"}, "order.reward"),
        ({"spec": "11" * 32}, "order.spec"),
        ({"spec": "0xzz"}, "order.spec"),
        ({"spec": None}, "order.spec"),
        ({"mode": "quorum"}, "order.mode"),
        ({"client": 7}, "order.client"),
    ],
)
def test_json_that_is_no_order_is_refused_by_field(
    make_order: MakeOrder, changes: dict[str, object], field: str
):
    with pytest.raises(InputError) as caught:
        Order.from_json(make_order().to_json() | changes)
    assert caught.value.field == field


def test_json_that_lacks_a_field_is_refused_by_its_name(make_order: MakeOrder):
    document = make_order().to_json()
    del document["claimBy"]
    with pytest.raises(InputError, match=r"order\.claimBy: missing"):
        Order.from_json(document)


def test_the_mode_comes_back_as_the_enumeration(make_order: MakeOrder):
    assert Order.from_json(make_order(mode=Mode.AUDITED).to_json()).mode is Mode.AUDITED
