"""Contributions re-executed by whoever aggregates: honest work under every option passes, a cheat is paid nothing."""

import asyncio
import hashlib
import json
import shutil
from typing import Any

import pytest

from devnet.accounts import LOCAL
from learning.model_card import ModelCard
from protocol.enums import SessionPhase
from runner.federated.messages import Train, Trained
from runner.federated.workshop import Workshop
from tests.runner.federated.school import Lesson, Pupil, School, model_file

ALWAYS = {"audit_rate": "1", "flagged_rate": "1"}


class Other:
    """A training process that does one thing in its own way."""

    def __init__(self, inner: Workshop) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class HalfRate(Other):
    """One that learns half as fast as it says, and otherwise does and claims what was asked."""

    async def train(self, work: Train) -> Trained:
        config = json.loads(work.config)
        config["training"]["learning_rate"] = "0.05"
        changed = {name: getattr(work, name) for name in work.__struct_fields__}
        return await self._inner.train(Train(**changed | {"config": json.dumps(config).encode()}))


async def cards(school: School, lesson: Lesson) -> list[ModelCard]:
    settled = [one.settled for one in (await school.rounds(lesson)).values()]
    return [ModelCard.parse(await school.bench.store.get(one.manifest)) for one in settled if one]


class Forgetful(Other):
    """An honest one, whose checkpoints are lost before anybody can see them."""

    async def train(self, work: Train) -> Trained:
        done = await self._inner.train(work)
        assert work.checkpoints is not None
        await asyncio.to_thread(shutil.rmtree, work.checkpoints)
        return done


async def odd_one(school: School, number: int, training: type[Other]) -> Pupil:
    pupil = await school.runner(number, start=False)
    history = pupil.duty._aggregator.history
    object.__setattr__(history, "workshop", training(school.workshop))
    school.start(pupil)
    return pupil


async def stakes(school: School) -> list[int]:
    """What each runner's owner has in stake, by the runner's number."""
    chain = school.bench.chain
    found = [chain.wallet.functions.stakeOf(LOCAL.owner(number).address) for number in range(4)]
    return [(await chain.call(one))[0] for one in found]


async def test_a_cheat_is_caught_fined_put_out_and_paid_nothing_and_nobody_else_is(school: School) -> None:
    await school.bench.enlist(3)
    lesson = await school.session(4, verification=ALWAYS, terms={"replicas": 3, "quorum": 2})
    before = await stakes(school)
    cheat = await odd_one(school, 3, HalfRate)
    for number in range(3):
        await school.runner(number)

    sight = await school.ended(lesson)

    slot = cheat.entry(lesson.session).slot
    assert slot is not None
    assert sight.phase is SessionPhase.FINISHED
    honest = 0b1111 & ~(1 << slot)
    assert [one.paid for one in (await school.rounds(lesson)).values()] == [honest, honest]
    first, second = await cards(school, lesson)
    others = tuple(f"p{other:03}" for other in range(4) if other != slot)
    assert first.reexecuted == second.reexecuted == others
    reasons = [one.reason for card in (first, second) for one in card.left_out]
    assert reasons == ["failed an audit: the same steps give another result"]
    assert [one.settled.caught for one in (await school.rounds(lesson)).values() if one.settled] == [
        1 << slot,
        0,
    ]
    assert sight.members == honest
    lost = [earlier - now for earlier, now in zip(before, await stakes(school), strict=True)]
    assert lost == [0, 0, 0, lesson.order.bond // 2]


async def test_what_a_participant_could_not_show_costs_it_no_stake(school: School) -> None:
    await school.bench.enlist(3)
    lesson = await school.session(4, verification=ALWAYS, terms={"replicas": 3, "quorum": 2})
    before = await stakes(school)
    forgetful = await odd_one(school, 3, Forgetful)
    for number in range(3):
        await school.runner(number)

    await school.ended(lesson)

    slot = forgetful.entry(lesson.session).slot
    assert slot is not None
    honest = 0b1111 & ~(1 << slot)
    rounds = (await school.rounds(lesson)).values()
    assert [(one.paid, one.settled.caught) for one in rounds if one.settled] == [(honest, 0), (honest, 0)]
    assert await stakes(school) == before


@pytest.mark.parametrize(
    "sections",
    [
        {"aggregation": {"method": "scaffold"}},
        {"compression": {"codec": "int8"}},
        {"compression": {"codec": "top_k"}, "aggregation": {"method": "fedprox"}},
        pytest.param({"compression": {"codec": "fp16"}, "aggregation": {"method": "fedyogi"}}, marks=pytest.mark.slow),
        pytest.param({"compression": {"codec": "int4"}, "aggregation": {"method": "reputation"}}, marks=pytest.mark.slow),
        pytest.param({"training": {"optimizer": {"type": "adam"}, "learning_rate": "0.01"}}, marks=pytest.mark.slow),
    ],
    ids=["scaffold", "int8", "top_k and fedprox", "fp16 and fedyogi", "int4 and reputation", "adam"],
)  # fmt: skip
async def test_honest_work_is_re_executed_under_every_option_to_the_simulation_s_bytes(
    school: School, sections: dict[str, Any]
) -> None:
    lesson = await school.session(3, verification=ALWAYS, **sections)
    for number in range(3):
        await school.runner(number)

    sight = await school.ended(lesson)

    everybody = ("p000", "p001", "p002")
    assert [card.reexecuted for card in await cards(school, lesson)] == [everybody, everybody]
    expected = model_file(lesson.config, lesson.simulated().progress.weights)
    assert sight.model == hashlib.sha256(expected).digest()
