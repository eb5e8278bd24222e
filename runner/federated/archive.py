"""A session's progress as bytes that a restarted runner goes on from: equal progress, equal bytes."""

import msgspec
import numpy as np

from learning.buffered import Ledger
from learning.privacy import ClipState
from learning.rounds import Progress
from learning.scaffold import Variates
from learning.server import ServerState
from learning.updates import Vector


class _Archive(msgspec.Struct, frozen=True, kw_only=True):
    weights: bytes
    round: int
    server: dict[str, bytes]
    variate: bytes | None
    variates: dict[str, bytes]
    scores: dict[str, int]
    clip: float | None
    loss: float | None
    best: float | None
    since_best: int
    private_rounds: int
    caught: tuple[str, ...] = ()
    reexecuted: tuple[str, ...] = ()
    forest: bytes = b""
    bases: dict[int, str] = {}
    handed_in: dict[str, int] = {}


def write_progress(progress: Progress) -> bytes:
    """Write a progress."""
    variates = progress.variates
    return msgspec.msgpack.encode(
        _Archive(
            weights=_bytes(progress.weights),
            round=progress.round,
            server={
                name: slot.astype("<f8").tobytes() for name, slot in sorted(progress.server.slots.items())
            },
            variate=_bytes(variates.server) if variates else None,
            variates={name: _bytes(own) for name, own in sorted(variates.own.items())} if variates else {},
            scores=dict(sorted(progress.scores.items())),
            clip=None if progress.clip is None else progress.clip.norm,
            loss=progress.loss,
            best=progress.best,
            since_best=progress.since_best,
            private_rounds=progress.private_rounds,
            caught=progress.caught,
            reexecuted=progress.reexecuted,
            forest=progress.forest,
            bases=dict(sorted(progress.ledger.bases.items())),
            handed_in=dict(sorted(progress.ledger.handed_in.items())),
        )
    )


def read_progress(content: bytes) -> Progress:
    """Read what `write_progress` wrote."""
    kept = msgspec.msgpack.decode(content, type=_Archive)
    variates = None
    if kept.variate is not None:
        variates = Variates(
            _vector(kept.variate), {name: _vector(own) for name, own in kept.variates.items()}
        )
    return Progress(
        weights=_vector(kept.weights),
        round=kept.round,
        server=ServerState({name: np.frombuffer(slot, "<f8").copy() for name, slot in kept.server.items()}),
        variates=variates,
        scores=kept.scores,
        clip=None if kept.clip is None else ClipState(kept.clip),
        loss=kept.loss,
        best=kept.best,
        since_best=kept.since_best,
        private_rounds=kept.private_rounds,
        caught=kept.caught,
        reexecuted=kept.reexecuted,
        forest=kept.forest,
        ledger=Ledger(kept.bases, kept.handed_in),
    )


def _bytes(vector: Vector) -> bytes:
    return vector.astype("<f4").tobytes()


def _vector(content: bytes) -> Vector:
    return np.frombuffer(content, "<f4").astype(np.float32)
