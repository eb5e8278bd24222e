"""PeerMonitoring as a runner reads it: typed, at the head block."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from eth_utils.address import to_checksum_address

from protocol import monitoring
from protocol.abi import event_topics
from protocol.chain import Chain
from protocol.enums import ReportKind, Ruling
from runner.heard import Heard, Speaker

EPOCHS = 1 << 40
"""Rounds below this are epochs; a challenge's is a digest."""
_CHALLENGED = next(
    topic for topic, event in event_topics()["PeerMonitoring"].items() if event.name == "VerdictChallenged"
)
_SETTINGS = ("epoch_length", "reveal_for", "challenge_for", "panel_for", "suspend_for", "maturity")
_HOLDS_BLOCKS = 16
"""Reports change records and no stake: a node that once leaves out an event may cost one of them."""
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
    """What the contract has: read anew only when one of its events named the round or epoch since.

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
        _, active = await self._of(round_, "drawOf", round_)
        return bool(active)

    async def targets(self, round_: int, monitor: str, nodes: Iterable[str]) -> list[str]:
        """List whom `monitor` is to report in an open round: by the tickets first, by the contract for those.

        Among them are runners that have left and come back since the seed block: nobody owes a report about them, but it counts.
        """
        pairs = [(node, monitor) for node in nodes if node != monitor]
        drawn = await self._drawn(round_, pairs, asked="mayReport")
        return [target for target, _ in drawn]

    async def monitors(self, round_: int, target: str, nodes: Iterable[str]) -> list[str]:
        """List who owes a report about `target` in an open round."""
        pairs = [(target, node) for node in nodes if node != target]
        drawn = await self._drawn(round_, pairs, asked="isMonitorOf")
        return [monitor for _, monitor in drawn]

    async def _drawn(self, round_: int, pairs: list[tuple[str, str]], *, asked: str) -> list[tuple[str, str]]:
        seed, active = await self._of(round_, "drawOf", round_)
        settings = await self.settings()
        size = settings.monitors if round_ < EPOCHS else settings.panel_size
        highest = monitoring.threshold(active, size)
        lucky = [pair for pair in pairs if monitoring.ticket(seed, *pair) <= highest]
        # Owners, and for judges who reported before, count too.
        everyone = self._chain.monitoring.address, self._chain.reputation.address
        return [pair for pair in lucky if await self._read(asked, round_, *pair, speakers=everyone)]

    async def duty(self, round_: int, monitor: str) -> int:
        """Read a monitor's word: 0 before it commits, the commitment, then its reports plus one."""
        word: bytes = await self._of(round_, "dutyOf", round_, monitor)
        return int.from_bytes(word, "big")

    async def said(self, round_: int, target: str, monitor: str) -> ReportKind | None:
        """Read what counts of a monitor's words about a target."""
        by, kind, made = await self._report(round_, target, monitor)
        return ReportKind(kind) if made and by == monitor else None

    async def owner_spoke(self, round_: int, target: str, monitor: str) -> bool:
        """Return whether any runner of the monitor's owner has reported the target."""
        return bool((await self._report(round_, target, monitor))[2])

    async def is_marked(self, round_: int, monitor: str) -> bool:
        """Return whether a monitor was marked in a round."""
        return bool(await self._of(round_, "isMarked", round_, monitor))

    async def agreed_kind(self, round_: int, target: str) -> ReportKind | None:
        """Return what a quorum and two thirds of the reports say; None where they do not agree."""
        _, kind, agreed = await self._of(round_, "tallyOf", round_, target)
        return ReportKind(kind) if agreed else None

    async def has_reports(self, round_: int, target: str) -> bool:
        """Return whether any report about the target counted."""
        reports, _, _ = await self._of(round_, "tallyOf", round_, target)
        return any(reports)

    async def verdict(self, epoch: int, target: str) -> Verdict:
        """Read what became of the reports."""
        ruling, kind, at_block, _ = await self._of(epoch, "verdictOf", epoch, target)
        return Verdict(ruling=Ruling(ruling), kind=ReportKind(kind), at_block=at_block)

    async def challenge(self, round_: int) -> Challenge:
        """Read whom a judges' round is about."""
        _, _, epoch, target = await self._challenge(round_)
        return Challenge(round=round_, epoch=epoch, target=target)

    async def challenges(self, first_block: int, last_block: int) -> list[Challenge]:
        """List the verdicts that were challenged in these blocks."""
        event, contract = self._chain.monitoring.events.VerdictChallenged(), self._chain.monitoring.address
        heard = self._heard.logs(contract, first_block, last_block, topics=[_CHALLENGED])
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
                (runners.address,),
                lambda block: self._chain.call(runners.functions.runnerOf(monitor), block=block),
            )
        )[0]
        return await self._of(round_, "reportOf", round_, target, owner)

    async def _of(self, round_: int, name: str, *arguments: object) -> Any:
        """Read what only events of this round or epoch change."""
        speaker = self._chain.monitoring.address, round_.to_bytes(32, "big")
        return await self._read(name, *arguments, speakers=(speaker,))

    async def _read(self, name: str, *arguments: object, speakers: tuple[Speaker, ...]) -> Any:
        return await self._heard.once(
            (name, *arguments),
            speakers,
            lambda block: self._chain.call(self._functions[name](*arguments), block=block),
            holds=_HOLDS_BLOCKS,
        )
