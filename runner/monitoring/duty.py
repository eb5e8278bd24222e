"""A monitor's rounds, step by step: open, look, commit, reveal, conclude, and tell on who did not.

What was sent is read from the chain, and what will be revealed from the journal, so that a step may be cut off anywhere
and is taken up again.
"""

import structlog
from eth_utils.crypto import keccak
from web3.contract.async_contract import AsyncContractFunction
from web3.exceptions import Web3Exception

from protocol import monitoring
from protocol.chain import Chain
from protocol.errors import ParityError, TransactionReverted
from protocol.monitoring import MAX_TARGETS, Report
from protocol.sender import Sender
from runner.heard import Heard
from runner.journal import Journal
from runner.monitoring.aftermath import Aftermath
from runner.monitoring.openings import Openings
from runner.monitoring.opinion import Opinion
from runner.monitoring.rounds import EPOCHS, Rounds, Windows
from runner.situation import Situation

_SPREAD_BLOCKS = 8
_LOOKS = 16
"""Times that a target may be looked at in the time to commit."""

log = structlog.get_logger()


class MonitorDuty:
    """The duty of one node: a step at each block."""

    def __init__(
        self,
        chain: Chain,
        sender: Sender,
        journal: Journal,
        opinion: Opinion,
        heard: Heard | None = None,
    ) -> None:
        self._chain = chain
        self._sender = sender
        self._journal = journal
        self._opinion = opinion
        self._heard = heard or Heard()
        self._rounds = Rounds(chain, self._heard)
        self._openings = Openings(journal)
        self._aftermath = Aftermath(self._rounds, chain, sender, journal)
        self._idle: set[int] = set()
        self._judging: set[int] = set()
        self._seen_block = -1
        self._undone = self._heard.undone
        self._looked: dict[int, int] = {}
        self._watched: dict[int, list[str]] = {}

    async def run(self, situation: Situation) -> None:
        """Do what is due at each block, until cancelled. What fails is tried again at the next."""
        fault = ""
        while True:
            rings = situation.rings
            if situation.head_block >= 0:
                try:
                    await self.step(situation.head_block)
                    fault = ""
                except (ParityError, Web3Exception) as error:
                    if str(error) != fault:
                        log.warning("monitoring_delayed", error=str(error))
                    fault = str(error)
            await situation.news(since=rings)

    async def step(self, head: int) -> None:
        """Do what is due after block `head`. `TransactionReverted`, `RpcUnavailable`, `InsufficientFunds`."""
        settings = await self._rounds.settings()
        await self._look_for_challenges(head)
        epoch = (head + 1) // settings.epoch_length
        for round_ in dict.fromkeys([*self._openings.rounds(), *sorted(self._judging), epoch]):
            if round_ not in self._idle:
                await self._serve(round_, head)

    async def _serve(self, round_: int, head: int) -> None:
        windows = await self._rounds.windows(round_)
        upcoming = head + 1
        if upcoming <= windows.seed_block:
            return
        if not await self._rounds.is_open(round_):
            await self._open(round_, windows, upcoming)
        elif upcoming <= windows.commit_by:
            await self._watch(round_, windows, upcoming)
        elif upcoming <= windows.reveal_by:
            await self._reveal(round_)
        elif upcoming > windows.reveal_by + self._spread(round_, windows):
            opened = self._openings.of(round_)
            targets = [report.target for report in opened.reports] if opened else []
            if await self._aftermath.serve(round_, targets, windows, upcoming=upcoming):
                self._leave(round_)

    async def _open(self, round_: int, windows: Windows, upcoming: int) -> None:
        if upcoming > windows.open_by:
            self._leave(round_)
        elif upcoming > windows.seed_block + self._spread(round_, windows):
            await self._send(self._chain.monitoring.functions.openRound(round_), label="openRound")

    async def _watch(self, round_: int, windows: Windows, upcoming: int) -> None:
        """Look at the targets until three quarters of the time to commit are over, and then commit."""
        opened = self._openings.of(round_)
        if opened is None:
            if upcoming >= self._looked.get(round_, -1) + (windows.commit_by - windows.open_by) // _LOOKS:
                await self._look(round_)
                self._looked[round_] = upcoming
            if upcoming < (windows.open_by + windows.commit_by) // 2:
                return
        if await self._rounds.has_committed(round_, self._sender.address):
            return
        if opened is None:
            targets = await self._targets(round_)  # some may have left since, or come back
            if not targets:
                self._leave(round_)
                return
            reports = [await self._report(round_, target, windows) for target in targets]
            opened = self._openings.seal(round_, reports)
        sealed = monitoring.commitment(round_, self._sender.address, opened)
        await self._send(
            self._chain.monitoring.functions.commitReports(round_, sealed),
            label="commitReports",
            round_=round_,
        )

    async def _look(self, round_: int) -> None:
        """Look at whom the round's first look found to be this node's targets."""
        if round_ not in self._watched:
            self._watched[round_] = await self._targets(round_)
        for target in self._watched[round_]:
            await self._opinion.observe(target, epoch=round_)

    async def _targets(self, round_: int) -> list[str]:
        if round_ >= EPOCHS:
            candidates = [(await self._rounds.challenge(round_)).target]
        else:
            candidates = [row["node"] for row in self._journal.nodes()]
        return await self._rounds.targets(round_, self._sender.address, candidates)

    async def _report(self, round_: int, target: str, windows: Windows) -> Report:
        """Judge an epoch by what the chain saw in the one before its seed block; a challenge by the epoch in question."""
        length = (await self._rounds.settings()).epoch_length
        until_block = windows.seed_block
        if round_ >= EPOCHS:
            until_block = (await self._rounds.challenge(round_)).epoch * length
        kind = await self._opinion.of(
            target, epoch=round_, since_block=until_block - length, until_block=until_block
        )
        return Report(target=target, kind=kind)

    async def _reveal(self, round_: int) -> None:
        mine, opened = self._sender.address, self._openings.of(round_)
        if opened is None:
            if await self._rounds.duty(round_, mine) > MAX_TARGETS + 1:
                log.error("monitoring_opening_lost", round=hex(round_))
            self._leave(round_)
            return
        targets = [report.target for report in opened.reports]
        if not await self._rounds.has_revealed(round_, mine, targets):
            reveal = self._chain.monitoring.functions.revealReports(round_, *opened.as_arguments())
            await self._send(reveal, label="revealReports", round_=round_)
        self._openings.reveal(round_)

    async def _look_for_challenges(self, head: int) -> None:
        """Note the judges' rounds of new challenges, first and after reorganisations as far back as one may be open."""
        undone = self._heard.undone
        if undone != self._undone:
            self._seen_block = -1
            self._watched.clear()
        settings = await self._rounds.settings()
        reach = settings.panel_for + settings.reveal_for + settings.epoch_length
        first = max(min(self._seen_block, head) + 1, head - reach, 0)
        while first <= head:
            last = min(first + self._chain.network.max_log_blocks - 1, head)
            for challenge in await self._rounds.challenges(first, last):
                self._judging.add(challenge.round)
            first = last + 1
        self._seen_block, self._undone = head, undone

    async def _send(self, call: AsyncContractFunction, *, label: str, round_: int | None = None) -> None:
        """Send; a round of which the contract wants nothing from this node is left alone."""
        try:
            await self._sender.send(call, label=label)
        except TransactionReverted as error:
            if round_ is None:
                raise
            log.warning("monitoring_refused", round=hex(round_), error=str(error))
            self._leave(round_)

    def _leave(self, round_: int) -> None:
        self._idle.add(round_)
        self._judging.discard(round_)
        self._looked.pop(round_, None)
        self._watched.pop(round_, None)
        if self._openings.of(round_) is not None:
            self._openings.close(round_)

    def _spread(self, round_: int, windows: Windows) -> int:
        """Return blocks to wait so that not everybody does at once what one of them must do."""
        span = min(_SPREAD_BLOCKS, max(1, (windows.open_by - windows.seed_block) // 4))
        return keccak(round_.to_bytes(32, "big") + bytes.fromhex(self._sender.address[2:]))[0] % span
