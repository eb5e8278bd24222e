"""The least bond that the command line asks for is one that the contract takes."""

from hypothesis import given
from hypothesis import strategies as st

from client.federated.ordering import Rules, least_bond

WHOLE_BPS = 10_000


def lost(bond: int, miss_bps: int, misses: int) -> int:
    """What so many silences take, as `SessionRules.lost`."""
    return min(bond, misses * -(-bond * miss_bps // WHOLE_BPS))


def rules(*, tip: int, miss_bps: int, max_misses: int) -> Rules:
    return Rules(
        params_id=1,
        task_params_id=1,
        tip=tip,
        min_window=1,
        max_window=9,
        max_join_for=9,
        fee_bps=0,
        miss_bps=miss_bps,
        max_misses=max_misses,
        max_participants=9,
        max_replicas=3,
        active_runners=9,
    )


@given(
    tip=st.integers(0, 10**18),
    miss_bps=st.integers(1, WHOLE_BPS),
    max_misses=st.integers(1, 20),
    more=st.integers(0, 99),
)
def test_of_the_least_bond_and_of_any_larger_one_even_the_last_silence_takes_a_tip(
    tip: int, miss_bps: int, max_misses: int, more: int
) -> None:
    if miss_bps * (max_misses - 1) >= WHOLE_BPS:
        return  # nothing is left for the last: the contract takes no order under such parameters
    bond = least_bond(rules(tip=tip, miss_bps=miss_bps, max_misses=max_misses)) + more
    assert lost(bond, miss_bps, max_misses) - lost(bond, miss_bps, max_misses - 1) >= tip


def test_where_silences_never_eat_the_bond_it_is_the_tip_s_share_exactly() -> None:
    assert least_bond(rules(tip=10**16, miss_bps=1_000, max_misses=3)) == 10**17
