"""A session's aggregation, which the contract orders as a task like any other: its spec is rebuilt from the chain."""

from dataclasses import dataclass, replace

import structlog

from protocol.cid import digest_of
from protocol.documents import FederatedAggregation, canonical
from protocol.order import Order
from protocol.parts import store_parts
from protocol.session import Aggregate, aggregate_document, aggregation_document
from protocol.typed_data import Domain
from runner.errors import ExecutionInvalid
from runner.executors import Execution
from runner.federated.board import Board
from runner.federated.diary import Diary, Result
from runner.federated.history import History, transcript

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Aggregator:
    """Does the aggregation tasks of the sessions in the diary."""

    board: Board
    diary: Diary
    history: History
    domain: Domain

    @property
    def fault(self) -> str | None:
        """Return why nothing can be trained or aggregated now, with the remedy; none if it can."""
        return self.history.workshop.fault

    def attributed(self, order: Order) -> Order:
        """Give a session's task the parties of its session, for whom allow and deny lists are meant."""
        entry = self.diary.by_purse(order.client)
        if entry is None:
            return order
        return replace(order, client=entry.order.creator, payer=entry.order.payer)

    async def spec(self, task_id: bytes, order: Order) -> bytes | None:
        """Write the spec of a session's current aggregation; none for any other task. `RpcUnavailable`."""
        entry = self.diary.by_purse(order.client)
        if entry is None:
            return None
        sight = await self.board.sight(entry.session)
        if sight.task != task_id:
            return None
        document = aggregation_document(
            self.domain,
            entry.session,
            round_number=sight.round,
            base=sight.model,
            config=entry.order.config,
            transcript=sight.transcript,
        )
        content = canonical(document)
        return content if digest_of(content) == order.spec else None

    async def execute(self, spec: FederatedAggregation) -> Execution:
        """Aggregate, and put model and card where everybody finds them.

        Raises `ContentError`, `ExecutionInvalid`, `EngineUnavailable`, `RpcUnavailable`.
        """
        entry = self.diary.entry(bytes.fromhex(spec.session[2:]))
        rounds = await self.board.rounds(entry.session, since_block=entry.created_block)
        one = rounds.get(spec.round)
        if one is None or "0x" + transcript(entry.session, one).hex() != spec.transcript:
            raise ExecutionInvalid("the round's events do not add up to the transcript that the task names")
        papers = self.history.papers
        config = await papers.config(entry)
        progress = await self.history.before(entry, config, rounds, spec.round)
        done = await self.history.repeat(entry, config, rounds, spec.round, progress)
        for slot, found in done.caught.items():
            log.warning("contribution_caught", session=spec.session, round=spec.round, slot=slot, found=found)
        await store_parts(papers.store, done.model)
        manifest = await papers.store.add(done.card)
        self.diary.keep_result(entry.session, Result(round=spec.round, card=manifest, progress=done.progress))
        aggregate = Aggregate(
            model=digest_of(done.model),
            manifest=manifest,
            accepted=done.accepted,
            caught=done.disproved,
            stop=done.stop,
        )
        document = aggregate_document(entry.session, spec.round, aggregate)
        return Execution(result=canonical(document), input_tokens=0, output_tokens=0)
