"""When the watch asks for the next block: no sooner than it can be due, and often from then on."""

import pytest

from protocol.networks import CALIBRATION, LOCAL, Network
from runner.watch import _LEAST_PAUSE_S, Pace


def questions(pace: Pace, *, blocks: int, distance_s: float) -> list[int]:
    """Play regular blocks; count the questions for each."""
    now, counts = 0.0, []
    for height in range(blocks):
        count, due = 0, height * distance_s
        while True:
            count += 1
            if now >= due:
                break
            now += pace.pause_s(now)
        pace.arrived(height, now)
        now += pace.pause_s(now)
        counts.append(count)
    return counts


RHYTHMS = [(LOCAL, 0.25), (LOCAL, 0.5), (LOCAL, 3.0), (CALIBRATION, 30.0)]


@pytest.mark.parametrize(("network", "distance_s"), RHYTHMS, ids=lambda value: getattr(value, "name", value))
def test_two_of_three_regular_blocks_cost_one_question(network: Network, distance_s: float) -> None:
    settled = questions(Pace(network.block_time_s), blocks=100, distance_s=distance_s)[10:]
    assert sum(settled) <= 5 / 3 * len(settled), settled


@pytest.mark.parametrize(("network", "distance_s"), RHYTHMS, ids=lambda value: getattr(value, "name", value))
def test_a_regular_block_is_seen_within_an_eighth_of_the_distance_on_average(
    network: Network, distance_s: float
) -> None:
    pace, now, late = Pace(network.block_time_s), 0.0, []
    for height in range(100):
        while now < height * distance_s:
            now += pace.pause_s(now)
        late.append(now - height * distance_s)
        pace.arrived(height, now)
        now += pace.pause_s(now)
    most_s = max(distance_s / 8, _LEAST_PAUSE_S)
    assert sum(late[10:]) / 90 <= most_s, late


def test_rare_blocks_do_not_make_the_watch_sleep_through_frequent_ones() -> None:
    pace = Pace(0.25)
    pace.arrived(1, 0.0)
    pace.arrived(2, 600.0)
    assert pace.pause_s(600.0) <= 2 * 0.25


def test_a_rhythm_that_quickens_is_slept_through_once_at_most() -> None:
    pace = Pace(0.25)
    for height in range(5):
        pace.arrived(height, 3.0 * height)
    late = 12.0 + pace.pause_s(12.0)
    pace.arrived(14, late)
    assert pace.pause_s(late) <= 2 * 0.25


def test_a_reorganisation_to_a_lower_block_begins_anew() -> None:
    pace = Pace(0.25)
    pace.arrived(10, 0.0)
    pace.arrived(7, 0.5)
    assert 0 < pace.pause_s(0.5) <= 0.125
