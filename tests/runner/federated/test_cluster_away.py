"""Runners whose workshop is on a cluster that is away for a while: they promise nothing, and go on when it is back."""

import asyncio

import pytest

from protocol.enums import SessionPhase
from runner.errors import ClusterAway
from runner.federated.diary import Standing
from runner.federated.messages import Request, Train
from runner.federated.workshop import Done, Workshop
from tests.runner.federated.school import School
from tests.runner.test_daemon import until


class Elsewhere(Workshop):
    """A workshop that can be away, as one on a cluster can."""

    def __init__(self, here: Workshop) -> None:
        super().__init__()
        self._here = here
        self.is_away = True
        self.leaves_at_training = False
        self.asked = 0

    @property
    def fault(self) -> str | None:
        return "the cluster is away. Start it" if self.is_away else None

    async def _ask(self, work: Request) -> Done:
        self.asked += 1
        if self.leaves_at_training and isinstance(work, Train):
            self.leaves_at_training, self.is_away = False, True
        if self.is_away:
            raise ClusterAway("the cluster is away", hint="Start it")
        return await self._here._ask(work)


@pytest.fixture
def elsewhere(school: School) -> Elsewhere:
    school.workshop = workshop = Elsewhere(school.workshop)
    return workshop


async def test_a_session_is_neither_joined_nor_refused_until_the_cluster_is_back(
    school: School, elsewhere: Elsewhere
) -> None:
    lesson = await school.session(2, training={"rounds": 1, "min_participants": 2})
    pupils = [await school.runner(number) for number in range(2)]
    await until(lambda: elsewhere.asked >= 6, within_s=60)

    for pupil in pupils:
        entry = pupil.entry(lesson.session)
        assert (entry.stage, entry.slot) == (Standing.SEEN, None)
        assert entry.reason == "the cluster is away. Start it"

    elsewhere.is_away = False
    assert (await school.ended(lesson)).phase is SessionPhase.FINISHED


async def test_no_aggregation_is_claimed_until_the_cluster_is_back(
    school: School, elsewhere: Elsewhere
) -> None:
    elsewhere.is_away = False
    lesson = await school.session(2, training={"rounds": 1, "min_participants": 2})
    pupils = [await school.runner(number) for number in range(2)]
    await school.phase(lesson, SessionPhase.REVEALING)
    elsewhere.is_away = True
    await school.phase(lesson, SessionPhase.AGGREGATING)

    def all_wait() -> bool:
        jobs = [job for pupil in pupils for job in pupil.hand.journal.recent(1)]
        return len(jobs) == 2 and any("cannot aggregate: the cluster is away" in job.reason for job in jobs)

    await until(all_wait, within_s=60)
    await asyncio.sleep(1)  # some more blocks
    assert all(job.seat is None for pupil in pupils for job in pupil.hand.journal.recent(1))

    elsewhere.is_away = False
    assert (await school.ended(lesson)).phase is SessionPhase.FINISHED


async def test_who_has_no_cluster_until_the_deadline_misses_the_round_says_why_and_goes_on_in_the_next(
    school: School, elsewhere: Elsewhere
) -> None:
    elsewhere.is_away, elsewhere.leaves_at_training = False, True
    lesson = await school.session(3, training={"min_participants": 2})
    without = await school.runner(0)
    school.workshop = elsewhere._here
    for number in (1, 2):
        await school.runner(number)

    await school.let_pass(lesson, SessionPhase.TRAINING, round_=1, present=2)
    assert without.entry(lesson.session).reason == "the cluster is away. Start it"
    elsewhere.is_away = False  # too late for this round

    assert (await school.ended(lesson)).phase is SessionPhase.FINISHED
    slot = without.entry(lesson.session).slot
    assert slot is not None
    assert [one.paid for one in (await school.rounds(lesson)).values()] == [0b111 & ~(1 << slot), 0b111]
