"""A round's result from what was published in it: whatever a stranger publishes, there is one, and it is the chain's that counts."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO, cast

import pytest

from learning.assignment import ListPlace, PartitionIndex, divide_rows, publish
from learning.contribution import Manifest, Paper
from learning.datasets import load_dataset
from learning.model_card import ModelCard
from learning.session_config import SessionConfig
from protocol.cid import digest_of
from protocol.documents import canonical
from protocol.enums import SessionPhase
from protocol.errors import ContentUnavailable
from protocol.files import FileStore
from protocol.parts import MAX_PARTS, PART_BYTES, PartList, store_parts
from protocol.session import Aggregate as Settled
from protocol.session import Post
from runner.federated.board import Round
from runner.federated.diary import Diary, Entry, Result
from runner.federated.history import History
from runner.federated.messages import Data, Train
from runner.federated.papers import Papers
from runner.federated.workshop import Workshop
from tests.runner.federated.school import config, digits_file

PARTICIPANTS = 3
SESSION = bytes(32)
NODE = "0x" + "0" * 40
FILE = digits_file(120)
NOBODY = {"audit_rate": "0", "flagged_rate": "0"}
EVERYBODY = {"audit_rate": "1", "flagged_rate": "1"}


@dataclass
class Shelf:
    """Content in memory, which counts what is fetched."""

    kept: dict[bytes, bytes] = field(default_factory=dict)
    fetched: int = 0

    async def add(self, content: bytes) -> bytes:
        self.kept[digest_of(content)] = content
        return digest_of(content)

    async def get(self, digest: bytes, *, max_bytes: int = PART_BYTES) -> bytes:
        if digest not in self.kept:
            raise ContentUnavailable("nobody has it")
        self.fetched += len(self.kept[digest])
        assert len(self.kept[digest]) <= max_bytes
        return self.kept[digest]

    async def download(self, _cid: str, into: BinaryIO, *, max_bytes: int) -> None:
        del max_bytes
        into.write(FILE)


@dataclass
class Desk:
    """What a runner has that repeats the rounds of a session of three: its papers, its diary, and a training process."""

    history: History
    shelf: Shelf
    config: SessionConfig
    entry: Entry

    async def trained(self, slot: int) -> Paper:
        """Publish an honest contribution to the first round."""
        done = await self.history.workshop.train(
            Train(
                config=self.config.canonical(),
                session="0x" + SESSION.hex(),
                round=0,
                slot=slot,
                data=await self.data(slot),
            )
        )
        stored = await store_parts(cast(Any, self.shelf), done.content)
        return Paper(manifest=Manifest.parse(done.manifest), parts=stored.root.hex())

    async def data(self, slot: int) -> Data:
        return await self.history.papers.share(self.entry, self.config, slot)

    async def round(self, papers: dict[int, bytes]) -> Round:
        """A first round in which these papers were revealed."""
        index = await self.history.papers.index(self.entry, self.config)
        assert index is not None
        posts = [
            Post(
                phase=SessionPhase.REVEALING,
                slot=slot,
                node=NODE,
                first=await self.shelf.add(paper),
                second=index.lists[slot].samples.to_bytes(32, "big"),
            )
            for slot, paper in papers.items()
        ]
        return Round(
            number=1,
            attempt=1,
            base=bytes(32),
            committed=dict.fromkeys(papers, 5),
            posts=tuple(posts),
            closed=b"\7" * 32,
        )

    async def honest(self) -> dict[int, bytes]:
        return {slot: (await self.trained(slot)).canonical() for slot in range(PARTICIPANTS)}

    async def card(self, papers: dict[int, bytes]) -> ModelCard:
        rounds = {1: await self.round(papers)}
        done = await self.history.repeat(self.entry, self.config, rounds, 1, None)
        return ModelCard.parse(done.card)


async def desk_of(workshop: Workshop, diary: Diary, folder: Path, **sections: Any) -> Desk:
    shelf = Shelf()
    store = cast(Any, shelf)
    draft = config(PARTICIPANTS, dataset={"cid": "a file"}, **{"verification": NOBODY, **sections})
    whole = load_dataset(FILE, draft.dataset, input_dim=64, classes=10)
    division = divide_rows(whole, draft.partition, evaluation_share=0.2)
    lists, held = publish(division.parts), publish([division.held_out])
    places = [
        ListPlace(parts=(await store_parts(store, one)).root.hex(), samples=(len(one) - 18) // 4)
        for one in (*lists.lists, *held.lists)
    ]
    index = PartitionIndex(
        samples=len(whole), root=lists.root, lists=tuple(places[:-1]), evaluation=places[-1]
    )
    digest = (await shelf.add(index.canonical())).hex()
    partition = draft.partition.model_copy(update={"root": lists.root, "index": digest})
    entry = cast(
        Entry, type("Entry", (), {"session": SESSION, "order": type("Order", (), {"secure": False})})
    )
    papers = Papers(store, cast(FileStore, shelf), folder=folder, private={})
    final = draft.model_copy(update={"partition": partition})
    return Desk(History(papers, diary, workshop, "chain 31337"), shelf, final, entry)


@pytest.fixture
def diary(tmp_path: Path) -> Iterator[Diary]:
    with closing(Diary.open(tmp_path / "learning.sqlite")) as opened:
        yield opened


async def bomb(shelf: Shelf) -> str:
    """The longest content that a list of parts can name, of one part that somebody keeps."""
    part = await shelf.add(bytes(PART_BYTES))
    size = MAX_PARTS * PART_BYTES
    content = hashlib.sha256(bytes(size)).hexdigest()
    listed = PartList(size=size, sha256=content, parts=(part.hex(),) * MAX_PARTS)
    return (await shelf.add(canonical(listed))).hex()


async def test_content_longer_than_an_update_can_be_is_not_fetched(
    workshop: Workshop, diary: Diary, tmp_path: Path
) -> None:
    desk = await desk_of(workshop, diary, tmp_path)
    papers = await desk.honest()
    large = Paper.parse(papers[2]).model_copy(update={"parts": await bomb(desk.shelf)})
    desk.shelf.fetched = 0

    card = await desk.card({**papers, 2: large.canonical()})

    assert {one.participant: one.reason for one in card.left_out} == {
        "p002": "is not what its digest promises"
    }
    assert desk.shelf.fetched < 8 * PART_BYTES


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"steps": 10**20}, "is not what its digest promises"),
        (
            {"checkpoints": 10**12},
            "failed an audit: a drawn checkpoint was not shown, or is not the committed one",
        ),
        ({"samples": 10**12}, "manifest.samples: is not the number on chain"),
        ({"round": 10**12}, "manifest: is for another session, round or slot"),
    ],
)
async def test_absurd_claims_are_left_out_and_the_round_has_a_result(
    workshop: Workshop, diary: Diary, tmp_path: Path, claims: dict[str, int], reason: str
) -> None:
    desk = await desk_of(workshop, diary, tmp_path, verification=EVERYBODY)
    paper = (await desk.trained(0)).model_dump(mode="json")
    paper["manifest"] |= claims

    card = await desk.card({0: json.dumps(paper).encode()})

    assert {one.participant: one.reason for one in card.left_out} == {"p000": reason}


async def test_a_result_that_the_chain_did_not_take_is_not_built_upon(
    workshop: Workshop, diary: Diary, tmp_path: Path
) -> None:
    """Others may have been able to fetch a contribution that this runner had to leave out."""
    desk = await desk_of(workshop, diary, tmp_path)
    honest = await desk.honest()
    whole, partly = await desk.round(honest), await desk.round({slot: honest[slot] for slot in (0, 1)})
    ours = await desk.history.repeat(desk.entry, desk.config, {1: partly}, 1, None)
    theirs = await desk.history.repeat(desk.entry, desk.config, {1: whole}, 1, None)
    diary.keep_result(SESSION, Result(round=1, card=digest_of(ours.card), progress=ours.progress))

    settled = Settled(
        model=digest_of(theirs.model), manifest=digest_of(theirs.card), accepted=7, caught=0, stop=False
    )
    rounds = {1: replace(whole, settled=settled)}
    assert await desk.history.before(desk.entry, desk.config, rounds, 2) == theirs.progress

    desk.shelf.kept.clear()  # what was found out once is not asked for again
    assert await desk.history.before(desk.entry, desk.config, rounds, 2) == theirs.progress
