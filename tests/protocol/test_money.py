import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.errors import InputError
from protocol.money import MAX_AMOUNT, USDFC, format_about, format_native, format_usdfc, parse_usdfc


@given(st.integers(min_value=0, max_value=MAX_AMOUNT))
def test_an_amount_written_for_people_reads_back_to_the_base_unit(amount: int):
    assert parse_usdfc(format_usdfc(amount)) == amount


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("1.25", 1_250_000_000_000_000_000),
        ("0", 0),
        ("0.000000000000000001", 1),
        ("007", 7 * USDFC),
        (" 2 ", 2 * USDFC),
    ],
)
def test_a_decimal_amount_is_read_exactly(text: str, amount: int):
    assert parse_usdfc(text) == amount


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-1",
        "+1",
        "1e3",
        "1,5",
        ".5",
        "5.",
        "0x10",
        "nan",
        "inf",
        "1_000",
        "0.0000000000000000001",
        "\u0661",
        "1 2",
        "9" * 5000,
    ],
)
def test_what_is_not_an_amount_is_refused_by_field_name(text: str):
    with pytest.raises(InputError) as caught:
        parse_usdfc(text, field="--reward")
    assert caught.value.field == "--reward"
    assert "--reward" in str(caught.value)
    assert caught.value.hint
    assert caught.value.exit_code == 2


def test_an_amount_above_what_the_contracts_take_is_refused():
    assert parse_usdfc(format_usdfc(MAX_AMOUNT)) == MAX_AMOUNT
    with pytest.raises(InputError, match="more than one call can carry"):
        parse_usdfc(format_usdfc(MAX_AMOUNT + 1))


def test_a_loss_is_written_with_its_sign():
    assert format_usdfc(-USDFC // 2) == "-0.5"


def test_a_network_fee_is_written_rounded_up_so_that_it_always_suffices():
    assert format_native(1) == "0.000001"
    assert format_native(3 * USDFC) == "3"


@given(st.integers(min_value=1, max_value=MAX_AMOUNT // 2))
def test_an_estimate_is_never_below_and_at_most_a_hundredth_above(amount: int):
    assert amount <= parse_usdfc(format_about(amount)) <= amount + amount // 100 + 1


def test_an_estimate_has_three_digits_that_count():
    assert format_about(122857142857142) == "0.000123"
