"""Secure aggregation among participants of whom one spoils it: nobody else is silenced, and whoever aggregates has a result."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from learning.model_card import ModelCard
from learning.privacy import spent_after
from learning.secagg import participant
from learning.secagg.messages import Answer, Keys, Masked, Message, Shares
from protocol.cid import digest_of
from protocol.enums import SessionPhase
from protocol.parts import fetch_parts
from protocol.session import Post
from runner.errors import ExecutionInvalid
from runner.federated.board import Round
from runner.federated.history import History, keys_of, posts_of
from runner.federated.messages import Aggregate, Data, Masks
from runner.federated.names import name_of
from runner.federated.papers import MAX_BYTES
from runner.federated.part import Part
from runner.federated.secrecy import words
from runner.federated.workshop import Workshop
from tests.runner.federated.school import config, digits_file

PLACE = "chain 31337"
LOW_ORDER = bytes([1]) + bytes(31)
PARAMETERS = 64 * 16 + 16 + 16 * 10 + 10


@dataclass
class Shelf:
    """A content store in memory."""

    kept: dict[bytes, bytes] = field(default_factory=dict)

    async def add(self, content: bytes) -> bytes:
        self.kept[digest_of(content)] = content
        return digest_of(content)

    async def get(self, digest: bytes, *, max_bytes: int = MAX_BYTES) -> bytes:
        del max_bytes
        return self.kept[digest]


@dataclass
class Notes:
    """What a diary keeps of secure aggregation."""

    kept: tuple[bytes, int] | None = None

    def state(self, *_: object) -> tuple[bytes, int] | None:
        return self.kept

    def keep_state(self, *_: object, state: bytes, samples: int) -> None:
        self.kept = (state, samples)


class Pupil:
    """One participant of slot `slot`, with nothing but its memory and a store that all share."""

    def __init__(self, slot: int, shelf: Shelf, *, threshold: int) -> None:
        papers = type("Papers", (), {"store": shelf})
        made: Any = History(papers, Notes(), None, PLACE)  # type: ignore[arg-type]
        order = type("Order", (), {"threshold": threshold})
        self.entry: Any = type("Entry", (), {"session": bytes(32), "order": order})
        self.history: History = made
        self.slot = slot

    async def say(self, one: Round, phase: SessionPhase) -> Post:
        part = Part(entry=self.entry, config=config(3), rounds={1: one}, round=one, slot=self.slot, node="")
        said = await words(self.history, part, phase=phase, patient=False)
        assert said is not None
        return Post(phase=phase, slot=self.slot, node="", first=said.first, second=said.second)


async def said_keys(pupils: list[Pupil], *, spoilt: int) -> Round:
    """A round in which everybody has posted keys, and one's can be used by nobody."""
    one = Round(number=1, attempt=0, base=bytes(32))
    posts = [await pupil.say(one, SessionPhase.KEYS) for pupil in pupils]
    posts[spoilt] = replace(posts[spoilt], first=LOW_ORDER)
    return replace(one, posts=tuple(posts))


async def test_who_posts_keys_that_hide_nothing_takes_no_part_and_the_others_go_on() -> None:
    pupils = [Pupil(slot, Shelf(), threshold=3) for slot in range(4)]
    one = await said_keys(pupils, spoilt=2)
    assert sorted(keys_of(one)) == [0, 1, 3]
    shelf = pupils[0].history.papers.store
    post = await pupils[0].say(one, SessionPhase.SHARES)
    message = Shares.decode(await fetch_parts(shelf, post.first, max_bytes=MAX_BYTES))
    assert sorted(message.sealed) == ["p000", "p001", "p003"]
    later = replace(one, posts=(*one.posts, post, replace(post, slot=2)))
    assert sorted(posts_of(later, SessionPhase.SHARES)) == [0]


