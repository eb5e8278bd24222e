"""The profile on chain is what the runner offers, and two processes with one node key do not fight over it."""

from structlog.testing import capture_logs

from protocol.documents import RunnerProfile
from runner.profile import Publisher
from tests.runner.bench import Bench, Hand

OTHERS = b"\x07" * 32


class Clock:
    """A time that the test lets pass, in seconds."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def publisher(hand: Hand, clock: Clock) -> Publisher:
    parts = hand.parts
    return Publisher(
        chain=parts.chain, sender=parts.sender, store=parts.store, journal=parts.journal, clock=clock
    )


def a_profile(label: str = "mine") -> RunnerProfile:
    return RunnerProfile(label=label, models=(), slots=1, url=None)


async def test_what_is_offered_is_published_when_it_changes_and_not_again(bench: Bench) -> None:
    hand = await bench.hand(0)
    await hand.look()
    mine = publisher(hand, Clock())
    assert await mine.publish(a_profile())
    assert not await mine.publish(a_profile())
    assert await mine.publish(a_profile("changed"))


async def test_a_profile_of_another_process_with_this_key_is_replaced_ever_more_rarely(bench: Bench) -> None:
    hand, clock = await bench.hand(0), Clock()
    await hand.look()
    mine = publisher(hand, clock)
    await mine.publish(a_profile())
    with capture_logs() as logs:
        for pause_s in (15.0, 30.0):
            hand.journal.set_profile(hand.parts.node, OTHERS)  # as the watch does when it hears of it
            assert not await mine.publish(a_profile())
            clock.now_s += pause_s - 1
            assert not await mine.publish(a_profile())
            clock.now_s += 1
            assert await mine.publish(a_profile())
    told = [entry for entry in logs if entry["event"] == "profile_replaced"]
    assert [entry["pause_s"] for entry in told] == [15.0, 30.0]
    assert "key of its own" in told[0]["hint"]
