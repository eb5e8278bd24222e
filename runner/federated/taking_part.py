"""One participant's plain round: train, keep, commit, reveal.

The contribution and its salt are in the diary before the commitment is sent, and the update is published only when it is
to be opened: nobody can copy what nobody can see.
"""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from web3.contract.async_contract import AsyncContractFunction

from learning.contribution import Manifest, Paper
from learning.session_config import SessionConfig
from protocol.cid import digest_of
from protocol.enums import SessionPhase
from protocol.parts import store_parts, stored_as
from protocol.session import Contribution, contribution_commitment
from runner.federated.board import Round
from runner.federated.diary import Entry, Kept
from runner.federated.history import History
from runner.federated.messages import Train
from runner.federated.showing import audits, show

_TRAIL = "trail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A participant's place in a running round."""

    entry: Entry
    config: SessionConfig
    rounds: dict[int, Round]
    round: Round
    slot: int
    node: str


async def training(history: History, part: Part, *, masked_with: int = 0) -> Train:
    """Write down what is to be trained. `ContentError`, `ExecutionInvalid`, `EngineUnavailable`."""
    entry, config, one = part.entry, part.config, part.round
    if one.number == 1:
        base = await history.papers.first(entry, config)
    else:
        settled = part.rounds[one.number - 1].settled
        assert settled is not None
        base = await history.papers.model(settled)
    progress = None
    if config.aggregation.method == "scaffold":
        progress = await history.before(entry, config, part.rounds, one.number)
    checkpoints = None
    if audits(config):
        await history.papers.drop_checkpoints(entry, one.number - 1)
        checkpoints = str(history.papers.checkpoints(entry, one.number))
    return Train(
        config=config.canonical(),
        session="0x" + entry.session.hex(),
        round=one.number - 1,
        slot=part.slot,
        data=await history.papers.share(entry, config, part.slot),
        base=base,
        progress=progress,
        residual=_residual(history, part),
        masked_with=masked_with,
        checkpoints=checkpoints,
    )


def _residual(history: History, part: Part) -> bytes | None:
    """Give what compression lost in the round before, of an update that everybody has: an auditor must see what is carried."""
    spec, number = part.config.compression, part.round.number - 1
    if spec.codec == "none" or not spec.error_feedback or number < 1:
        return None
    if part.slot not in part.rounds[number].by(SessionPhase.REVEALING):
        return None
    before = history.diary.contribution(part.entry.session, number)
    return None if before is None else before.residual


async def contribution(history: History, part: Part) -> Kept:
    """Return this runner's contribution to the round, trained now if it is not kept yet. Errors as `training`."""
    diary, session, number = history.diary, part.entry.session, part.round.number
    kept = diary.contribution(session, number)
    if kept is not None:
        return kept
    work = await training(history, part)
    done = await history.workshop.train(work)
    if done.trail is not None:
        await asyncio.to_thread(_keep_trail, history.papers.checkpoints(part.entry, number), done.trail)
    paper = Paper(
        manifest=Manifest.parse(done.manifest),
        parts=stored_as(done.content).root.hex(),
        variate=_root(done.variate),
        trail=_root(done.trail),
        carried=_root(work.residual) if done.trail is not None else None,
    )
    return diary.promise(
        session,
        number,
        paper=paper.canonical(),
        content=done.content,
        samples=done.samples,
        variate=done.variate,
        residual=done.residual,
    )


async def publish(history: History, part: Part, kept: Kept) -> None:
    """Put a contribution where everybody finds it, and the checkpoints that were drawn. `ContentUnavailable`."""
    store, paper = history.papers.store, Paper.parse(kept.paper)
    trail = history.papers.checkpoints(part.entry, part.round.number) / _TRAIL
    if paper.trail is not None and trail.is_file():
        await store_parts(store, await asyncio.to_thread(trail.read_bytes))
    if paper.carried is not None and (carried := _residual(history, part)) is not None:
        await store_parts(store, carried)
    await show(history.papers, part.entry, part.config, part.round, paper)
    await store_parts(store, kept.content)
    if kept.variate is not None:
        await store_parts(store, kept.variate)
    await store.add(kept.paper)


async def show_again(history: History, part: Part) -> None:
    """Publish what is drawn now: the draw changes where a reorganisation replaced its block. `ContentUnavailable`."""
    kept = history.diary.contribution(part.entry.session, part.round.number)
    if kept is not None:
        paper = Paper.parse(kept.paper)
        await show(history.papers, part.entry, part.config, part.round, paper)


def _root(content: bytes | None) -> str | None:
    return None if content is None else stored_as(content).root.hex()


def _keep_trail(folder: Path, trail: bytes) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    (folder / _TRAIL).write_bytes(trail)


async def plain_call(
    history: History, part: Part, *, phase: SessionPhase, functions: object
) -> tuple[AsyncContractFunction, str]:
    """Do what a plain round's phase asks for, up to the transaction; give that, and its label."""
    session, slot = part.entry.session, part.slot
    kept = await contribution(history, part)
    opened = Contribution(update=digest_of(kept.paper), samples=kept.samples, salt=kept.salt)
    if phase is SessionPhase.TRAINING:
        sealed = contribution_commitment(session, part.round.number, part.node, opened)
        return functions.commit(session, slot, sealed), "commitContribution"  # type: ignore[attr-defined]
    await publish(history, part, kept)
    return functions.reveal(session, slot, opened.as_tuple()), "revealContribution"  # type: ignore[attr-defined]
