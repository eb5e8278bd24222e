import hashlib

from learning.model_card import ModelCard
from protocol.enums import SessionPhase
from protocol.money import USDFC
from protocol.parts import fetch_parts
from runner.federated.diary import Standing
from runner.status import lines_of, read_status
from tests.runner.federated.school import School, model_file
from tests.runner.test_daemon import until


async def test_runners_train_a_model_to_the_bytes_of_a_simulation(school: School) -> None:
    lesson = await school.session(3, terms={"replicas": 3, "quorum": 2})
    for number in range(3):
        await school.runner(number)

    sight = await school.ended(lesson)

    simulation = lesson.simulated()
    expected = model_file(lesson.config, simulation.progress.weights)
    assert sight.phase is SessionPhase.FINISHED
    assert sight.model == hashlib.sha256(expected).digest()
    rounds = await school.rounds(lesson)
    assert [one.paid for one in rounds.values()] == [0b111, 0b111]
    last = rounds[2].settled
    assert last is not None
    card = ModelCard.parse(await school.bench.store.get(last.manifest))
    assert card.loss == simulation.cards[-1].loss
    assert card.file is not None
    assert (
        await fetch_parts(school.bench.store, bytes.fromhex(card.file.parts), max_bytes=1 << 20) == expected
    )
    assert await school.bench.books_balance()


async def test_the_owner_sees_in_which_sessions_a_runner_takes_part(school: School) -> None:
    lesson = await school.session(2, training={"rounds": 1, "min_participants": 2})
    pupil = await school.runner(0)
    await school.until(lesson, lambda now: now.members.bit_count() == 1)
    await school.runner(1)
    await school.ended(lesson)
    await until(lambda: pupil.entry(lesson.session).stage is Standing.OVER, within_s=120)

    status = read_status(school.bench.home / "runner-0", chain_id=31337)

    (shown,) = status.to_json()["sessions"]
    assert shown["session"] == "0x" + lesson.session.hex()
    assert (shown["stage"], shown["phase"], shown["slot"]) == ("over", "finished", 0)
    assert int(shown["earned"]) == USDFC // 10 * 98 // 100
    assert any("finished of round 1 of 1" in line and "0.098 USDFC" in line for line in lines_of(status))
