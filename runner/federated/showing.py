"""What audits of a round take: the draw, and the checkpoints that a participant shows for it.

Checkpoints lie in the session's folder on this machine. Only the drawn ones are published, before the contribution is
revealed: whoever aggregates finds them, or takes them for withheld.
"""

import asyncio
import hashlib

from learning import lots
from learning.contribution import Manifest, Paper
from learning.errors import LearningError
from learning.lengths import longest_content, longest_trail
from learning.model_spec import RandomForest
from learning.session_config import SessionConfig
from learning.trail import Mark, read_trail
from protocol.errors import ContentError
from protocol.parts import fetch_parts, store_parts
from protocol.session import Post
from runner.errors import ExecutionInvalid
from runner.federated.board import Round, last_update
from runner.federated.messages import Evidence
from runner.federated.papers import MAX_BYTES, Papers
from runner.federated.part import Part

_TAG = b"parity/audit/v1\0"


def audits(config: SessionConfig) -> bool:
    """Return whether a session's contributions are audited: whoever audits needs the samples, and the update itself."""
    rates = config.verification.audit_rate, config.verification.flagged_rate
    trained = not isinstance(config.model, RandomForest)
    return trained and bool(config.dataset.cid) and not config.secure_aggregation and max(rates) > 0


def draw_of(session: bytes, config: SessionConfig, one: Round) -> bytes | None:
    """Return the seed of a round's audits, from the block that ended the commitments; none where nothing is audited."""
    if one.closed is None or not audits(config):
        return None
    place = one.number.to_bytes(8, "big") + one.attempt.to_bytes(8, "big")
    return hashlib.sha256(_TAG + session + place + one.closed).digest()


async def show(papers: Papers, part: Part, paper: Paper) -> None:
    """Publish what this participant has to show of its contribution. `ContentUnavailable`."""
    draw = draw_of(part.entry.session, part.config, part.round)
    if draw is None or paper.trail is None:
        return
    folder = papers.checkpoints(part.entry, paper.manifest.round + 1)
    for number in _numbers(draw, part.config, paper.manifest):
        file = folder / str(number)
        if file.is_file():  # what is lost counts as withheld; the contribution itself still stands
            await store_parts(papers.store, await asyncio.to_thread(file.read_bytes))


async def evidence(papers: Papers, part: Part, paper: Paper) -> Evidence | None:
    """Fetch what an audit of a contribution takes; none where its participant had nothing to show.

    Raises `ContentError` and `ExecutionInvalid` for the samples, and for the model that a late training began with: they are
    not for its participant to show.
    """
    draw, manifest = draw_of(part.entry.session, part.config, part.round), paper.manifest
    if draw is None:
        return None
    checkpoints, most = await _checkpoints(papers, part), longest_content(part.config)
    numbers = lots.to_show(draw, manifest.participant, checkpoints=checkpoints, spec=part.config.verification)
    if not numbers:
        return None
    data = await papers.share(part.entry, part.config, part.slot)
    if manifest.checkpoints != checkpoints:
        return Evidence(data=data, missing="trail")
    trail = await _found(papers, paper.trail, most=longest_trail(checkpoints))
    marks = _marks(trail, manifest)
    shown = await asyncio.gather(
        *[_found(papers, marks[number].place.hex(), most=most) for number in numbers if marks]
    )
    carried = await _found(papers, paper.carried, most=most)
    before = None if paper.carried is None else last_update(part.rounds, part.slot, before=part.round.number)
    last = None if before is None else await _content_of(papers, before[1], most=most)
    return Evidence(
        data=data,
        trail=trail,
        shown={n: content for n, content in zip(numbers, shown, strict=False) if content is not None},
        carried=carried,
        before=last,
        missing=_missing(trail, carried, last, paper=paper),
        base=await _late_base(papers, part, manifest),
    )


async def _checkpoints(papers: Papers, part: Part) -> int:
    """Count the checkpoints that a training on what the slot was assigned has: what is claimed may be any number."""
    index = await papers.index(part.entry, part.config)
    if index is None:
        raise ExecutionInvalid("the session's partition does not say who trains on what")
    return lots.checkpoints_of(part.config.training, samples=index.lists[part.slot].samples)


async def _late_base(papers: Papers, part: Part, manifest: Manifest) -> bytes | None:
    """Fetch the model that a training for an earlier round began with; none where it was for this one."""
    spec, number = part.config.asynchronous, manifest.round + 1
    if spec is None or not 0 < part.round.number - number <= spec.max_staleness:
        return None
    return await papers.base(part.entry, part.config, part.rounds, number)


def _missing(trail: bytes | None, carried: bytes | None, last: bytes | None, *, paper: Paper) -> str | None:
    if trail is None:
        return "trail"
    if paper.carried is None:
        return None
    if carried is None:
        return "carried"
    return "update of the round before" if last is None else None


def _numbers(draw: bytes, config: SessionConfig, manifest: Manifest) -> list[int]:
    return lots.to_show(
        draw, manifest.participant, checkpoints=manifest.checkpoints, spec=config.verification
    )


def _marks(trail: bytes | None, manifest: Manifest) -> tuple[Mark, ...]:
    try:
        root = bytes.fromhex(manifest.trajectory)
        return read_trail(trail or b"", root=root, checkpoints=manifest.checkpoints)
    except LearningError:
        return ()


async def _found(papers: Papers, root: str | None, *, most: int) -> bytes | None:
    if root is None:
        return None
    try:
        return await fetch_parts(papers.store, bytes.fromhex(root), max_bytes=min(MAX_BYTES, most))
    except ContentError:
        return None


async def _content_of(papers: Papers, post: Post, *, most: int) -> bytes | None:
    try:
        paper = Paper.parse(await papers.store.get(post.first))
    except (ContentError, LearningError):
        return None
    return await _found(papers, paper.parts, most=most)
