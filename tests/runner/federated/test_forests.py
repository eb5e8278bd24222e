"""Forests grown by participants and united by whoever aggregates, as the training process does both."""

import hashlib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from learning import forest
from learning.contribution import Manifest
from learning.datasets import load_dataset
from learning.forest_rounds import FIRST
from learning.local import Place, grow_trees
from learning.model_card import ModelCard
from learning.model_spec import RandomForest
from runner.errors import ExecutionInvalid
from runner.federated.messages import Aggregate, Aggregated, Data, Given, Train, Trained
from runner.federated.workshop import Workshop
from tests.runner.federated.school import config, digits_file

SPEC = {"type": "random_forest", "input_dim": 64, "output_dim": 10, "trees": 6}
CONFIG = config(
    3,
    model=SPEC,
    aggregation={"method": "forest_union"},
    training={"rounds": 2, "min_participants": 2},
)


class Wood:
    """Rounds of one forest session without chain and content store."""

    def __init__(self, workshop: Workshop, folder: Path) -> None:
        self.workshop = workshop
        self.folder = folder

    def data(self, slot: int) -> Data:
        file = self.folder / f"data-{slot}"
        file.write_bytes(digits_file(120, first=120 * slot))
        return Data(file=str(file))

    async def grown(self, slot: int, *, round_: int = 0, base: bytes | None = None) -> Given:
        done: Trained = await self.workshop.train(
            Train(
                config=CONFIG.canonical(),
                session="0x00",
                round=round_,
                slot=slot,
                data=self.data(slot),
                base=base,
            )
        )
        return Given(slot=slot, manifest=done.manifest, content=done.content)

    async def united(
        self, given: list[Given], *, round_: int = 0, progress: bytes | None = None
    ) -> Aggregated:
        return await self.workshop.aggregate(
            Aggregate(
                config=CONFIG.canonical(),
                session="0x00",
                round=round_,
                evaluation=self.data(3),
                progress=progress,
                samples={one.slot: 120 for one in given},
                assigned=dict.fromkeys(range(3), 120),
                given=given,
            )
        )


@pytest.fixture
def wood(workshop: Workshop, tmp_path: Path) -> Wood:
    return Wood(workshop, tmp_path)


def trees_in(done: Aggregated) -> int:
    assert isinstance(CONFIG.model, RandomForest)
    return len(forest.from_bytes(done.model, CONFIG.model))


async def test_each_round_s_trees_join_those_before_and_the_union_gets_better(wood: Wood) -> None:
    first = await wood.united([await wood.grown(slot) for slot in range(3)])
    again = [await wood.grown(slot, round_=1, base=first.model) for slot in range(3)]
    second = await wood.united(again, round_=1, progress=first.progress)
    cards = [ModelCard.parse(done.card) for done in (first, second)]
    assert (trees_in(first), trees_in(second)) == (18, 36)
    assert (first.accepted, second.accepted, first.stop, second.stop) == (0b111, 0b111, False, True)
    assert cards[1].parents == (cards[0].model,)
    assert cards[1].metrics["accuracy"] > 0.75
    assert cards[1].loss < cards[0].loss


async def test_the_same_bytes_come_of_any_order_and_are_the_library_s(wood: Wood) -> None:
    given = [await wood.grown(slot) for slot in range(3)]
    one, other = await wood.united(given), await wood.united(given[::-1])
    assert (one.model, one.card, one.progress) == (other.model, other.card, other.progress)
    assert isinstance(CONFIG.model, RandomForest)

    data = load_dataset(digits_file(120), CONFIG.dataset, input_dim=64, classes=10)
    assert given[0].content == grow_trees(CONFIG, Place("0x00", 0, 0, "p000"), data)


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"samples": 500}, "number on chain"),
        ({"base": "1" * 64}, "another model"),
        ({"steps": 1}, "number of steps"),
        ({"update": FIRST}, "other bytes"),
        ({"participant": "p001"}, "another session, round or slot"),
    ],
)
async def test_false_claims_are_left_out_with_the_reason(
    wood: Wood, claims: dict[str, Any], reason: str
) -> None:
    given = [await wood.grown(slot) for slot in range(3)]
    lie = Manifest.build(Manifest.parse(given[2].manifest).model_dump() | claims).canonical()
    done = await wood.united([*given[:2], msgspec.structs.replace(given[2], manifest=lie)])
    assert (done.accepted, trees_in(done)) == (0b011, 12)
    assert [reason in one.reason for one in ModelCard.parse(done.card).left_out] == [True]


async def test_what_is_no_forest_or_anothers_is_left_out(wood: Wood) -> None:

    given = [await wood.grown(slot) for slot in range(3)]
    for content, reason in ((b"no forest", "not a forest"), (given[0].content, "copy")):
        claims = Manifest.parse(given[2].manifest).model_dump()
        claims |= {"update": hashlib.sha256(content).hexdigest()}
        false = msgspec.structs.replace(
            given[2], content=content, manifest=Manifest.build(claims).canonical()
        )
        done = await wood.united([*given[:2], false])
        assert (done.accepted, trees_in(done)) == (0b011, 12)
        assert reason in ModelCard.parse(done.card).left_out[0].reason


async def test_too_few_forests_keep_the_last_one_and_make_none_where_there_is_none(wood: Wood) -> None:
    with pytest.raises(ExecutionInvalid, match="usable forests"):
        await wood.united([await wood.grown(0)])
    first = await wood.united([await wood.grown(slot) for slot in range(3)])
    second = await wood.united(
        [await wood.grown(0, round_=1, base=first.model)], round_=1, progress=first.progress
    )
    assert second.model == first.model
    assert not ModelCard.parse(second.card).stands