@pytest.mark.parametrize(
    ("phase", "kind"),
    [(SessionPhase.SHARES, Shares), (SessionPhase.MASKING, Masked), (SessionPhase.UNMASKING, Answer)],
)
async def test_a_round_that_too_few_can_unmask_is_gone_through_rather_than_silently_missed(
    phase: SessionPhase, kind: type[Message]
) -> None:
    """Silence would cost everybody a part of the bond, for what one did."""
    pupils = [Pupil(slot, Shelf(), threshold=3) for slot in range(3)]
    one = await said_keys(pupils, spoilt=2)
    post = await pupils[0].say(one, phase)
    said = kind.decode(await fetch_parts(pupils[0].history.papers.store, post.first, max_bytes=MAX_BYTES))
    empty = {
        Shares: Shares(sender="p000", sealed={}, seed_hash=b""),
        Masked: Masked(sender="p000", words=b""),
        Answer: Answer(sender="p000", seeds={}, mask_keys={}),
    }
    assert said == empty[kind]


def played(*, liars: int) -> Masks:
    """A round of three in which so many give away wrong shares."""
    names = [name_of(slot) for slot in range(3)]
    states, keys = {}, {}
    for name in names:
        states[name], keys[name] = participant.begin(name, b"round")
    shares: dict[str, Shares] = {}
    masked: dict[str, Masked] = {}
    answers: dict[str, Answer] = {}
    for name in names:
        states[name], shares[name] = participant.share(states[name], keys.values(), threshold=3)
    for name in names:
        steps = np.ones(PARAMETERS, np.int64)
        states[name], masked[name] = participant.mask(states[name], shares.values(), steps)
    for number, name in enumerate(names):
        states[name], answers[name] = participant.answer(states[name], masked)
        if number < liars:
            answers[name] = Answer(sender=name, seeds=dict.fromkeys(names, bytes(32)), mask_keys={})
    by_slot = [
        {slot: kept[name].encode() for slot, name in enumerate(names)} for kept in (shares, masked, answers)
    ]
    encoded: dict[int, bytes] = {slot: Keys.encode(keys[name]) for slot, name in enumerate(names)}
    return Masks(
        context=b"round", threshold=3, keys=encoded, shares=by_slot[0], masked=by_slot[1], answers=by_slot[2]
    )


def aggregation(tmp_path: Path, masks: Masks) -> Aggregate:
    data = tmp_path / "data"
    data.write_bytes(digits_file(60))
    return Aggregate(
        config=config(3, secure_aggregation={"threshold": 3}).canonical(),
        session="0x00",
        round=0,
        evaluation=Data(file=str(data)),
        progress=None,
        samples=dict.fromkeys(range(3), 1),
        assigned=dict.fromkeys(range(3), 1),
        masks=masks,
    )


async def test_a_sum_that_nobody_can_unmask_is_a_result_that_whoever_aggregates_can_hand_in(
    workshop: Workshop, tmp_path: Path
) -> None:
    whole = await workshop.aggregate(aggregation(tmp_path, played(liars=0)))
    lost = await workshop.aggregate(aggregation(tmp_path, played(liars=1)))
    assert (whole.accepted, lost.accepted) == (0b111, 0)
    reasons = {each.reason for each in ModelCard.parse(lost.card).left_out}
    assert len(reasons) == 1
    assert "too few right shares" in reasons.pop()


async def test_what_others_may_have_is_waited_for_before_a_sum_is_called_lost(
    workshop: Workshop, tmp_path: Path
) -> None:
    partly = msgspec.structs.replace(played(liars=1), whole=False)
    with pytest.raises(ExecutionInvalid, match="too few right shares"):
        await workshop.aggregate(aggregation(tmp_path, partly))


async def test_privacy_is_spent_on_a_sum_that_can_be_read_though_no_model_is_made_of_it(
    workshop: Workshop, tmp_path: Path
) -> None:
    noised = config(
        3,
        secure_aggregation={"threshold": 3},
        privacy={"placement": "distributed", "noise_multiplier": "1"},
        aggregation={"method": "fedavg"},
    )
    work = msgspec.structs.replace(
        aggregation(tmp_path, played(liars=0)), config=noised.canonical(), samples={0: 2, 1: 1, 2: 1}
    )
    card = ModelCard.parse((await workshop.aggregate(work)).card)
    assert (card.stands, card.counted) == (False, ())
    assert card.epsilon is not None
    assert float(card.epsilon) == pytest.approx(spent_after(noised.privacy, 1).epsilon, abs=1e-4)
