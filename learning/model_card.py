"""Where a model comes from: one card for each round, each naming the model before it, so that the cards form a chain."""

import hashlib
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from learning.canonical import Document, Number
from learning.errors import EvidenceError
from learning.session_config import Digest, SessionConfig
from learning.tensors import digest
from learning.updates import Vector

if TYPE_CHECKING:
    from learning.rounds import RoundReport  # with torch, which who only reads a card can spare


_LARGEST = 10**17
_SMALL, _NOTHING = 0.01, 1e-12


class Counted(Document):
    """An update that counted. `late` counts the rounds that had begun since the one that it was trained for."""

    participant: str
    update: Digest
    weight: int
    late: int = 0


class LeftOut(Document):
    """An update that did not count, and why."""

    participant: str
    update: Digest | None = None
    reason: str


class ModelFile(Document):
    """A model as a file: what the chain names.

    `sha256` is the digest of its bytes, `parts` that of the list of its parts, and `size` counts its bytes.
    """

    sha256: Digest
    parts: Digest
    size: int


class ModelCard(Document):
    """One round's result. What was re-executed is said apart from what was only screened.

    Several aggregators must arrive at the same card, so it says nothing that differs between honest machines: figures are
    rounded, and there is neither a time nor a version of software.
    """

    kind: str = "fl-model-card"
    version: int = 1
    session: str
    config: Digest
    round: int
    parents: tuple[Digest, ...]
    model: Digest
    file: ModelFile | None = None
    method: str
    counted: tuple[Counted, ...]
    left_out: tuple[LeftOut, ...] = ()
    reexecuted: tuple[str, ...] = ()
    stands: bool
    loss: Number
    metrics: dict[str, Number]
    samples: int
    epsilon: Number | None = None
    delta: Number | None = None
    licence: str = "CC-BY-4.0"


def card(
    config: SessionConfig,
    report: "RoundReport",
    *,
    session: str,
    parent: Vector | bytes,
    model: Vector | bytes,
    updates: Mapping[str, str],
    rejected: Mapping[str, str] | None = None,
    reexecuted: Sequence[str] = (),
    file: ModelFile | None = None,
) -> ModelCard:
    """Write a round's card. `updates` are the digests of the handed-in bytes, by participant.

    `parent` and `model` are weights, or the files of forests.
    """
    reasons = {**(rejected or {}), **report.reasons}
    counted = sorted((name, weight) for name, weight in report.weights.items() if weight)
    return ModelCard(
        session=session,
        config=config.digest().hex(),
        round=report.round,
        parents=(_name(parent),),
        model=_name(model),
        file=file,
        method=config.aggregation.method,
        counted=tuple(
            Counted(
                participant=name,
                update=updates.get(name, "0" * 64),
                weight=weight,
                late=report.late.get(name, 0),
            )
            for name, weight in counted
        ),
        left_out=tuple(
            LeftOut(participant=name, update=updates.get(name), reason=str(reasons[name]))
            for name in sorted(reasons)
        ),
        reexecuted=tuple(sorted(reexecuted)),
        stands=report.stands,
        loss=_figure(report.evaluation.loss),
        metrics={name: _figure(value) for name, value in sorted(report.evaluation.metrics.items())},
        samples=report.evaluation.samples,
        epsilon=None if report.epsilon is None else _figure(report.epsilon),
        delta=config.privacy.delta if config.privacy else None,
    )


def check_chain(cards: Sequence[ModelCard], *, first: Digest) -> None:
    """Raise `EvidenceError` unless each card's model grew from the one before, from the session's first model on."""
    parent = first
    for number, one in enumerate(cards):
        if one.round != number or one.config != cards[0].config or one.session != cards[0].session:
            raise EvidenceError("is not the next of this session", field=f"card {number}")
        if one.parents != (parent,):
            raise EvidenceError(f"grew from another model than {parent}", field=f"card {number}")
        if not one.stands and one.model != parent:
            raise EvidenceError("changed the model though its round failed", field=f"card {number}")
        parent = one.model


def _name(model: Vector | bytes) -> str:
    return (hashlib.sha256(model).digest() if isinstance(model, bytes) else digest(model)).hex()


def _figure(value: float) -> Decimal:
    """Return a figure to four decimals; to three digits where it is small, and to nine where it is large.

    What is no number, or beyond `_LARGEST`, becomes that. More digits would show on which processor a float64 was computed.
    """
    size = abs(value)
    if not size < _LARGEST:
        return Decimal(_LARGEST)
    if size < _NOTHING:
        return Decimal(0)
    return Decimal(f"{value:.4f}" if _SMALL <= size < 1e5 else f"{value:.{2 if size < _SMALL else 8}e}")
