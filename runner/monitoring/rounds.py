"""PeerMonitoring as a runner reads it: typed, at the head block."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from eth_utils.address import to_checksum_address

from protocol import monitoring
from protocol.abi import event_topics
from protocol.blocks import Log
from protocol.chain import Chain
from protocol.enums import ReportKind, Ruling
from protocol.monitoring import MAX_TARGETS
from runner.heard import Heard, Speaker

EPOCHS = 1 << 40
"""Rounds below this are epochs; a challenge's is a digest."""
_TOPICS = {event.name: topic for topic, event in event_topics()["PeerMonitoring"].items()}
_SETTINGS = ("epoch_length", "reveal_for", "challenge_for", "panel_for", "suspend_for", "maturity")
_HOLDS_BLOCKS = 16
"""Reports change records and no stake: a node that once leaves out an event may cost one of them."""
_DRAWN_HOLDS_BLOCKS = 64
"""Who is drawn changes only when one of the two leaves, comes back or is banned."""
_COUNTS = ("monitors", "quorum", "panel_size", "burn_bps", "challenge_bond")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the contract was deployed with; times in blocks, the bond in base units."""

    epoch_length: int
    reveal_for: int
    challenge_for: int
    panel_for: int
    suspend_for: int
    maturity: int
    monitors: int
    quorum: int
    panel_size: int
    burn_bps: int
    challenge_bond: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """When what may be done in a round: last blocks, but for the seed block."""

    seed_block: int
    open_by: int
    commit_by: int
    reveal_by: int
    close_by: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of an epoch's reports about one runner."""

    ruling: Ruling
    kind: ReportKind
    at_block: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """A verdict that somebody challenged, with the round of its judges."""

    round: int
    epoch: int
    target: str


