"""After a round's reveals: the verdicts that somebody has to ask for, and the monitors that did not do their duty."""

import structlog
from web3.contract.async_contract import AsyncContractFunction

from protocol.chain import Chain
from protocol.enums import ReportKind, Ruling
from protocol.errors import TransactionReverted
from protocol.sender import Sender
from runner.journal import Journal
from runner.monitoring.rounds import EPOCHS, Rounds, Windows

log = structlog.get_logger()


class Aftermath:
    """What a monitor does for a round in which it had targets. All of it is for anybody; none of it twice."""

    def __init__(self, rounds: Rounds, chain: Chain, sender: Sender, journal: Journal) -> None:
        self._rounds = rounds
        self._sender = sender
        self._journal = journal
        self._functions = chain.monitoring.functions
        self._told_silent: set[int] = set()

    async def serve(self, round_: int, targets: list[str], windows: Windows, *, upcoming: int) -> bool:
        """Do what is due in block `upcoming`; say whether nothing is left to do about the round."""
        if round_ >= EPOCHS:
            await self._resolve(round_)
        elif upcoming <= windows.close_by:
            await self._conclude(round_, targets)
        if round_ not in self._told_silent and upcoming <= windows.close_by:
            for target in targets:
                await self._tell_silent(round_, target)
            self._told_silent.add(round_)
        over = [await self._tell_lying(round_, target, upcoming) for target in targets]
        return all(over)

    async def _conclude(self, epoch: int, targets: list[str]) -> None:
        due = [
            target
            for target in targets
            if (await self._rounds.verdict(epoch, target)).ruling is Ruling.NONE
            and await self._rounds.has_reports(epoch, target)
        ]
        if due:
            await self._send(self._functions.conclude(epoch, due), label="conclude")

    async def _resolve(self, round_: int) -> None:
        asked = await self._rounds.challenge(round_)
        if (await self._rounds.verdict(asked.epoch, asked.target)).ruling is Ruling.CHALLENGED:
            await self._send(self._functions.resolve(asked.epoch, asked.target), label="resolve")

    async def _tell_silent(self, round_: int, target: str) -> None:
        for monitor in await self._others(round_, target):
            if await self._rounds.owner_spoke(round_, target, monitor):
                continue
            if await self._rounds.is_marked(round_, monitor):
                continue
            if not await self._rounds.owes(round_, target, monitor):
                continue
            await self._send(self._functions.reportSilent(round_, target, monitor), label="reportSilent")

    async def _tell_lying(self, round_: int, target: str, upcoming: int) -> bool:
        """Mark the liars once the verdict is final; say whether there is nothing more to wait for."""
        judged = await self._judgement(round_, target, upcoming)
        if judged is None:
            return False
        lie, is_lie = judged
        for monitor in await self._others(round_, target) if lie is not None else ():
            said = await self._rounds.said(round_, target, monitor)
            if said is None or (said is lie) is not is_lie or await self._rounds.is_marked(round_, monitor):
                continue
            await self._send(self._functions.reportLying(round_, target, monitor), label="reportLying")
        return True

    async def _judgement(
        self, round_: int, target: str, upcoming: int
    ) -> tuple[ReportKind | None, bool] | None:
        """Return a kind, and whether it is a lie or all others are; no kind where nobody lied; None while it is open."""
        if round_ >= EPOCHS:
            return await self._rounds.agreed_kind(round_, target), False
        verdict = await self._rounds.verdict(round_, target)
        settings = await self._rounds.settings()
        if verdict.ruling is Ruling.CHALLENGED:
            return None
        if verdict.ruling is Ruling.AGREED and upcoming <= verdict.at_block + settings.challenge_for:
            return None
        if verdict.ruling in (Ruling.AGREED, Ruling.UPHELD):
            return verdict.kind, False
        return (verdict.kind, True) if verdict.ruling is Ruling.OVERTURNED else (None, False)

    async def _others(self, round_: int, target: str) -> list[str]:
        nodes = [row["node"] for row in self._journal.nodes() if row["node"] != self._sender.address]
        return await self._rounds.candidates(round_, target, nodes)

    async def _send(self, call: AsyncContractFunction, *, label: str) -> None:
        """Send, unless somebody else was faster."""
        try:
            await self._sender.send(call, label=label)
        except TransactionReverted as error:
            log.info("monitoring_refused", label=label, error=str(error))
