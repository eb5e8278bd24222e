"""One participant's plain round: train, keep, commit, reveal.

The contribution and its salt are in the diary before the commitment is sent, and the update is published only when it is
to be opened: nobody can copy what nobody can see.
"""

from dataclasses import dataclass

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
    base = None
    if one.number > 1:
        settled = part.rounds[one.number - 1].settled
        assert settled is not None
        base = await history.papers.model(settled)
    progress = None
    if config.aggregation.method == "scaffold":
        progress = await history.before(entry, config, part.rounds, one.number)
    before = history.diary.contribution(entry.session, one.number - 1)
    return Train(
        config=config.canonical(),
        session="0x" + entry.session.hex(),
        round=one.number - 1,
        slot=part.slot,
        data=await history.papers.share(entry, config, part.slot),
        base=base,
        progress=progress,
        residual=None if before is None else before.residual,
        masked_with=masked_with,
    )


async def contribution(history: History, part: Part) -> Kept:
    """Give this runner's contribution to the round, trained now if it is not kept yet. Errors as `training`."""
    diary, session, number = history.diary, part.entry.session, part.round.number
    kept = diary.contribution(session, number)
    if kept is not None:
        return kept
    done = await history.workshop.train(await training(history, part))
    paper = Paper(
        manifest=Manifest.parse(done.manifest),
        parts=stored_as(done.content).root.hex(),
        variate=None if done.variate is None else stored_as(done.variate).root.hex(),
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


async def publish(history: History, kept: Kept) -> None:
    """Put a contribution where everybody finds it. `ContentUnavailable`."""
    store = history.papers.store
    await store_parts(store, kept.content)
    if kept.variate is not None:
        await store_parts(store, kept.variate)
    await store.add(kept.paper)


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
    await publish(history, kept)
    return functions.reveal(session, slot, opened.as_tuple()), "revealContribution"  # type: ignore[attr-defined]
