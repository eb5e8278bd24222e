"""Audits of contributions as the training process does them: honest work passes, whatever is withheld or added is caught."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from learning import compression
from learning.contribution import Manifest
from learning.lots import drawn_segments
from learning.model_card import ModelCard
from learning.session_config import SessionConfig
from runner.federated.messages import Aggregate, Aggregated, Data, Evidence, Given, Train, Trained
from runner.federated.workshop import Workshop
from tests.runner.federated.school import config, digits_file

DRAW = b"\7" * 32
SLOTS, PARTICIPANTS = (0, 1), 3


@dataclass
class Desk:
    """A session's rounds without chain and content store: two participants, everybody audited."""

    workshop: Workshop
    folder: Path
    config: SessionConfig

    def data(self, slot: int) -> Data:
        file = self.folder / f"data-{slot}"
        if not file.exists():
            file.write_bytes(digits_file(60, first=60 * slot))
        return Data(file=str(file))

    async def train(self, slot: int, *, round_: int = 0, **changes: Any) -> Trained:
        work = Train(
            config=self.config.canonical(),
            session="0x00",
            round=round_,
            slot=slot,
            data=self.data(slot),
            checkpoints=str(self.folder / f"round-{round_}-{slot}"),
        )
        return await self.workshop.train(msgspec.structs.replace(work, **changes))

    def given(self, slot: int, done: Trained, *, round_: int = 0, **evidence: Any) -> Given:
        claims = Manifest.parse(done.manifest)
        segments = drawn_segments(DRAW, claims.participant, checkpoints=claims.checkpoints, count=3)
        folder = self.folder / f"round-{round_}-{slot}"
        shown = {n: (folder / str(n)).read_bytes() for one in segments for n in (one, one + 1)}
        proof = {"data": self.data(slot), "trail": done.trail, "shown": shown} | evidence
        return Given(
            slot=slot,
            manifest=done.manifest,
            content=done.content,
            variate=done.variate,
            evidence=Evidence(**proof),
        )

    async def aggregate(
        self, given: list[Given], *, round_: int = 0, progress: bytes | None = None
    ) -> Aggregated:
        return await self.workshop.aggregate(
            Aggregate(
                config=self.config.canonical(),
                session="0x00",
                round=round_,
                evaluation=self.data(PARTICIPANTS),
                progress=progress,
                samples=dict.fromkeys(SLOTS, 60),
                assigned=dict.fromkeys(range(PARTICIPANTS), 60),
                given=given,
                draw=DRAW,
            )
        )


@pytest.fixture
def desk(workshop: Workshop, tmp_path: Path) -> Callable[..., Desk]:
    def make(**sections: Any) -> Desk:
        training = {"rounds": 3, "min_participants": 1, "local_epochs": 12}
        sections = {"verification": {"audit_rate": "1"}} | sections
        return Desk(workshop, tmp_path, config(PARTICIPANTS, training=training, **sections))

    return make


def reasons(done: Aggregated) -> dict[str, str]:
    return {one.participant: one.reason for one in ModelCard.parse(done.card).left_out}


@pytest.mark.parametrize("sections", [{}, {"aggregation": {"method": "scaffold"}}], ids=["plain", "scaffold"])
async def test_honest_work_is_re_executed_and_counts(
    desk: Callable[..., Desk], sections: dict[str, Any]
) -> None:
    table = desk(**sections)
    done = await table.aggregate([table.given(slot, await table.train(slot)) for slot in SLOTS])
    assert (done.accepted, done.caught, reasons(done)) == (0b11, {}, {})
    assert ModelCard.parse(done.card).reexecuted == ("p000", "p001")


async def test_another_learning_rate_is_caught_and_the_log_says_where_it_began(
    desk: Callable[..., Desk],
) -> None:
    table = desk()
    slower = SessionConfig.build(
        table.config.model_dump()
        | {"training": table.config.training.model_dump() | {"learning_rate": "0.05"}}
    )
    cheat = await table.train(1, config=slower.canonical())
    done = await table.aggregate([table.given(0, await table.train(0)), table.given(1, cheat)])
    assert (done.accepted, done.disproved) == (0b01, 0b10)
    assert reasons(done) == {"p001": "failed an audit: the same steps give another result"}
    assert "first differs at checkpoint 1 of" in done.caught[1]


@pytest.mark.parametrize(
    ("evidence", "found"),
    [
        ({"shown": {}}, "was not shown"),
        ({"trail": None}, "was not shown"),
        ({"trail": b"parity/trail/v1\0"}, "was not shown"),
        ({"shown": dict.fromkeys(range(40), b"not a checkpoint")}, "was not shown"),
        ({"missing": "carried"}, "was not shown"),
    ],
    ids=["checkpoints withheld", "trail withheld", "another trail", "other bytes", "carried error withheld"],
)
async def test_what_is_withheld_or_replaced_counts_as_failed_but_proves_nothing(
    desk: Callable[..., Desk], evidence: dict[str, Any], found: str
) -> None:
    table = desk()
    honest = table.given(0, await table.train(0))
    done = await table.aggregate([honest, table.given(1, await table.train(1), **evidence)])
    assert (done.accepted, done.disproved) == (0b01, 0)
    assert found in reasons(done)["p001"]


