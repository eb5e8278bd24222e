"""One participant's steps. Each takes the state and what the board holds, and gives the next state and what to post.

The state must be stored before its message is posted: after a restart the same step gives the same message again, and a
participant can never be brought to reveal both shares of anybody.
"""

import secrets
from collections.abc import Iterable

import msgspec
import numpy as np
from numpy.typing import NDArray

from learning.errors import SecureAggregationError
from learning.secagg import masks, shamir
from learning.secagg.messages import SHARE_BYTES, Answer, Keys, Masked, Shares

_encoder = msgspec.msgpack.Encoder(order="sorted")


class State(msgspec.Struct, frozen=True, kw_only=True):
    """All that a participant must remember, secrets included: store it where nobody else reads."""

    name: str
    context: bytes
    seal_secret: bytes
    mask_secret: bytes
    self_seed: bytes
    threshold: int | None = None
    roster: dict[str, Keys] = {}
    posted_shares: Shares | None = None
    received: dict[str, bytes] = {}
    posted_masked: Masked | None = None
    posted_answer: Answer | None = None
    answered_for: tuple[str, ...] | None = None

    def encode(self) -> bytes:
        """Return bytes to store."""
        return _encoder.encode(self)

    @classmethod
    def decode(cls, content: bytes) -> "State":
        """Read what was stored."""
        return msgspec.msgpack.decode(content, type=cls)


def default_threshold(participants: int) -> int:
    """Return how many must answer: two thirds, and one."""
    return 2 * participants // 3 + 1


def begin(name: str, context: bytes, *, random: shamir.Random = secrets.token_bytes) -> tuple[State, Keys]:
    """Stage 0: draw this round's secrets. `context` names chain, contract, session and round."""
    seal, mask, seed = (shamir.draw(random).to_bytes(32, "big") for _ in range(3))
    state = State(name=name, context=context, seal_secret=seal, mask_secret=mask, self_seed=seed)
    return state, Keys(sender=name, seal_key=masks.public_key(seal), mask_key=masks.public_key(mask))


def share(
    state: State,
    keys: Iterable[Keys],
    *,
    threshold: int | None = None,
    random: shamir.Random = secrets.token_bytes,
) -> tuple[State, Shares]:
    """Stage 1: share the mask key and the self seed among all who posted keys in time."""
    if state.posted_shares is not None:
        return state, state.posted_shares
    roster = _roster(state, keys)
    wanted = threshold or default_threshold(len(roster))
    if not len(roster) // 2 < wanted <= len(roster):
        # Below half, two groups could be told of different dropouts and give away both shares.
        raise SecureAggregationError(
            f"expected more than half of {len(roster)}, not {wanted}", field="threshold"
        )
    names = sorted(roster)
    seeds, keys_ = (
        shamir.split(int.from_bytes(secret, "big"), threshold=wanted, shares=len(names), random=random)
        for secret in (state.self_seed, state.mask_secret)
    )
    sealed = {
        other: _seal(state, roster[other], _pair(seed, key), nonce=random(12))
        for other, seed, key in zip(names, seeds, keys_, strict=True)
    }
    message = Shares(
        sender=state.name, sealed=sealed, seed_hash=seed_hash(state.context, state.name, state.self_seed)
    )
    after = msgspec.structs.replace(state, threshold=wanted, roster=roster, posted_shares=message)
    return after, message


def mask(state: State, shares: Iterable[Shares], steps: NDArray[np.int64]) -> tuple[State, Masked]:
    """Stage 2: add masks to an update in whole steps, shape (parameters,), towards all who posted shares in time."""
    if state.posted_masked is not None:
        return state, state.posted_masked
    if state.posted_shares is None or state.threshold is None:
        raise SecureAggregationError("shares come before the masked update", field=state.name)
    received = {message.sender: message.sealed.get(state.name, b"") for message in shares}
    if state.name not in received or not received.keys() <= state.roster.keys():
        raise SecureAggregationError(
            "the board's shares are not of this round's participants", field="shares"
        )
    if len(received) < state.threshold:
        raise SecureAggregationError(
            f"{len(received)} participants are fewer than {state.threshold}", field="shares"
        )
    words = steps.astype(np.int64).view(np.uint64) + masks.mask(
        self_key(state.context, state.self_seed), len(steps)
    )
    for other in sorted(received.keys() - {state.name}):
        key = pair_key(state.context, state.mask_secret, state.roster[other].mask_key, state.name, other)
        pair = masks.mask(key, len(steps))
        words = words + pair if state.name < other else words - pair
    message = Masked(sender=state.name, words=words.astype("<u8").tobytes())
    return msgspec.structs.replace(state, received=received, posted_masked=message), message