class Rounds:
    """What the contract has: taken from its events where they were heard, or read anew when one named the subject since.

    Every method raises `RpcUnavailable` when the node does not answer.
    """

    def __init__(self, chain: Chain, heard: Heard | None = None) -> None:
        self._chain = chain
        self._heard = heard or Heard()
        self._functions = chain.monitoring.functions
        self._settings: Settings | None = None

    async def settings(self) -> Settings:
        """Read what never changes."""
        if self._settings is None:
            values = await self._chain.call(self._functions.settings())
            self._settings = Settings(**dict(zip(_SETTINGS + _COUNTS, values, strict=True)))
        return self._settings

    async def windows(self, round_: int) -> Windows:
        """Return a round's times, computed as `PeerMonitoring.windowsOf` does: an epoch's are not even asked for."""
        settings = await self.settings()
        if round_ < EPOCHS:
            seed_block = round_ * settings.epoch_length
            commit_by = seed_block + settings.epoch_length - 1
        else:
            seed_block = (await self._challenge(round_))[1]
            commit_by = seed_block + settings.panel_for
        reveal_by = commit_by + settings.reveal_for
        return Windows(
            seed_block=seed_block,
            open_by=(seed_block + commit_by) // 2,
            commit_by=commit_by,
            reveal_by=reveal_by,
            close_by=reveal_by + settings.epoch_length,
        )

    async def is_open(self, round_: int) -> bool:
        """Return whether a round was drawn."""
        _, active = await self._draw(round_)
        return bool(active)

    async def targets(self, round_: int, monitor: str, nodes: Iterable[str]) -> list[str]:
        """List whom `monitor` is to report in an open round: by the tickets first, by the contract for those.

        Among them are runners that have left and come back since the seed block: nobody owes a report about them, but it counts.
        """
        pairs = [(node, monitor) for node in nodes if node != monitor]
        lucky = await self._lucky(round_, pairs)
        return [target for target, _ in lucky if await self._drawn("mayReport", round_, target, monitor)]

    async def candidates(self, round_: int, target: str, nodes: Iterable[str]) -> list[str]:
        """List whom the tickets of an open round make monitors of `target`, whether or not they owe a report."""
        lucky = await self._lucky(round_, [(target, node) for node in nodes if node != target])
        return [monitor for _, monitor in lucky]

    async def owes(self, round_: int, target: str, monitor: str) -> bool:
        """Return whether a monitor owes a report about `target` in an open round."""
        return await self._drawn("isMonitorOf", round_, target, monitor)

    async def _lucky(self, round_: int, pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
        seed, active = await self._draw(round_)
        settings = await self.settings()
        size = settings.monitors if round_ < EPOCHS else settings.panel_size
        highest = monitoring.threshold(active, size)
        return [pair for pair in pairs if monitoring.ticket(seed, *pair) <= highest]

    async def _draw(self, round_: int) -> Any:
        """Return a round's seed and how many were active, which never change once it is drawn."""
        for opened in self._events("RoundOpened", round_):
            return opened["seed"], opened["active"]
        return await self._read(
            "drawOf", round_, speakers=(self._about(round_),), settled=lambda draw: bool(draw[1])
        )

    async def _drawn(self, name: str, round_: int, target: str, monitor: str) -> bool:
        runners = self._chain.reputation.address
        # For judges it counts too who reported before.
        judged: tuple[Speaker, ...] = () if round_ < EPOCHS else (self._chain.monitoring.address,)
        speakers = (runners, _word(target)), (runners, _word(monitor)), *judged
        holds = _DRAWN_HOLDS_BLOCKS
        return bool(await self._read(name, round_, target, monitor, speakers=speakers, holds=holds))

    async def duty(self, round_: int, monitor: str) -> int:
        """Read a monitor's word: 0 before it commits, the commitment, then its reports plus one."""
        word: bytes = await self._read("dutyOf", round_, monitor, speakers=(self._about(round_, monitor),))
        return int.from_bytes(word, "big")

    async def has_committed(self, round_: int, monitor: str) -> bool:
        """Return whether a monitor has committed to its reports."""
        contract = self._chain.monitoring.address
        heard = self._heard.recalled(contract, _TOPICS["ReportsCommitted"], *_words(round_, monitor))
        return bool(heard) or await self.duty(round_, monitor) != 0

    async def has_revealed(self, round_: int, monitor: str, targets: Sequence[str]) -> bool:
        """Return whether a monitor that has committed to reports about `targets` has revealed them."""
        if targets and all(self._heard_reveal(round_, target, monitor) for target in targets):
            return True
        return await self.duty(round_, monitor) <= MAX_TARGETS + 1

    async def said(self, round_: int, target: str, monitor: str) -> ReportKind | None:
        """Return what counts of a monitor's words about a target."""
        revealed = self._heard_reveal(round_, target, monitor)
        if revealed is not None:
            return ReportKind(revealed["kind"]) if revealed["counted"] else None
        by, kind, made = await self._report(round_, target, monitor)
        return ReportKind(kind) if made and by == monitor else None

    async def owner_spoke(self, round_: int, target: str, monitor: str) -> bool:
        """Return whether any runner of the monitor's owner has reported the target."""
        revealed = self._heard_reveal(round_, target, monitor)
        if revealed is not None and revealed["counted"]:
            return True
        return bool((await self._report(round_, target, monitor))[2])

    async def is_marked(self, round_: int, monitor: str) -> bool:
        """Return whether a monitor was marked in a round."""
        return bool(await self._read("isMarked", round_, monitor, speakers=(self._about(round_, monitor),)))

    async def agreed_kind(self, round_: int, target: str) -> ReportKind | None:
        """Return what a quorum and two thirds of the reports say; None where they do not agree."""
        _, kind, agreed = await self._tally(round_, target)
        return ReportKind(kind) if agreed else None

    async def has_reports(self, round_: int, target: str) -> bool:
        """Return whether any report about the target counted."""
        if any(event["counted"] for event in self._events("ReportRevealed", round_, target)):
            return True
        reports, _, _ = await self._tally(round_, target)
        return any(reports)

    async def _tally(self, round_: int, target: str) -> Any:
        return await self._read("tallyOf", round_, target, speakers=(self._about(round_, target),))

    async def verdict(self, epoch: int, target: str) -> Verdict:
        """Return what became of the reports."""
        heard = self._heard_verdict(epoch, target)
        if heard is not None:
            return heard
        ruling, kind, at_block, _ = await self._read(
            "verdictOf", epoch, target, speakers=(self._about(epoch, target),)
        )
        return Verdict(ruling=Ruling(ruling), kind=ReportKind(kind), at_block=at_block)

    def _heard_reveal(self, round_: int, target: str, monitor: str) -> Any:
        """Return the event of a monitor's report about a target, if it was heard."""
        return next(iter(self._events("ReportRevealed", round_, target, monitor)), None)

    def _heard_verdict(self, epoch: int, target: str) -> Verdict | None:
        """Return what events say became of the reports, if its conclusion was heard."""
        contract = self._chain.monitoring.address
        found = self._heard.recalled(contract, _TOPICS["EpochConcluded"], *_words(epoch, target))
        if not found:
            return None
        told = self._decoded("EpochConcluded", found[-1])
        ruling = Ruling(told["ruling"])
        if self._events("VerdictChallenged", epoch, target):
            ruling = Ruling.CHALLENGED
        for resolved in self._events("ChallengeResolved", epoch, target):
            ruling = Ruling(resolved["ruling"])
        return Verdict(ruling=ruling, kind=ReportKind(told["kind"]), at_block=found[-1]["blockNumber"])

    def _events(self, name: str, round_: int, *nodes: str) -> list[Any]:
        contract = self._chain.monitoring.address
        logs = self._heard.recalled(contract, _TOPICS[name], *_words(round_, *nodes))
        return [self._decoded(name, log) for log in logs]

    def _decoded(self, name: str, log: Log) -> Any:
        return self._chain.monitoring.events[name]().process_log(log)["args"]

    async def challenge(self, round_: int) -> Challenge:
        """Read whom a judges' round is about."""
        _, _, epoch, target = await self._challenge(round_)
        return Challenge(round=round_, epoch=epoch, target=target)

    async def challenges(self, first_block: int, last_block: int) -> list[Challenge]:
        """List the verdicts that were challenged in these blocks."""
        event, contract = self._chain.monitoring.events.VerdictChallenged(), self._chain.monitoring.address
        heard = self._heard.logs(contract, first_block, last_block, topics=[_TOPICS["VerdictChallenged"]])
        logs: list[Any] = (
            [event.process_log(log) for log in heard]
            if heard is not None
            else await event.get_logs(from_block=first_block, to_block=last_block)
        )
        return [
            Challenge(
                round=log["args"]["round"],
                epoch=log["args"]["epoch"],
                target=to_checksum_address(log["args"]["target"]),
            )
            for log in logs
        ]

    async def _challenge(self, round_: int) -> Any:
        return await self._read("challengeOf", round_, speakers=(self._chain.monitoring.address,))

    async def _report(self, round_: int, target: str, monitor: str) -> Any:
        runners = self._chain.reputation
        owner = (
            await self._heard.once(
                ("runnerOf", monitor),
                ((runners.address, _word(monitor)),),
                lambda block: self._chain.call(runners.functions.runnerOf(monitor), block=block),
            )
        )[0]
        return await self._read("reportOf", round_, target, owner, speakers=(self._about(round_, target),))

    def _about(self, round_: int, *nodes: str) -> Speaker:
        """Name what only events of this round change, or only those of one runner in it."""
        contract, (round_word, *others) = self._chain.monitoring.address, _words(round_, *nodes)
        return (contract, round_word, others[0]) if others else (contract, round_word)

    async def _read(
        self,
        name: str,
        *arguments: object,
        speakers: tuple[Speaker, ...],
        holds: int = _HOLDS_BLOCKS,
        settled: Callable[[Any], bool] = lambda _: False,
    ) -> Any:
        return await self._heard.once(
            (name, *arguments),
            speakers,
            lambda block: self._chain.call(self._functions[name](*arguments), block=block),
            holds=holds,
            settled=settled,
        )


def _words(round_: int, *nodes: str) -> tuple[bytes, *tuple[bytes, ...]]:
    return (round_.to_bytes(32, "big"), *map(_word, nodes))


def _word(node: str) -> bytes:
    return bytes(12) + bytes.fromhex(node[2:])
