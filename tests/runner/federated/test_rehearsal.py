"""What a session would ask for is tried before a seat in it is taken: a seat binds for all rounds."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from learning.assignment import publish
from learning.session_config import SessionConfig
from learning.tensors import to_safetensors
from protocol.enums import SessionPhase
from protocol.errors import ContentUnavailable
from protocol.parts import store_parts
from runner.errors import ExecutionInvalid
from runner.federated.admission import too_slow
from runner.federated.diary import Entry, Standing
from runner.federated.messages import Data, Rehearse, Train
from runner.federated.papers import Papers
from runner.federated.workshop import Workshop
from tests.runner.federated.school import Pupil, School, config, digits_file, first_weights, model_file
from tests.runner.test_daemon import until

ROWS = 60
PARTS = [np.arange(0, 20), np.arange(20, 50)]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "data"
    path.write_bytes(digits_file(ROWS))
    return path


def a_session(parts: list[Any] = PARTS, **sections: Any) -> SessionConfig:
    return config(2, partition={"root": publish(parts).root}, **sections)


def work(file: Path, session: SessionConfig, **changes: Any) -> Rehearse:
    lists = list(publish(PARTS).lists)
    fields = {
        "config": session.canonical(),
        "data": Data(file=str(file), rows=lists[1]),
        "evaluation": Data(file=str(file)),
        "lists": lists,
        "sizes": [20, 30],
    }
    return Rehearse(**(fields | changes))


async def refusal_of(pupil: Pupil) -> str:
    """Wait until a runner refuses the one session that there is, and give its reason."""

    def refused() -> list[Entry]:
        return [entry for entry in pupil.diary.recent(1) if entry.stage is Standing.REFUSED]

    await until(lambda: bool(refused()), within_s=60)
    return refused()[0].reason


async def test_a_session_that_can_be_done_tells_how_long_a_round_takes(
    workshop: Workshop, data: Path
) -> None:
    once, often = a_session(), a_session(training={"local_epochs": 900})
    short = await workshop.rehearse(work(data, once))
    long = await workshop.rehearse(work(data, often))
    assert 0 < short.seconds < long.seconds


async def test_a_forest_is_rehearsed_by_growing_a_tree(workshop: Workshop, data: Path) -> None:
    model = {"type": "random_forest", "input_dim": 64, "output_dim": 10, "trees": 5}
    forest = SessionConfig.build(
        {
            **a_session().model_dump(),
            "model": model,
            "aggregation": {"method": "forest_union"},
        }
    )
    assert (await workshop.rehearse(work(data, forest))).seconds > 0


@pytest.mark.parametrize(
    ("said", "changes"),
    [
        ("not those of the session", {"lists": list(reversed(publish(PARTS).lists)), "sizes": [30, 20]}),
        ("not those of the session", {"lists": list(publish(PARTS[:1]).lists), "sizes": [20]}),
        ("said to have 21 samples", {"sizes": [21, 30]}),
        ("too short", {"first": b"none"}),
        ("expected", {"first": to_safetensors({"weight": np.zeros(3, np.float32)})}),
    ],
)
async def test_papers_that_do_not_belong_together_are_refused(
    workshop: Workshop, data: Path, said: str, changes: dict[str, Any]
) -> None:
    with pytest.raises(ExecutionInvalid, match=said):
        await workshop.rehearse(work(data, a_session(), **changes))


async def test_a_list_of_rows_that_are_not_there_is_refused_whichever_slot_it_is_for(
    workshop: Workshop, data: Path
) -> None:
    parts = [np.arange(50, ROWS + 1), np.arange(20, 50)]
    lists = list(publish(parts).lists)
    with pytest.raises(ExecutionInvalid, match=f"below {ROWS}"):
        await workshop.rehearse(work(data, a_session(parts), lists=lists, sizes=[11, 30]))


async def test_samples_that_cannot_be_read_are_refused(workshop: Workshop, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.write_bytes(digits_file(ROWS)[:-100])
    with pytest.raises(ExecutionInvalid, match="dataset"):
        await workshop.rehearse(work(broken, a_session()))


async def test_training_whose_checkpoints_nobody_can_keep_is_refused(workshop: Workshop, data: Path) -> None:
    session = a_session(training={"local_epochs": 1_000, "batch_size": 1, "segment_steps": 1})
    wide = session.model_copy(update={"model": session.model.model_copy(update={"hidden": (2_048,)})})
    with pytest.raises(ExecutionInvalid, match=r"training.segment_steps.*MiB"):
        await workshop.rehearse(work(data, wide))


@pytest.mark.parametrize(
    "change",
    [
        {
            "dataset": {"divide_by": "0.000000000000000001"},
            "training": {"loss": "mse", "metrics": ["mse"]},
        },
        {"training": {"learning_rate": "0.000000000000000001"}},
    ],
    ids=["away", "nowhere"],
)
async def test_training_that_runs_away_or_changes_nothing_is_refused(
    workshop: Workshop, data: Path, change: dict[str, Any]
) -> None:
    with pytest.raises(ExecutionInvalid, match="changes nothing, or runs away"):
        await workshop.rehearse(work(data, a_session(**change)))


async def test_the_weights_to_begin_with_are_those_that_are_trained(workshop: Workshop, data: Path) -> None:
    session = a_session()
    drawn = first_weights(session)

    async def trained(base: bytes | None) -> bytes:
        asked = Train(
            config=session.canonical(), session="0x00", round=0, slot=0, data=Data(file=str(data)), base=base
        )
        return (await workshop.train(asked)).manifest

    assert await trained(model_file(session, drawn)) == await trained(None)
    assert await trained(model_file(session, drawn * 2)) != await trained(None)


def test_training_may_take_half_the_time_that_a_round_gives_to_all_sessions_together() -> None:
    assert too_slow(30, window_s=60, others=0) is None
    assert "takes about 31 s here; 60 s are given" in (too_slow(31, window_s=60, others=0) or "")
    assert "1 other sessions' as much" in (too_slow(16, window_s=60, others=1) or "")


async def test_a_session_begins_with_the_weights_of_another(school: School) -> None:
    before = first_weights(config(2)) * np.float32(0.5)
    stored = await store_parts(school.bench.store, model_file(config(2), before))
    lesson = await school.session(2, model={"init": stored.root.hex()}, training={"rounds": 1})
    for number in range(2):
        await school.runner(number)

    sight = await school.ended(lesson)

    expected = model_file(lesson.config, lesson.simulated(first=before).progress.weights)
    assert sight.phase is SessionPhase.FINISHED
    assert sight.model == hashlib.sha256(expected).digest()


async def test_data_that_the_lists_are_not_of_cost_no_runner_a_bond(school: School) -> None:
    lesson = await school.session(2, instead=digits_file(30))
    pupil = await school.runner(0)
    assert "below 30" in await refusal_of(pupil)
    assert (await school.sight(lesson)).members == 0


async def test_training_that_would_take_longer_than_a_round_is_not_joined(school: School) -> None:
    await school.session(2, training={"local_epochs": 1_000, "batch_size": 1}, terms={"train_for": 10})
    pupil = await school.runner(0)
    assert (await refusal_of(pupil)).startswith("time: ")


async def test_papers_that_are_taken_away_after_joining_are_still_there(school: School) -> None:
    lesson = await school.session(2, training={"rounds": 1})
    pupils = [await school.runner(number) for number in range(2)]
    papers = pupils[0].duty._aggregator.history.papers
    await school.phase(lesson, SessionPhase.TRAINING)

    class Gone:
        async def get(self, *_: object, **__: object) -> bytes:
            raise ContentUnavailable("nobody has it any more", hint="")

    papers_of_a_restarted_runner = Papers(
        Gone(),  # type: ignore[arg-type]
        papers._files,
        folder=papers._folder,
        private={},
    )
    entry = pupils[0].entry(lesson.session)
    again = await papers_of_a_restarted_runner.config(entry)
    assert again == lesson.config
    for slot in range(2):
        await papers_of_a_restarted_runner.share(entry, again, slot)
    await papers_of_a_restarted_runner.evaluation(entry, again)
    await school.ended(lesson)
