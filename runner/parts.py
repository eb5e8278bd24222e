"""What every job of a daemon shares."""

from dataclasses import dataclass

from web3.contract.async_contract import AsyncContractFunction

from protocol.chain import Chain
from protocol.content import ContentStore
from protocol.documents import CommandSpec, FederatedAggregation, LlmSpec
from protocol.enums import Mode
from protocol.sender import Sender
from runner.admission import Terms
from runner.errors import EngineRefused
from runner.escrow import Escrow
from runner.executors import Execution, Executor
from runner.executors.command import CommandExecutor
from runner.federated.aggregating import Aggregator
from runner.jobs import Job, Stage
from runner.journal import Journal
from runner.profile import Publisher
from runner.settings import RunnerSettings
from runner.situation import Situation


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The daemon's connections and records, made once and handed to each job."""

    settings: RunnerSettings
    chain: Chain
    escrow: Escrow
    sender: Sender
    journal: Journal
    store: ContentStore
    executor: Executor
    situation: Situation
    terms: Terms
    commands: CommandExecutor | None = None
    aggregator: Aggregator | None = None

    @property
    def node(self) -> str:
        """Return the node key's address."""
        return self.sender.address

    def publisher(self) -> Publisher:
        """Make what keeps the published profile up to date, one for a daemon."""
        return Publisher(chain=self.chain, sender=self.sender, store=self.store, journal=self.journal)

    async def execute(self, spec: LlmSpec | CommandSpec | FederatedAggregation, job: Job) -> Execution:
        """Do a job's work by the executor of its kind; see there for what it raises."""
        if isinstance(spec, LlmSpec):
            audited = job.order.mode is Mode.AUDITED
            return await self.executor.execute(spec, job.task_id, audited=audited)
        if isinstance(spec, FederatedAggregation):
            if self.aggregator is None:
                raise EngineRefused(
                    "no learning session is aggregated here any more",
                    hint="Set RUNNER_LEARNING=true until it is done.",
                )
            return await self.aggregator.execute(spec)
        if self.commands is None:
            raise EngineRefused(
                "commands are not taken here any more", hint="Set RUNNER_COMMANDS=true until it is done."
            )
        return await self.commands.execute(spec, job.task_id)

    async def send(self, job: Job, call: AsyncContractFunction, *, before: Stage, label: str) -> None:
        """Write the stage, send, and keep the transaction. What it brought about is asked from the chain afterwards.

        Raises `TransactionReverted`, `TransactionTimeout`, `InsufficientFunds`, `RpcUnavailable`.
        """
        if job.stage is not before:
            self.journal.move(job.task_id, before)
        receipt = await self.sender.send(call, label=label)
        self.journal.record_transaction(
            job.task_id,
            label,
            hash_=bytes.fromhex(receipt.transaction_hash.removeprefix("0x")),
            block=receipt.block_number,
        )
