"""From everything that was posted to the exact sum. Anybody can do it, and everybody gets the same."""

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from learning.errors import SecureAggregationError
from learning.secagg import masks, shamir
from learning.secagg.messages import Answer, Keys, Masked, Shares
from learning.secagg.participant import default_threshold, pair_key, seed_hash, self_key

_MAX_TRIES = 1_000


@dataclass(frozen=True, slots=True)
class Transcript:
    """One round's board, by sender: what was posted in time at each stage."""

    context: bytes
    parameters: int
    keys: Mapping[str, Keys]
    shares: Mapping[str, Shares]
    masked: Mapping[str, Masked]
    answers: Mapping[str, Answer] = field(default_factory=dict)
    threshold: int | None = None

    @property
    def needed(self) -> int:
        """Count the answers that recovery needs."""
        return self.threshold or default_threshold(len(self.keys))


def recover(transcript: Transcript) -> NDArray[np.int64]:
    """Return the sum of the updates of all who handed in a masked one, in whole steps, shape (parameters,).

    Raises `SecureAggregationError` when too few answered: the round is lost, and nothing has become readable.
    """
    _check(transcript)
    total = np.zeros(transcript.parameters, dtype=np.uint64)
    for name in sorted(transcript.masked):
        total += np.frombuffer(transcript.masked[name].words, dtype="<u8")
    for name in sorted(transcript.masked):
        seed = _recovered_seed(transcript, name)
        total -= masks.mask(self_key(transcript.context, seed), transcript.parameters)
    for dropped in sorted(transcript.shares.keys() - transcript.masked.keys()):
        secret = _recovered_key(transcript, dropped)
        for name in sorted(transcript.masked):
            key = pair_key(transcript.context, secret, transcript.keys[name].mask_key, name, dropped)
            pair = masks.mask(key, transcript.parameters)
            total = total - pair if name < dropped else total + pair
    return total.view(np.int64)


def mean(total: NDArray[np.int64], *, weight: int, scale: int, limit: float) -> NDArray[np.float32]:
    """Divide a sum of weighted steps: the bytes are those of `aggregate.fedavg` over the same updates.

    `limit` is the clip; a sum beyond weight x limit shows that somebody handed in more than the rules allow.
    """
    if weight < 1:
        raise SecureAggregationError("is of no samples", field="sum")
    # The most negative number has no opposite: numpy's `abs` leaves it below every limit.
    farthest = max(int(total.max(initial=0)), -int(total.min(initial=0)))
    if farthest > weight * round(limit * scale):
        raise SecureAggregationError("is larger than honest updates can add up to", field="sum")
    return (total.astype(np.float64) / float(weight * scale)).astype(np.float32)


def _check(transcript: Transcript) -> None:
    handed_in, shared, roster = transcript.masked.keys(), transcript.shares.keys(), transcript.keys.keys()
    if not handed_in <= shared <= roster or not transcript.answers.keys() <= handed_in:
        raise SecureAggregationError("somebody posted at a stage without the one before", field="transcript")
    for count, what in ((len(handed_in), "masked"), (len(transcript.answers), "answers")):
        if count < transcript.needed:
            raise SecureAggregationError(
                f"{count} are fewer than {transcript.needed}: the round is lost", field=what
            )
    for name, message in transcript.masked.items():
        if len(message.words) != 8 * transcript.parameters:
            raise SecureAggregationError(f"expected {transcript.parameters} words", field=name)
    for name, answer in transcript.answers.items():
        if not answer.seeds.keys() <= handed_in or answer.mask_keys.keys() & handed_in:
            raise SecureAggregationError("answered about the wrong participants", field=name)


def _recovered_seed(transcript: Transcript, owner: str) -> bytes:
    shares = {name: answer.seeds.get(owner) for name, answer in transcript.answers.items()}
    expected = transcript.shares[owner].seed_hash
    return _combined(
        transcript, owner, shares, right=lambda seed: seed_hash(transcript.context, owner, seed) == expected
    )


def _recovered_key(transcript: Transcript, owner: str) -> bytes:
    shares = {name: answer.mask_keys.get(owner) for name, answer in transcript.answers.items()}
    expected = transcript.keys[owner].mask_key
    return _combined(transcript, owner, shares, right=lambda secret: masks.public_key(secret) == expected)


def _combined(
    transcript: Transcript, owner: str, shares: Mapping[str, bytes | None], *, right: Callable[[bytes], bool]
) -> bytes:
    """Combine shares. Where some are wrong, correct them; where those are too many, try sets until the secret checks out."""
    places = {name: place for place, name in enumerate(sorted(transcript.keys), start=1)}
    there = {
        places[name]: int.from_bytes(share, "big") for name, share in shares.items() if share is not None
    }
    for secret in _candidates(there, transcript.needed):
        if right(content := secret.to_bytes(32, "big")):
            return content
    raise SecureAggregationError("too few right shares of its secrets were given", field=owner)


def _candidates(there: Mapping[int, int], needed: int) -> Iterator[int]:
    if len(there) < needed:
        return
    yield shamir.combine({place: there[place] for place in sorted(there)[:needed]})
    corrected = shamir.corrected(there, threshold=needed)
    if corrected is not None:
        yield corrected
    for chosen in itertools.islice(itertools.combinations(sorted(there), needed), _MAX_TRIES):
        yield shamir.combine({place: there[place] for place in chosen})
