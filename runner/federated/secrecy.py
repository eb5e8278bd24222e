"""One participant's round under secure aggregation: keys, sealed shares, masked update, answer.

The state is in the diary before its message is published anywhere, so that a restarted runner says the same again. What is
kept and sent is masked: the update itself exists in memory alone.
"""

import asyncio
from dataclasses import dataclass

import numpy as np
import structlog

from learning.errors import SecureAggregationError
from learning.lengths import longest_content
from learning.secagg import participant as secure
from learning.secagg.masks import public_key
from learning.secagg.messages import Answer, Masked, Message, Shares
from learning.secagg.participant import State
from learning.session_config import SessionConfig
from protocol.enums import SessionPhase
from protocol.errors import ContentError, ContentTooLarge
from protocol.parts import fetch_parts, store_parts
from runner.errors import ExecutionInvalid
from runner.federated.history import History, keys_of, posts_of
from runner.federated.names import name_of
from runner.federated.part import Part
from runner.federated.taking_part import training

_BEFORE = {
    SessionPhase.SHARES: SessionPhase.KEYS,
    SessionPhase.MASKING: SessionPhase.SHARES,
    SessionPhase.UNMASKING: SessionPhase.MASKING,
}

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Words:
    """What a phase posts on chain: two words of 32 bytes."""

    first: bytes
    second: bytes = bytes(32)


async def words(history: History, part: Part, *, phase: SessionPhase, patient: bool) -> Words | None:
    """Do what a phase asks for, up to the post; none while others' shares cannot be had and `patient` waits for them.

    Raises `ContentError`, `ExecutionInvalid`, `EngineUnavailable`.
    """
    acts = {
        SessionPhase.KEYS: _keys,
        SessionPhase.SHARES: _shares,
        SessionPhase.UNMASKING: _answer,
    }
    try:
        if phase in _BEFORE and _is_lost(part, phase):
            return await _nothing(history, part, phase)
        if phase is SessionPhase.MASKING:
            return await _masked(history, part, patient=patient)
        return await acts[phase](history, part)
    except SecureAggregationError as error:
        raise ExecutionInvalid(f"secure aggregation: {error}") from error


def _is_lost(part: Part, phase: SessionPhase) -> bool:
    """Return whether too few are left for anybody to unmask the sum: who posts keys that cannot be used takes no part."""
    return len(posts_of(part.round, _BEFORE[phase])) < part.entry.order.threshold


async def _nothing(history: History, part: Part, phase: SessionPhase) -> Words:
    """Say nothing, in form: the round is repeated, and silence would cost a part of the bond."""
    name = name_of(part.slot)
    message: Message = {
        SessionPhase.SHARES: Shares(sender=name, sealed={}, seed_hash=b""),
        SessionPhase.MASKING: Masked(sender=name, words=b""),
        SessionPhase.UNMASKING: Answer(sender=name, seeds={}, mask_keys={}),
    }[phase]
    log.warning("round_without_enough_keys", round=part.round.number, needed=part.entry.order.threshold)
    return Words((await store_parts(history.papers.store, message.encode())).root)


async def _keys(history: History, part: Part) -> Words:
    kept = _state(history, part)
    if kept is None:
        state, _ = secure.begin(name_of(part.slot), history.context(part.entry, part.round))
        _keep(history, part, state)
    else:
        state = kept
    return Words(public_key(state.seal_secret), public_key(state.mask_secret))


async def _shares(history: History, part: Part) -> Words:
    state, message = secure.share(
        _needed(history, part), keys_of(part.round).values(), threshold=part.entry.order.threshold
    )
    _keep(history, part, state)
    return Words((await store_parts(history.papers.store, message.encode())).root)


async def _masked(history: History, part: Part, *, patient: bool) -> Words | None:
    state = _needed(history, part)
    if state.posted_masked is None:
        posts = posts_of(part.round, SessionPhase.SHARES)
        received = await asyncio.gather(
            *[_received(history, part.config, post.first, slot) for slot, post in posts.items()]
        )
        if patient and None in received:
            return None
        shares = [
            message or Shares(sender=name_of(slot), sealed={}, seed_hash=b"")
            for slot, message in zip(posts, received, strict=True)
        ]
        done = await history.workshop.train(
            await training(history, part, summed_with=part.entry.order.min_participants)
        )
        steps = np.frombuffer(done.steps, "<i8").astype(np.int64)
        state, _ = secure.mask(state, shares, steps)
        _keep(history, part, state, samples=done.samples)
    assert state.posted_masked is not None
    kept = history.diary.state(part.entry.session, part.round.number, part.round.attempt)
    assert kept is not None
    stored = await store_parts(history.papers.store, state.posted_masked.encode())
    return Words(stored.root, kept[1].to_bytes(32, "big"))


async def _answer(history: History, part: Part) -> Words:
    handed_in = [name_of(slot) for slot in posts_of(part.round, SessionPhase.MASKING)]
    state, message = secure.answer(_needed(history, part), handed_in)
    _keep(history, part, state, samples=_samples(history, part))
    return Words((await store_parts(history.papers.store, message.encode())).root)


async def _received(history: History, config: SessionConfig, root: bytes, slot: int) -> Shares | None:
    """Fetch what somebody sealed; none while it is not to be had, an empty message for what is none."""
    try:
        content = await fetch_parts(history.papers.store, root, max_bytes=longest_content(config))
        message = Shares.decode(content)
    except ContentTooLarge:
        message = None
    except ContentError:
        return None
    except SecureAggregationError:
        message = None
    if message is None or message.sender != name_of(slot):
        return Shares(sender=name_of(slot), sealed={}, seed_hash=b"")
    return message


def _state(history: History, part: Part) -> State | None:
    kept = history.diary.state(part.entry.session, part.round.number, part.round.attempt)
    return None if kept is None else State.decode(kept[0])


def _needed(history: History, part: Part) -> State:
    state = _state(history, part)
    if state is None:
        raise ExecutionInvalid("this round's secrets are not in the diary: it was lost, or is another node's")
    return state


def _samples(history: History, part: Part) -> int:
    kept = history.diary.state(part.entry.session, part.round.number, part.round.attempt)
    return 0 if kept is None else kept[1]


def _keep(history: History, part: Part, state: State, *, samples: int = 0) -> None:
    one = part.round
    history.diary.keep_state(
        part.entry.session, one.number, one.attempt, state=state.encode(), samples=samples
    )
