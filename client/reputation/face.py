"""`Parity.reputation`: everything about runners that a client may want to know, and what it can do about it."""

from dataclasses import dataclass, field

from client.api import ApiClient
from client.money import transaction
from client.offers import registered_profiles
from client.records import Transaction
from client.reputation import monitoring
from client.reputation.records import (
    Assignment,
    Eligibility,
    MonitoringMetrics,
    MonitoringStats,
    RunnerRecord,
)
from client.reputation.standing import read_eligibility, read_runner
from client.reputation.views import (
    Figures,
    Ranked,
    ScoreChange,
    read_figures,
    read_leaderboard,
    read_score_changes,
)
from client.signer import Signer, signed_by
from protocol.chain import Chain


@dataclass(frozen=True, slots=True, kw_only=True)
class Reputation:
    """Records and monitoring are read from the chain; history, leaderboard and figures from the API.

    A runner is named by the address of its node key. Every method may raise `RpcUnavailable` or `ApiError`.
    """

    chain: Chain
    api: ApiClient
    signer: Signer | None = field(default=None, repr=False)

    async def status(self, node: str) -> RunnerRecord:
        """Read a runner's record and standing; `RunnerUnknown`."""
        return await read_runner(self.chain, node)

    async def events(self, node: str, *, limit: int = 20) -> tuple[ScoreChange, ...]:
        """List the newest changes (at most 100) of a runner's score."""
        return await read_score_changes(self.api, node, limit=limit)

    async def leaderboard(self, *, limit: int = 20) -> tuple[Ranked, ...]:
        """List active runners (at most 100), best score first."""
        return await read_leaderboard(self.api, limit=limit)

    async def network_stats(self) -> Figures:
        """Read the network's figures."""
        return await read_figures(self.api)

    async def eligibility(self, node: str, *, task_id: bytes | None = None) -> Eligibility:
        """Return whether a runner may take a seat, of any task or of this one, and why not; `RunnerUnknown`."""
        return await read_eligibility(self.chain, node, task_id=task_id)

    async def assignments(
        self, *, epoch: int | None = None, node: str | None = None
    ) -> tuple[Assignment, ...]:
        """List who watches whom in an epoch (by default the present one), perhaps only where `node` is either."""
        chosen = await monitoring.current_epoch(self.chain) if epoch is None else epoch
        head = await self.chain.block_number()
        nodes = await registered_profiles(self.chain, self.api, head=head)
        found = await monitoring.read_assignments(self.chain, nodes, epoch=chosen)
        return tuple(each for each in found if node in (None, each.monitor, each.target))

    async def monitoring_stats(self, *, epochs: int = monitoring.DEFAULT_EPOCHS) -> MonitoringStats:
        """Count what happened in peer monitoring in the last epochs."""
        return await monitoring.read_stats(self.chain, epochs=epochs)

    async def monitoring_metrics(
        self, node: str, *, epochs: int = monitoring.DEFAULT_EPOCHS
    ) -> MonitoringMetrics:
        """Return what a runner's monitors said of it in the last epochs, and how it did as a monitor."""
        return await monitoring.read_metrics(self.chain, node, epochs=epochs)

    async def report_monitor(
        self, monitor: str, *, target: str, round_: int, lying: bool = False
    ) -> Transaction:
        """Mark a monitor of `target` that was silent in a round, or said something else than the final verdict.

        Anybody may, once for each round and monitor; the contract checks it. `TransactionReverted` if it is not so.
        """
        functions = self.chain.monitoring.functions
        call = (functions.reportLying if lying else functions.reportSilent)(round_, target, monitor)
        receipt = await signed_by(self.signer).sender.send(call, label="report a monitor")
        return transaction(receipt, "report a monitor")

    async def challenge_bond(self) -> int:
        """Return what a challenge of a verdict takes from the free balance, in base units; lost if the judges agree with it."""
        return int((await self.chain.call(self.chain.monitoring.functions.settings()))[10])

    async def challenge_verdict(self, target: str, *, epoch: int) -> Transaction:
        """Challenge what monitors agreed on about a runner in an epoch, with `challenge_bond`; `TransactionReverted`."""
        call = self.chain.monitoring.functions.challenge(epoch, target)
        receipt = await signed_by(self.signer).sender.send(call, label="challenge a verdict")
        return transaction(receipt, "challenge a verdict")
