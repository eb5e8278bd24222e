from hypothesis import given
from hypothesis import strategies as st

from learning.seeds import derive_seed, generator

parts = st.lists(st.text(max_size=5) | st.integers() | st.binary(max_size=5), max_size=4)


@given(parts, parts)
def test_other_parts_give_another_seed(one: list[str | int | bytes], other: list[str | int | bytes]):
    same = [(type(part), part) for part in one] == [(type(part), part) for part in other]
    assert (derive_seed(*one) == derive_seed(*other)) == same


def test_where_one_part_ends_matters():
    assert (
        len({derive_seed("ab", "c"), derive_seed("a", "bc"), derive_seed("abc"), derive_seed(b"ab", "c")})
        == 4
    )


def test_a_seed_is_the_same_on_every_machine():
    assert derive_seed("session", 7, b"\x01") == 4161042799262788866


def test_a_seed_fits_where_seeds_must_be_positive():
    assert all(0 <= derive_seed(number) < 2**63 for number in range(1000))


def test_generators_of_one_seed_draw_the_same():
    assert generator(5).integers(0, 2**62, 10).tolist() == generator(5).integers(0, 2**62, 10).tolist()
