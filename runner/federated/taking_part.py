"""One participant's plain round: train, keep, commit, reveal.

The contribution and its salt are in the diary before the commitment is sent, and the update is published only when it is
to be opened: nobody can copy what nobody can see.
"""

import asyncio
from pathlib import Path

from web3.contract.async_contract import AsyncContractFunction, AsyncContractFunctions

from learning.contribution import Manifest, Paper
from protocol.cid import digest_of
from protocol.enums import SessionPhase
from protocol.parts import store_parts, stored_as
from protocol.session import Contribution, contribution_commitment
from runner.federated.board import last_update
from runner.federated.diary import Kept
from runner.federated.history import History
from runner.federated.messages import Train
from runner.federated.part import Part
from runner.federated.showing import audits, show

_TRAIL = "trail"


async def training(history: History, part: Part, *, summed_with: int = 0) -> Train:
    """Write down what is to be trained. `ContentError`, `ExecutionInvalid`, `EngineUnavailable`."""
    entry, config, one = part.entry, part.config, part.round
    base = await history.papers.base(entry, config, part.rounds, one.number)
    progress = None
    if config.aggregation.method == "scaffold":
        progress = await history.before(entry, config, part.rounds, one.number)
    checkpoints = None
    if audits(config):
        await history.papers.drop_checkpoints(entry, before=one.number)
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
        summed_with=summed_with,
        checkpoints=checkpoints,
    )


def _residual(history: History, part: Part) -> bytes | None:
    """Return what compression lost in the round before, of an update that everybody has: an auditor must see what is carried."""
    spec, session = part.config.compression, part.entry.session
    if spec.codec == "none" or not spec.error_feedback:
        return None
    found = last_update(part.rounds, part.slot, before=part.round.number)
    if found is None:
        return None
    number = found[0]
    handed_in = history.diary.hand_in(session, number, part.rounds[number].attempt)
    trained_for = number if handed_in is None else handed_in.trained_for
    before = None if trained_for is None else history.diary.contribution(session, trained_for)
    return None if before is None else before.residual


async def contribution(history: History, part: Part, *, apart: bool = False) -> Kept:
    """Return this runner's contribution to the round, trained now if it is not kept yet. Errors as `training`.

    With `apart` nothing else of this runner has to wait for the training.
    """
    diary, session, number = history.diary, part.entry.session, part.round.number
    kept = diary.contribution(session, number)
    if kept is not None:
        return kept
    work = await training(history, part)
    done = await (history.workshop.train(work, apart=True) if apart else history.workshop.train(work))
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
    trail = history.papers.checkpoints(part.entry, paper.manifest.round + 1) / _TRAIL
    if paper.trail is not None and trail.is_file():
        await store_parts(store, await asyncio.to_thread(trail.read_bytes))
    if paper.carried is not None and (carried := _residual(history, part)) is not None:
        await store_parts(store, carried)
    await show(history.papers, part, paper)
    await store_parts(store, kept.content)
    if kept.variate is not None:
        await store_parts(store, kept.variate)
    await store.add(kept.paper)


async def show_again(history: History, part: Part) -> None:
    """Publish what is drawn now: the draw changes where a reorganisation replaced its block. `ContentUnavailable`."""
    session, one = part.entry.session, part.round
    trained_for: int | None = one.number
    if part.config.asynchronous is not None:
        handed_in = history.diary.hand_in(session, one.number, one.attempt)
        trained_for = None if handed_in is None else handed_in.trained_for
    kept = None if trained_for is None else history.diary.contribution(session, trained_for)
    if kept is not None:
        paper = Paper.parse(kept.paper)
        await show(history.papers, part, paper)


def _root(content: bytes | None) -> str | None:
    return None if content is None else stored_as(content).root.hex()


def _keep_trail(folder: Path, trail: bytes) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    (folder / _TRAIL).write_bytes(trail)


async def plain_call(
    history: History, part: Part, *, phase: SessionPhase, functions: AsyncContractFunctions
) -> tuple[AsyncContractFunction, str]:
    """Do what a plain round's phase asks for, up to the transaction; give that, and its label."""
    return await act(history, part, await contribution(history, part), phase=phase, functions=functions)


async def act(
    history: History, part: Part, kept: Kept, *, phase: SessionPhase, functions: AsyncContractFunctions
) -> tuple[AsyncContractFunction, str]:
    """Commit to a contribution, or publish and reveal it, up to the transaction."""
    session, slot = part.entry.session, part.slot
    opened = Contribution(update=digest_of(kept.paper), samples=kept.samples, salt=kept.salt)
    if phase is SessionPhase.TRAINING:
        sealed = contribution_commitment(session, part.round.number, part.node, opened)
        return functions.commit(session, slot, sealed), "commitContribution"
    await publish(history, part, kept)
    return functions.reveal(session, slot, opened.as_tuple()), "revealContribution"