async def test_who_was_caught_is_left_out_of_later_rounds_too(desk: Callable[..., Desk]) -> None:
    table = desk()
    first = await table.aggregate(
        [table.given(0, await table.train(0)), table.given(1, await table.train(1), shown={})]
    )
    again = [
        table.given(slot, await table.train(slot, round_=1, base=first.model), round_=1) for slot in SLOTS
    ]
    second = await table.aggregate(again, round_=1, progress=first.progress)
    assert second.accepted == 0b01
    assert reasons(second) == {"p001": "failed an audit in an earlier round"}


async def test_who_has_not_been_re_executed_yet_is_drawn_as_if_it_were_odd(desk: Callable[..., Desk]) -> None:
    table = desk(verification={"audit_rate": "0", "flagged_rate": "1"})
    first = await table.aggregate([table.given(0, await table.train(0))])
    assert ModelCard.parse(first.card).reexecuted == ("p000",)
    again = [
        table.given(slot, await table.train(slot, round_=1, base=first.model), round_=1) for slot in SLOTS
    ]
    second = await table.aggregate(again, round_=1, progress=first.progress)
    assert ModelCard.parse(second.card).reexecuted == ("p001",)


async def test_a_late_training_is_re_executed_from_the_model_that_it_began_with(
    desk: Callable[..., Desk],
) -> None:
    table = desk(asynchronous={"buffer": 1, "max_staleness": 2})
    first = await table.aggregate([table.given(0, await table.train(0))])
    in_time = table.given(0, await table.train(0, round_=1, base=first.model), round_=1)
    late = table.given(
        1, await table.train(1)
    )  # its base was drawn from the session's seed: there is no file
    second = await table.aggregate([in_time, late], round_=1, progress=first.progress)
    card = ModelCard.parse(second.card)
    assert (second.accepted, card.reexecuted) == (0b11, ("p000", "p001"))
    assert {one.participant: one.late for one in card.counted} == {"p000": 0, "p001": 1}


@pytest.mark.parametrize("shown", ["other model", "none"])
async def test_a_late_training_without_its_base_is_not_taken_for_re_executed(
    desk: Callable[..., Desk], shown: str
) -> None:
    table = desk(asynchronous={"buffer": 1, "max_staleness": 2})
    first = await table.aggregate([table.given(0, await table.train(0))])
    second = await table.aggregate(
        [table.given(0, await table.train(0, round_=1, base=first.model), round_=1)],
        round_=1,
        progress=first.progress,
    )
    base = second.model if shown == "other model" else None
    late = table.given(1, await table.train(1, round_=1, base=first.model), round_=1, base=base)
    third = await table.aggregate([late], round_=2, progress=second.progress)
    assert (third.accepted, third.disproved) == (0, 0)
    assert "was not shown" in reasons(third)["p001"]
    honest = msgspec.structs.replace(late, evidence=msgspec.structs.replace(late.evidence, base=first.model))
    assert (await table.aggregate([honest], round_=2, progress=second.progress)).accepted == 0b10


async def test_a_carried_error_is_believed_only_as_far_as_the_last_update_can_have_lost_it(
    desk: Callable[..., Desk],
) -> None:
    table = desk(compression={"codec": "int4"})
    firsts = [await table.train(slot) for slot in SLOTS]
    first = await table.aggregate([table.given(slot, done) for slot, done in zip(SLOTS, firsts, strict=True)])
    assert first.accepted == 0b11
    lost = [done.residual for done in firsts]
    assert all(lost)
    poison = (np.frombuffer(lost[1] or b"", "<f4") + np.float32(0.5)).tobytes()
    given = []
    for slot, carried in zip(SLOTS, (lost[0], poison), strict=True):
        done = await table.train(slot, round_=1, base=first.model, residual=carried)
        given.append(table.given(slot, done, round_=1, carried=carried, before=firsts[slot].content))
    second = await table.aggregate(given, round_=1, progress=first.progress)
    assert (second.accepted, second.disproved) == (0b01, 0b10)
    assert "does not end at the handed-in update" in reasons(second)["p001"]
    assert compression.can_be_lost(
        firsts[0].content, np.frombuffer(lost[0] or b"", "<f4"), table.config.compression
    )


async def test_an_error_carried_from_what_was_no_update_disproves_the_contribution(
    desk: Callable[..., Desk],
) -> None:
    table = desk(compression={"codec": "int4"})
    firsts = [await table.train(slot) for slot in SLOTS]
    first = await table.aggregate([table.given(0, firsts[0])])
    given = []
    for slot, before in zip(SLOTS, (firsts[0].content, b"no update"), strict=True):
        carried = firsts[slot].residual
        done = await table.train(slot, round_=1, base=first.model, residual=carried)
        given.append(table.given(slot, done, round_=1, carried=carried, before=before))
    second = await table.aggregate(given, round_=1, progress=first.progress)
    assert (second.accepted, second.disproved) == (0b01, 0b10)
