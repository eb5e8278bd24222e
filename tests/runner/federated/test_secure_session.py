"""Sessions with secure aggregation, by runners that meet on the chain alone."""

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from devnet.accounts import LOCAL
from learning.aggregate import quantise
from learning.local import Place, contribute
from learning.session import Phase
from protocol.enums import SessionPhase
from protocol.errors import RpcUnavailable
from protocol.money import USDFC
from tests.runner.federated.overheard import overhear
from tests.runner.federated.school import Lesson, Pupil, School, first_weights, model_file, stored_bytes

WINDOWS = {"train_for": 600, "reveal_for": 600}
"""Blocks: long enough for a busy machine, and soon mined."""


class Silent:
    """A sender that sends nothing in given phases of given rounds, as if the network had failed."""

    def __init__(self, inner: Any, silences: Mapping[int, SessionPhase]) -> None:
        self._inner = inner
        self._silences = silences
        self.pupil: Pupil
        self.address = inner.address

    async def send(self, function: Any, *, label: str) -> Any:
        (entry,) = self.pupil.diary.recent(1)
        phase = self._silences.get(entry.round)
        if phase is not None and label == f"post{phase.name.title()}":
            raise RpcUnavailable("silent")
        return await self._inner.send(function, label=label)


async def silent(school: School, number: int, silences: Mapping[int, SessionPhase]) -> Pupil:
    made: list[Silent] = []

    def wrapped(inner: Any) -> Silent:
        made.append(Silent(inner, silences))
        return made[0]

    pupil = await school.runner(number, start=False, sender=wrapped)
    made[0].pupil = pupil
    school.start(pupil)
    return pupil


class Spoiling:
    """A sender whose keys can be used by nobody."""

    def __init__(self, inner: Any, functions: Any) -> None:
        self._inner = inner
        self._functions = functions
        self.address = inner.address

    async def send(self, function: Any, *, label: str) -> Any:
        if label == "postKeys":
            session, slot, phase, _, second = function.args
            function = self._functions.post(session, slot, phase, bytes([1]) + bytes(31), second)
        return await self._inner.send(function, label=label)


def updates(lesson: Lesson) -> list[bytes]:
    """Every readable form of the first round's updates, as anybody would look for them."""
    found = []
    for slot, rows in enumerate(lesson.rows):
        place = Place("0x" + lesson.session.hex(), 0, slot, f"p{slot:03}")
        work = contribute(lesson.config, place, lesson.whole.take(rows), base=first_weights(lesson.config))
        steps = quantise(work.run.delta, clip=float(lesson.config.aggregation.clip))
        trained = first_weights(lesson.config) + work.run.delta
        forms = (work.run.delta, trained, steps, steps * len(rows), (steps * len(rows)).astype(np.uint64))
        found += [form.tobytes() for form in forms]
    return found


async def test_the_exact_sum_is_aggregated_and_no_update_is_kept_or_sent_in_the_clear(school: School) -> None:
    lesson = await school.session(3, secure_aggregation={}, training={"rounds": 1})
    stores = []
    for number in range(3):
        pupil = await school.runner(number, start=False)
        stores.append(overhear(pupil))
        school.start(pupil)
    await school.phase(lesson, SessionPhase.UNMASKING)
    kept = stored_bytes(school.bench.home)

    sight = await school.ended(lesson)

    assert sight.phase is SessionPhase.FINISHED
    expected = model_file(lesson.config, lesson.simulated().progress.weights)
    assert sight.model == hashlib.sha256(expected).digest()
    sent = b"".join(content for store in stores for content in store.sent)
    assert expected[-400:] in sent, "what is looked through holds what is published"
    everything = kept + stored_bytes(school.bench.home) + sent
    for update in updates(lesson):
        middle = len(update) // 2
        assert update[middle : middle + 64] not in everything


@pytest.mark.slow
async def test_whoever_drops_at_whatever_stage_the_sum_of_the_rest_is_exact(school: School) -> None:
    await school.bench.enlist(3)
    lesson = await school.session(
        4,
        secure_aggregation={"threshold": 3},
        training={"rounds": 4},
        verification={"gate_loss": "100"},
        terms=WINDOWS,
    )
    one = await silent(school, 0, {1: SessionPhase.KEYS, 2: SessionPhase.SHARES})
    other = await silent(school, 1, {3: SessionPhase.MASKING, 4: SessionPhase.UNMASKING})
    for number in (2, 3):
        await school.runner(number)
    stages = (SessionPhase.KEYS, SessionPhase.SHARES, SessionPhase.MASKING, SessionPhase.UNMASKING)
    for round_, phase in enumerate(stages, 1):
        await school.let_pass(lesson, phase, round_=round_, present=3)

    sight = await school.ended(lesson)

    names = [f"p{pupil.diary.entry(lesson.session).slot:03}" for pupil in (one, other)]
    drops = frozenset(
        {
            (0, Phase.KEYS, names[0]),
            (1, Phase.SHARES, names[0]),
            (2, Phase.MASK, names[1]),
            (3, Phase.UNMASK, names[1]),
        }
    )
    expected = model_file(lesson.config, lesson.simulated(drops=drops).progress.weights)
    assert sight.phase is SessionPhase.FINISHED
    assert sight.model == hashlib.sha256(expected).digest()
    assert [past.paid.bit_count() for past in (await school.rounds(lesson)).values()] == [3, 3, 3, 3]


@pytest.mark.slow
async def test_who_posts_keys_that_nobody_can_use_is_left_out_and_costs_nobody_else_a_bond(
    school: School,
) -> None:
    await school.bench.enlist(3)
    lesson = await school.session(
        4, secure_aggregation={"threshold": 3}, training={"rounds": 1}, terms=WINDOWS
    )
    functions = school.bench.chain.federated.functions
    one = await school.runner(0, sender=lambda inner: Spoiling(inner, functions))
    for number in (1, 2, 3):
        await school.runner(number)
    await school.let_pass(lesson, SessionPhase.SHARES, round_=1, present=3)

    sight = await school.ended(lesson)

    slot = one.diary.entry(lesson.session).slot
    assert slot is not None
    drops = frozenset({(0, Phase.KEYS, f"p{slot:03}")})
    expected = model_file(lesson.config, lesson.simulated(drops=drops).progress.weights)
    assert sight.phase is SessionPhase.FINISHED
    assert sight.model == hashlib.sha256(expected).digest()
    (past,) = (await school.rounds(lesson)).values()
    assert past.paid == 0b1111 & ~(1 << slot)
    assert await school.bench.books_balance()


async def test_with_too_few_answers_nothing_is_aggregated_and_the_payer_gets_its_money_back(
    school: School,
) -> None:
    before = await school.bench.free(LOCAL.payer.address)
    lesson = await school.session(
        3, secure_aggregation={"threshold": 3}, training={"rounds": 1}, terms=WINDOWS
    )
    await silent(school, 0, {1: SessionPhase.UNMASKING})
    for number in (1, 2):
        await school.runner(number)
    for attempt in range(3):
        await school.until(lesson, lambda now, attempt=attempt: now.attempts == attempt)
        await school.let_pass(lesson, SessionPhase.UNMASKING, round_=1, present=2)

    sight = await school.ended(lesson)

    assert sight.phase is SessionPhase.FAILED
    assert not any(sight.model)
    tips = 3 * USDFC // 100
    assert await school.bench.free(LOCAL.payer.address) == before - tips
    assert await school.bench.books_balance()
