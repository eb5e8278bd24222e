"""Peer monitoring as the chain has it: who watches whom, what was said, and with what effect."""

import asyncio
from collections import Counter
from collections.abc import Iterable

from client.logs import Event, Span, read_events
from client.reputation.records import (
    Assignment,
    Conclusion,
    MonitoringMetrics,
    MonitoringStats,
    Windows,
)
from protocol import monitoring
from protocol.chain import Chain
from protocol.enums import ReportKind, Ruling
from protocol.errors import InputError

DEFAULT_EPOCHS = 3
_EVENTS = (
    "RoundOpened",
    "ReportsCommitted",
    "ReportRevealed",
    "EpochConcluded",
    "ChallengeResolved",
    "MonitorMarked",
)


async def read_windows(chain: Chain, epoch: int) -> Windows:
    """Read when what may be done in an epoch."""
    seed, open_by, commit_by, reveal_by, close_by = await chain.call(
        chain.monitoring.functions.windowsOf(epoch)
    )
    return Windows(
        seed_block=seed, open_by=open_by, commit_by=commit_by, reveal_by=reveal_by, close_by=close_by
    )


async def current_epoch(chain: Chain) -> int:
    """Return the epoch of the newest block."""
    return int(await chain.call(chain.monitoring.functions.epochAt(await chain.block_number())))


async def read_assignments(chain: Chain, nodes: Iterable[str], *, epoch: int) -> tuple[Assignment, ...]:
    """List who of `nodes` is to watch whom in an epoch; none before its round was drawn."""
    functions = chain.monitoring.functions
    seed, active = await chain.call(functions.drawOf(epoch))
    if not active:
        return ()
    size = (await chain.call(functions.settings()))[6]
    known = sorted(nodes, key=lambda node: int(node, 16))
    pairs = [
        (target, monitor)
        for monitor in known
        for target in monitoring.targets_of(monitor, known, seed=seed, active=active, size=size)
    ]
    drawn = await asyncio.gather(*(chain.call(functions.isMonitorOf(epoch, *pair)) for pair in pairs))
    held = [pair for pair, holds in zip(pairs, drawn, strict=True) if holds]
    return tuple(await asyncio.gather(*(_assignment(chain, epoch, *pair) for pair in held)))


async def _assignment(chain: Chain, epoch: int, target: str, monitor: str) -> Assignment:
    functions = chain.monitoring.functions
    owner = (await chain.call(chain.reputation.functions.runnerOf(monitor)))[0]
    duty, said, marked = await asyncio.gather(
        chain.call(functions.dutyOf(epoch, monitor)),
        chain.call(functions.reportOf(epoch, target, owner)),
        chain.call(functions.isMarked(epoch, monitor)),
    )
    by, kind, made = said
    return Assignment(
        epoch=epoch,
        monitor=monitor,
        target=target,
        committed=any(duty),
        report=ReportKind(kind) if made and by == monitor else None,
        marked=marked,
    )


async def read_stats(chain: Chain, *, epochs: int) -> MonitoringStats:
    """Count what happened in the last epochs."""
    span = await _last_epochs(chain, epochs)
    settings, active, events = await asyncio.gather(
        chain.call(chain.monitoring.functions.settings()),
        chain.call(chain.reputation.functions.activeRunners()),
        read_events(chain, "PeerMonitoring", names=_EVENTS, span=span),
    )
    marks = [event for event in events if event.name == "MonitorMarked"]
    lying = sum(bool(event.arguments["lying"]) for event in marks)
    return MonitoringStats(
        first_block=span.first,
        last_block=span.last,
        epoch=await current_epoch(chain),
        epoch_length=settings[0],
        monitors_each=settings[6],
        quorum=settings[7],
        challenge_bond=settings[10],
        active_runners=active,
        rounds_opened=sum(event.name == "RoundOpened" for event in events),
        commitments=sum(event.name == "ReportsCommitted" for event in events),
        reports=_kinds(events),
        rulings=dict(Counter(each.ruling.name.lower() for each in _conclusions(events))),
        silent=len(marks) - lying,
        lying=lying,
    )


async def read_metrics(chain: Chain, node: str, *, epochs: int) -> MonitoringMetrics:
    """Return how one runner fared in the last epochs: as a target, and as a monitor."""
    span = await _last_epochs(chain, epochs)
    events = await read_events(chain, "PeerMonitoring", names=_EVENTS, span=span)
    about = [event for event in events if event.arguments.get("target") == node]
    own = [event for event in events if event.arguments.get("monitor") == node]
    return MonitoringMetrics(
        node=node,
        first_block=span.first,
        last_block=span.last,
        reports_about=_kinds(event for event in about if event.arguments.get("counted")),
        conclusions=_conclusions(about),
        reports_made=sum(event.name == "ReportRevealed" for event in own),
        marks=sum(event.name == "MonitorMarked" for event in own),
    )


def _kinds(events: Iterable[Event]) -> dict[str, int]:
    revealed = (event for event in events if event.name == "ReportRevealed")
    return dict(Counter(ReportKind(event.arguments["kind"]).name.lower() for event in revealed))


def _conclusions(events: Iterable[Event]) -> tuple[Conclusion, ...]:
    return tuple(
        Conclusion(
            epoch=event.arguments["round" if event.name == "EpochConcluded" else "epoch"],
            target=event.arguments["target"],
            ruling=Ruling(event.arguments["ruling"]),
            kind=ReportKind(event.arguments["kind"]),
            agreeing=event.arguments["agreeing"],
            reports=event.arguments["reports"],
            block=event.block,
            transaction_hash=event.transaction_hash,
        )
        for event in events
        if event.name in ("EpochConcluded", "ChallengeResolved")
    )


async def _last_epochs(chain: Chain, epochs: int) -> Span:
    if epochs < 1:
        raise InputError(f"epochs: {epochs} is not possible", field="epochs", hint="Choose 1 or more.")
    head = await chain.block_number()
    length = (await chain.call(chain.monitoring.functions.settings()))[0]
    return Span(max(head - epochs * length, chain.deployment.start_block), head)
