"""Asynchronous sessions on a chain: rounds go on without whoever is slow, whose update counts later, at no cost to its bond."""

import asyncio
import hashlib
from typing import Any

import pytest

from devnet.accounts import LOCAL
from learning.contribution import Paper
from learning.model_card import ModelCard
from protocol.enums import SessionPhase
from runner.federated.messages import Train, Trained
from tests.runner.federated.school import Lesson, Pupil, School, model_file
from tests.runner.federated.test_audited_session import ALWAYS, Other, cards
from tests.runner.kills import Killer

SECTIONS: dict[str, Any] = {
    "asynchronous": {"buffer": 2, "max_staleness": 3},
    "training": {"rounds": 4, "min_participants": 2},
    "verification": ALWAYS,
}


class Slow(Other):
    """A training process whose first training takes until it is let go."""

    def __init__(self, inner: Any) -> None:
        super().__init__(inner)
        self.go = asyncio.Event()

    async def train(self, work: Train, *, apart: bool = False) -> Trained:
        await self.go.wait()
        done: Trained = await self._inner.train(work, apart=apart)
        return done


async def slow_one(school: School, number: int) -> tuple[Pupil, Slow]:
    pupil = await school.runner(number, start=False)
    slow = Slow(school.workshop)
    object.__setattr__(pupil.duty._aggregator.history, "workshop", slow)
    school.start(pupil)
    return pupil, slow


async def schedule(school: School, lesson: Lesson) -> dict[tuple[int, str], int]:
    """For which round the training was that each participant handed in in a round, as the chain and IPFS have it."""
    found = {}
    for one in (await school.rounds(lesson)).values():
        for post in one.updates().values():
            manifest = Paper.parse(await school.bench.store.get(post.first)).manifest
            found[one.number - 1, manifest.participant] = manifest.round
    return found


def late(card: ModelCard) -> dict[str, int]:
    return {one.participant: one.late for one in card.counted}


@pytest.mark.slow
async def test_a_slow_participant_s_update_counts_in_a_later_round_and_costs_it_nothing(
    school: School,
) -> None:
    lesson = await school.session(3, terms={"replicas": 3, "quorum": 2}, **SECTIONS)
    pupil, slow = await slow_one(school, 0)
    for number in (1, 2):
        await school.runner(number)
    await school.phase(lesson, SessionPhase.AGGREGATING, round_=2)
    slow.go.set()

    sight = await school.ended(lesson)

    assert sight.phase is SessionPhase.FINISHED
    slot = pupil.entry(lesson.session).slot
    assert slot is not None
    name, rounds = f"p{slot:03}", list((await school.rounds(lesson)).values())
    assert [one.paid >> slot & 1 for one in rounds][:2] == [0, 0]
    assert all(len(one.by(SessionPhase.REVEALING)) == 3 for one in rounds)
    shown = await cards(school, lesson)
    assert max(late(card).get(name, 0) for card in shown) >= 2
    assert all(name in card.reexecuted for card in shown if name in late(card))
    assert [one.paid.bit_count() for one in rounds] == [len(card.counted) for card in shown]
    chain = school.bench.chain
    stake = await chain.call(chain.wallet.functions.stakeOf(LOCAL.owner(0).address))
    others = await chain.call(chain.wallet.functions.stakeOf(LOCAL.owner(1).address))
    assert stake == others
    repeated = lesson.simulated(schedule=await schedule(school, lesson)).progress.weights
    assert sight.model == hashlib.sha256(model_file(lesson.config, repeated)).digest()
    assert await school.bench.books_balance()


@pytest.mark.slow
@pytest.mark.parametrize("codec", ["none", "int4"])
async def test_a_runner_killed_at_every_boundary_of_an_asynchronous_session_keeps_its_promises(
    school: School, codec: str
) -> None:
    lesson = await school.session(3, **SECTIONS, compression={"codec": codec})
    killer = Killer()
    await school.runner(0, killer=killer)
    for number in (1, 2):
        await school.runner(number)

    sight = await school.ended(lesson)

    assert sight.phase is SessionPhase.FINISHED
    assert {"before choose", "after choose", "before promise", "after promise"} <= set(killer.boundaries)
    shown = await cards(school, lesson)
    assert [one.reason for card in shown for one in card.left_out] == []
    assert all(set(late(card)) == set(card.reexecuted) for card in shown)
    repeated = lesson.simulated(schedule=await schedule(school, lesson)).progress.weights
    assert sight.model == hashlib.sha256(model_file(lesson.config, repeated)).digest()
