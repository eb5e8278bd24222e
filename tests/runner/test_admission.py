import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.enums import Mode
from protocol.money import USDFC
from runner.admission import Cause, Circumstances, Terms, check_order, check_spec, worth
from tests.runner.conftest import CLIENT, MODEL, OWNER, a_spec, an_offer, an_order

TERMS = Terms(owner=OWNER, min_reward=USDFC // 100, tokens_per_s=10.0, block_time_s=0.25)
NOW = Circumstances(head_block=100, commit_for=480, free_stake=100 * USDFC)
OFFERS = {MODEL: an_offer()}


def terms(**changes: Any) -> Terms:
    return dataclasses.replace(TERMS, **changes)


def now(**changes: Any) -> Circumstances:
    return dataclasses.replace(NOW, **changes)


def test_an_ordinary_order_is_taken() -> None:
    assert check_order(an_order(), terms=TERMS, now=NOW) is None
    assert check_spec(a_spec(), an_order(), offers=OFFERS, terms=TERMS, now=NOW) is None


def test_an_audited_order_is_taken_if_its_answer_is_greedy() -> None:
    order = an_order(mode=Mode.AUDITED)
    assert check_order(order, terms=TERMS, now=NOW) is None
    assert check_spec(a_spec(), order, offers=OFFERS, terms=TERMS, now=NOW) is None
    sampled = a_spec(temperature=0.7)
    assert check_spec(sampled, an_order(), offers=OFFERS, terms=TERMS, now=NOW) is None
    refusal = check_spec(sampled, order, offers=OFFERS, terms=TERMS, now=NOW)
    assert str(refusal) == "mode: temperature 0.7; audited answers are greedy (temperature 0)"


def test_a_prompt_whose_answers_are_compared_is_refused_unless_the_owner_vouches_for_the_engine() -> None:
    order, alone = an_order(replicas=3, quorum=2), an_order()
    offers = {MODEL: an_offer(compared=False)}
    refusal = check_spec(a_spec(), order, offers=offers, terms=TERMS, now=NOW)
    assert str(refusal) == "mode: 3 answers are compared byte for byte; RUNNER_COMPARED_PROMPTS is not set"
    assert check_spec(a_spec(), order, offers=OFFERS, terms=TERMS, now=NOW) is None
    assert check_spec(a_spec(), alone, offers=offers, terms=TERMS, now=NOW) is None


def test_a_creator_on_the_deny_list_is_refused() -> None:
    refusal = check_order(an_order(), terms=terms(deny=frozenset({CLIENT})), now=NOW)
    assert refusal is not None
    assert refusal.cause is Cause.CREATOR


def test_a_creator_missing_from_the_allow_list_is_refused() -> None:
    refusal = check_order(an_order(), terms=terms(allow=frozenset({OWNER})), now=NOW)
    assert refusal is not None
    assert refusal.cause is Cause.CREATOR


def test_a_creator_on_the_allow_list_is_taken() -> None:
    assert check_order(an_order(), terms=terms(allow=frozenset({CLIENT})), now=NOW) is None


@pytest.mark.parametrize("role", ["client", "payer"])
def test_an_order_of_the_own_owner_is_refused(role: str) -> None:
    refusal = check_order(an_order(**{role: OWNER}), terms=TERMS, now=NOW)
    assert refusal is not None
    assert refusal.cause is Cause.SELF_DEALING


def test_the_least_reward_counts_for_each_seat() -> None:
    order = an_order(reward=3 * (USDFC // 100) - 1, replicas=3, quorum=2)
    refusal = check_order(order, terms=TERMS, now=NOW)
    assert refusal is not None
    assert refusal.cause is Cause.PRICE


def test_an_order_whose_last_claim_block_cannot_be_reached_is_refused() -> None:
    assert check_order(an_order(claim_by=101), terms=TERMS, now=NOW) is None
    refusal = check_order(an_order(claim_by=100), terms=TERMS, now=NOW)
    assert refusal is not None
    assert refusal.cause is Cause.DEADLINE


def test_a_bond_that_the_free_stake_does_not_cover_may_be_affordable_later() -> None:
    refusal = check_order(an_order(), terms=TERMS, now=now(free_stake=10 * USDFC - 1))
    assert refusal is not None
    assert refusal.cause is Cause.BOND
    assert refusal.passing


def test_a_model_that_is_not_here_may_be_pulled_later() -> None:
    refusal = check_spec(a_spec(), an_order(), offers={}, terms=TERMS, now=NOW)
    assert refusal is not None
    assert refusal.cause is Cause.MODEL
    assert refusal.passing


def test_the_same_name_with_another_digest_is_another_model() -> None:
    spec = a_spec(model="tiny:1b@sha256:" + "cd" * 32)
    refusal = check_spec(spec, an_order(), offers=OFFERS, terms=TERMS, now=NOW)
    assert refusal is not None
    assert refusal.cause is Cause.MODEL


def test_more_context_than_the_model_has_is_refused() -> None:
    refusal = check_spec(a_spec(num_ctx=4097), an_order(), offers=OFFERS, terms=TERMS, now=NOW)
    assert refusal is not None
    assert refusal.cause is Cause.LIMITS


@pytest.mark.parametrize(
    ("input_price", "output_price"), [(USDFC // 1000 - 1, USDFC), (USDFC, USDFC // 500 - 1)]
)
def test_a_metered_order_below_either_asked_price_is_refused(input_price: int, output_price: int) -> None:
    order = an_order(input_price=input_price, output_price=output_price)
    refusal = check_spec(a_spec(), order, offers=OFFERS, terms=TERMS, now=NOW)
    assert refusal is not None
    assert refusal.cause is Cause.PRICE


def test_an_answer_too_long_for_the_commit_window_is_refused() -> None:
    refusal = check_spec(a_spec(num_predict=1200), an_order(), offers=OFFERS, terms=TERMS, now=NOW)
    assert refusal is not None
    assert refusal.cause is Cause.DEADLINE
    assert check_spec(a_spec(num_predict=1100), an_order(), offers=OFFERS, terms=TERMS, now=NOW) is None


@given(
    prompt=st.text(min_size=1, max_size=200), num_predict=st.integers(1, 1000), reward=st.integers(0, USDFC)
)
def test_no_order_is_taken_that_may_earn_less_than_its_longest_answer_is_worth(
    prompt: str, num_predict: int, reward: int
) -> None:
    spec = a_spec(prompt=prompt, num_predict=num_predict)
    refusal = check_spec(spec, an_order(reward=reward), offers=OFFERS, terms=TERMS, now=NOW)
    assert (refusal is None) == (reward >= worth(spec, an_offer()))
