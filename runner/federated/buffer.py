"""When a round of an asynchronous session has the updates that it waits for.

Commitments look alike until they are opened, so the participants count them. One who commits to nothing at once, round after round,
would have every round end with an update fewer. So whoever took an update's place in the buffer with something that did not count is not
waited for with the rest: its commitments fill no place, until something of its own has counted again.
"""

from collections.abc import Mapping

from protocol.enums import SessionPhase
from runner.federated.board import Round, Sight
from runner.federated.part import Part

_LAST_PART = 4
"""The last fourth of the time for training is kept free for being heard in time."""
_LEAST_BLOCKS = 2


def waits_no_longer(part: Part, sight: Sight) -> bool:
    """Return whether a round in training has its updates, or its time is nearly over."""
    spec = part.config.asynchronous
    assert spec is not None
    began = part.round.entered[SessionPhase.TRAINING]
    if sight.head_block >= _last_call(began, sight.deadline - began):
        return True
    past = {number: one for number, one in part.rounds.items() if number < part.round.number}
    counting = ~hollow(past, buffer=spec.buffer, window=part.entry.order.train_for)
    places = min(spec.buffer, (sight.members & counting).bit_count())
    return (sight.present & counting).bit_count() >= max(1, places)


def hollow(past: Mapping[int, Round], *, buffer: int, window: int) -> int:
    """Return the set of slots whose commitments fill no place in the buffer, after these rounds.

    An honest participant commits to nothing yet only when the buffer is full, or in the last part of the `window` (blocks): neither
    is held against it.
    """
    out = 0
    for _, one in sorted(past.items()):
        if one.settled is not None:
            out = (out | _took_a_place(one, out, buffer=buffer, window=window)) & ~one.paid
    return out


def _took_a_place(one: Round, out: int, *, buffer: int, window: int) -> int:
    last_call = _last_call(one.entered[SessionPhase.TRAINING], window)
    waited_for = [(slot, block) for slot, block in one.committed.items() if not out >> slot & 1]
    return sum(1 << slot for slot, block in waited_for[:buffer] if block < last_call)


def _last_call(began: int, window: int) -> int:
    return began + window - max(_LEAST_BLOCKS, window // _LAST_PART)
