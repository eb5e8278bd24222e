"""Participants that train on files of their own, which nobody else ever sees."""

import hashlib
import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from devnet.accounts import LOCAL
from learning.model_card import ModelCard
from protocol.enums import SessionPhase
from tests.runner.federated.overheard import overhear
from tests.runner.federated.school import School, digits_file, model_file, stored_bytes
from tests.runner.test_daemon import until

PARTICIPANTS, EACH = 3, 60
BOUNDS = (0, 60, 120, 400)
"""Where each participant's images begin: the last has far more than the others."""


async def chain_bytes(school: School) -> bytes:
    """Everything that was ever sent to the chain."""
    w3 = school.bench.chain.w3
    blocks = [await w3.eth.get_block(n, True) for n in range(await w3.eth.block_number + 1)]
    return b"".join(bytes(sent["input"]) for block in blocks for sent in block["transactions"])  # type: ignore[index]


@pytest.mark.parametrize("sections", [{}, {"secure_aggregation": {}}], ids=["plain", "secure"])
async def test_each_trains_on_its_own_file_and_no_sample_is_kept_published_or_sent(
    school: School, tmp_path_factory: pytest.TempPathFactory, sections: dict[str, object]
) -> None:
    files = [digits_file(end - start, first=start) for start, end in itertools.pairwise(BOUNDS)]
    evaluation = digits_file(EACH, first=BOUNDS[-1])
    home = tmp_path_factory.mktemp("owners")
    lesson = await school.private_session(files, evaluation, **sections)
    pupils, heard = [], []
    for number, content in enumerate(files):
        own: Path = home / f"{number}.npz"
        own.write_bytes(content)  # noqa: ASYNC240 (a few kilobytes)
        pupil = await school.runner(number, start=False, runner_private_data=f"{LOCAL.payer.address}={own}")
        pupils.append(pupil)
        heard.append(overhear(pupil))
        school.start(pupil)

    await school.phase(lesson, SessionPhase.AGGREGATING)
    kept = stored_bytes(school.bench.home)
    sight = await school.ended(lesson)

    slots = [pupil.entry(lesson.session).slot for pupil in pupils]
    by_slot = replace(lesson, rows=[lesson.rows[slots.index(slot)] for slot in range(PARTICIPANTS)])
    expected = model_file(lesson.config, by_slot.simulated(claimed=True).progress.weights)
    assert sight.phase is SessionPhase.FINISHED
    assert sight.model == hashlib.sha256(expected).digest()
    rounds = await school.rounds(lesson)
    assert [one.paid for one in rounds.values()] == [0b111, 0b111]
    settled = rounds[1].settled
    assert settled is not None
    card = ModelCard.parse(await school.bench.store.get(settled.manifest))
    assert card.reexecuted == ()  # nobody has the samples that an audit would need

    published = b"".join(content for one in heard for content in one.sent)
    assert expected[-400:] in published, "what is looked through holds what is published"
    everything = kept + stored_bytes(school.bench.home) + published + await chain_bytes(school)
    for row in np.concatenate(lesson.rows):
        pixels = lesson.whole.features[row]
        for form in (pixels, pixels * 16, (pixels * 16).astype(np.uint8)):
            assert form.tobytes() not in everything
        assert ",".join(str(int(value)) for value in pixels * 16).encode() not in everything


async def test_a_runner_without_a_file_of_its_own_leaves_the_session_to_others(school: School) -> None:
    lesson = await school.private_session([digits_file(EACH)] * 2, digits_file(EACH))
    pupil = await school.runner(0)
    await school.phase(lesson, SessionPhase.JOINING, round_=0)
    await until(lambda: any(one.reason for one in pupil.diary.recent(1)))
    assert "RUNNER_PRIVATE_DATA" in pupil.entry(lesson.session).reason
    assert (await school.sight(lesson)).members == 0