def answer(state: State, handed_in: Iterable[str]) -> tuple[State, Answer]:
    """Stage 3: help to unmask the sum of those whose masked updates a *final* block holds, and of nobody else.

    Asked again about the same participants it answers the same; about others it refuses, whoever asks.
    """
    survivors = tuple(sorted(set(handed_in)))
    if state.posted_answer is not None:
        if survivors != state.answered_for:
            raise SecureAggregationError("has already answered about others", field=state.name)
        return state, state.posted_answer
    if state.posted_masked is None or state.threshold is None:
        raise SecureAggregationError("a masked update comes before the answer", field=state.name)
    if not set(survivors) <= state.received.keys() or len(survivors) < state.threshold:
        raise SecureAggregationError(
            f"expected at least {state.threshold} of those who shared", field="handed_in"
        )
    seeds, mask_keys = {}, {}
    for owner in sorted(state.received):
        try:
            seed, key = _open(state, owner)
        except SecureAggregationError:
            continue  # what its owner sent cannot be opened; the others' shares may still be enough
        if owner in survivors:
            seeds[owner] = seed
        else:
            mask_keys[owner] = key
    message = Answer(sender=state.name, seeds=seeds, mask_keys=mask_keys)
    return msgspec.structs.replace(state, posted_answer=message, answered_for=survivors), message


def seed_hash(context: bytes, name: str, seed: bytes) -> bytes:
    """Return what a self seed is checked against after recovery."""
    return masks.expand(seed, purpose=masks.purpose(context, b"seed hash", name))


def pair_key(context: bytes, secret: bytes, public: bytes, one: str, other: str) -> bytes:
    """Derive the key of the mask between two participants, the same from either side."""
    return masks.agree(secret, public, purpose=masks.purpose(context, b"mask", *sorted((one, other))))


def self_key(context: bytes, seed: bytes) -> bytes:
    """Derive the key of a participant's own mask."""
    return masks.expand(seed, purpose=masks.purpose(context, b"self"))


def _roster(state: State, keys: Iterable[Keys]) -> dict[str, Keys]:
    # Two may post the same keys: names are in all that is derived from them, so who copies another's learns nothing, and only
    # cannot take part. To refuse that would let anyone who copies stop everybody.
    roster: dict[str, Keys] = {}
    for message in keys:
        if message.sender in roster:
            raise SecureAggregationError("posted keys twice", field=message.sender)
        roster[message.sender] = message
    own = roster.get(state.name)
    if own is None or own.mask_key != masks.public_key(state.mask_secret):
        raise SecureAggregationError("the board does not hold this participant's own keys", field=state.name)
    return roster


def _pair(seed: int, key: int) -> bytes:
    return seed.to_bytes(32, "big") + key.to_bytes(32, "big")


def _seal(state: State, other: Keys, content: bytes, *, nonce: bytes) -> bytes:
    about = masks.purpose(state.context, b"share", state.name, other.sender)
    return masks.seal(
        masks.agree(state.seal_secret, other.seal_key, purpose=about), nonce, content, about=about
    )


def _open(state: State, owner: str) -> tuple[bytes, bytes]:
    about = masks.purpose(state.context, b"share", owner, state.name)
    key = masks.agree(state.seal_secret, state.roster[owner].seal_key, purpose=about)
    content = masks.unseal(key, state.received[owner], about=about)
    if len(content) != 2 * SHARE_BYTES:
        raise SecureAggregationError("is no pair of shares", field=owner)
    return content[:SHARE_BYTES], content[SHARE_BYTES:]
