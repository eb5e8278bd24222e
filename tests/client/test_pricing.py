from hypothesis import given
from hypothesis import strategies as st

from client.pricing import MIN_BOND, MIN_REWARD, bond_for, estimate, metered
from client.recent import Replicas, Settled, summed_up
from client.records import Offer
from protocol.documents import LlmOptions, LlmSpec
from protocol.money import USDFC

DIGEST = "ab" * 32


def offer(number: int = 0, *, input_price: int = 0, output_price: int = 0) -> Offer:
    return Offer(
        node=f"0x{number:040x}",
        owner=f"0x{number:040x}",
        label=f"runner-{number}",
        name="tiny:1b",
        digest=DIGEST,
        context=4096,
        input_price=input_price,
        output_price=output_price,
    )


def spec(prompt: str = "Why is the sky blue?", **options: int) -> LlmSpec:
    return LlmSpec(model=f"tiny:1b@sha256:{DIGEST}", prompt=prompt, options=LlmOptions(**options))


prices = st.integers(min_value=0, max_value=USDFC)
asks = st.lists(st.tuples(prices, prices), min_size=1, max_size=9).map(
    lambda pairs: sorted(
        (offer(i, input_price=a, output_price=b) for i, (a, b) in enumerate(pairs)),
        key=lambda o: (o.output_price, o.input_price),
    )
)


@given(offers=asks, replicas=st.integers(1, 7), length=st.integers(1, 5_000))
def test_the_offered_prices_satisfy_half_the_runners_and_enough_for_all_seats(offers, replicas, length):
    found = estimate(spec("x" * length), offers, replicas=replicas)

    assert found.runners >= min(len(offers), max(replicas, len(offers) / 2))


@given(offers=asks, replicas=st.integers(1, 7), length=st.integers(1, 5_000))
def test_the_default_cap_covers_the_longest_answer_in_every_seat(offers, replicas, length):
    found = estimate(spec("x" * length), offers, replicas=replicas)

    most = metered(
        found.input_tokens,
        found.output_tokens,
        input_price=found.input_price,
        output_price=found.output_price,
    )
    assert found.expected == most * replicas
    assert found.max_price // replicas >= max(most, MIN_REWARD)


def test_one_greedy_runner_does_not_raise_the_price_for_all():
    offers = [offer(i, input_price=10, output_price=20) for i in range(3)]
    offers.append(offer(3, input_price=USDFC, output_price=USDFC))

    found = estimate(spec(), offers, replicas=1)

    assert (found.input_price, found.output_price, found.runners) == (10, 20, 3)


def test_a_free_offer_is_not_turned_into_a_fixed_price():
    found = estimate(spec(), [offer()], replicas=1)

    assert (found.input_price, found.output_price) == (1, 1)


@given(reward=st.integers(1, 2**90), replicas=st.integers(1, 7))
def test_a_seat_stakes_at_least_what_it_may_earn(reward, replicas):
    bond = bond_for(reward, replicas=replicas)
    assert bond >= MIN_BOND
    assert bond * replicas >= reward


def settled(cost: int, *, tokens: int, replicas: int = 1) -> Settled:
    return Settled(cost=str(cost), input_tokens=tokens, output_tokens=0, task=Replicas(replicas=replicas))


@given(costs=st.lists(st.integers(0, 10 * USDFC), min_size=1), replicas=st.integers(1, 7))
def test_recent_prices_lie_between_the_cheapest_and_the_dearest(costs, replicas):
    found = estimate(spec(), [offer()], replicas=replicas)

    recent = summed_up(tuple(settled(cost, tokens=1_000) for cost in costs), found, replicas=replicas)

    assert recent is not None
    assert recent.cheapest <= recent.median <= recent.dearest
    assert recent.cheapest <= recent.per_1000_tokens <= recent.dearest


def test_a_recent_price_counts_each_replica_and_no_prompt_of_unknown_length():
    found = estimate(spec(), [offer()], replicas=1)
    unknown = Settled(cost="5", input_tokens=None, output_tokens=None, task=Replicas(replicas=1))

    recent = summed_up((settled(600, tokens=100, replicas=3), unknown), found, replicas=1)

    assert recent is not None
    assert recent.per_1000_tokens == 2_000
    assert recent.expected == 2 * (found.input_tokens + found.output_tokens)
    assert summed_up((unknown,), found, replicas=1) is None
