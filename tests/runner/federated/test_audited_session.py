"""Contributions re-executed by whoever aggregates: honest work under every option passes, a cheat is paid nothing."""

import hashlib
import json
from typing import Any

import pytest

from learning.model_card import ModelCard
from protocol.enums import SessionPhase
from runner.federated.messages import Train, Trained
from runner.federated.workshop import Workshop
from tests.runner.federated.school import Lesson, Pupil, School, model_file

ALWAYS = {"audit_rate": "1", "flagged_rate": "1"}


class HalfRate:
    """A training process that learns half as fast as it says, and otherwise does and claims what was asked."""

    def __init__(self, inner: Workshop) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def train(self, work: Train) -> Trained:
        config = json.loads(work.config)
        config["training"]["learning_rate"] = "0.05"
        changed = {name: getattr(work, name) for name in work.__struct_fields__}
        return await self._inner.train(Train(**changed | {"config": json.dumps(config).encode()}))


async def cards(school: School, lesson: Lesson) -> list[ModelCard]:
    settled = [one.settled for one in (await school.rounds(lesson)).values()]
    return [ModelCard.parse(await school.bench.store.get(one.manifest)) for one in settled if one]


async def cheating(school: School, number: int) -> Pupil:
    pupil = await school.runner(number, start=False)
    history = pupil.duty._aggregator.history
    object.__setattr__(history, "workshop", HalfRate(school.workshop))
    school.start(pupil)
    return pupil


async def test_a_cheat_is_caught_paid_nothing_and_left_out_of_every_later_round(school: School) -> None:
    await school.bench.enlist(3)
    lesson = await school.session(4, verification=ALWAYS)
    cheat = await cheating(school, 3)
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
    assert reasons == [
        "failed an audit: the same steps give another result",
        "failed an audit in an earlier round",
    ]


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
