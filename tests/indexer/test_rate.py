"""The request rate of an endpoint: keeps to the limit, and finds it."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.rpc.rate import LOWEST_PER_S, RAISE_AFTER, RequestRate
from tests.indexer.conftest import Rig


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_node_of_ones_own_is_asked_without_a_limit() -> None:
    rate = RequestRate(None, clock=Clock())
    assert [rate.take(5) for _ in range(100)] == [0.0] * 100


@given(
    per_s=st.floats(0.5, 50),
    batches=st.lists(st.tuples(st.integers(1, 5), st.floats(0, 3)), min_size=1, max_size=60),
)
def test_no_stretch_of_time_sees_more_than_the_rate_and_one_burst(
    per_s: float, batches: list[tuple[int, float]]
) -> None:
    clock = Clock()
    rate = RequestRate(per_s, clock=clock)
    sent: list[tuple[float, int]] = []
    for requests, idle_s in batches:
        clock.now += idle_s + rate.take(requests)
        sent.append((clock.now, requests))
    burst = max(1.0, per_s) + 5
    for first in range(len(sent)):
        for last in range(first, len(sent)):
            count = sum(requests for _at, requests in sent[first + 1 : last + 1])
            assert count <= per_s * (sent[last][0] - sent[first][0]) + burst + 1e-6


def test_a_refusal_halves_the_rate_and_good_answers_raise_it_again() -> None:
    rate = RequestRate(8.0, clock=Clock())
    rate.refused()
    assert rate.per_s == 4.0
    for _ in range(RAISE_AFTER):
        rate.succeeded()
    assert rate.per_s == pytest.approx(4.4)


def test_a_refusal_without_a_limit_starts_from_what_was_sent() -> None:
    rate = RequestRate(None, clock=Clock())
    for _ in range(40):
        rate.take(1)
    rate.refused()
    assert rate.per_s == 20.0


def test_the_rate_never_falls_to_nothing() -> None:
    rate = RequestRate(1.0, clock=Clock())
    for _ in range(50):
        rate.refused()
    assert rate.per_s == LOWEST_PER_S


async def test_an_endpoint_that_refuses_is_asked_more_slowly(rig: Rig) -> None:
    (endpoint,) = rig.chain.pool.endpoints
    await rig.chain.head()
    assert endpoint.rate.per_s is None
    rig.node.faults.failures = [429]
    await rig.chain.head()
    assert endpoint.rate.per_s is not None
    rig.node.faults.error_texts = ["rate limit exceeded"]
    before = endpoint.rate.per_s
    await rig.chain.head()
    assert endpoint.rate.per_s < before
