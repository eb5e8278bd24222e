import hashlib

from learning.model_card import ModelCard
from protocol.enums import SessionPhase
from protocol.parts import fetch_parts
from tests.runner.federated.school import School, model_file


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
