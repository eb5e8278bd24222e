"""One session's way: ask the chain, do the step that is missing, wait for news, again until it is over.

Each step may be cut off between any two lines. What was promised is in the diary, what has happened is on the chain.
"""

import secrets
import time
from collections import Counter

import structlog
from eth_utils.crypto import keccak
from web3.contract.async_contract import AsyncContractFunction
from web3.exceptions import Web3Exception

from learning.secagg.masks import public_key
from learning.session_config import SessionConfig
from protocol.documents import FederatedAggregate, parse_document
from protocol.enums import SeatState, SessionPhase, TaskStatus
from protocol.errors import ContentError, InputError, ParityError, RpcUnavailable, TransactionReverted
from protocol.session import aggregate_of
from runner.errors import ClusterAway, EngineUnavailable, ExecutionInvalid
from runner.federated.admission import refusal, too_slow
from runner.federated.aggregating import Aggregator
from runner.federated.board import Round, Sight
from runner.federated.diary import Entry, Standing
from runner.federated.own_pace import OwnPace
from runner.federated.part import Part
from runner.federated.secrecy import words
from runner.federated.taking_part import plain_call, show_again
from runner.life import View
from runner.parts import Parts

STAGGER_BLOCKS = 2
"""Blocks between those who may do what one of them must do."""
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 15.0
_PATIENCE_SHARE = 2
_DEATHS = 2
"""Times that the training process may die of rehearsing a session before the session is thought to be why."""
_PLAIN = (SessionPhase.TRAINING, SessionPhase.REVEALING)
_HOPELESS = frozenset({"FederatedSelfDealing", "RunnerUnknown", "RunnerRetired", "RunnerImmature"})
"""Reverts of `join` that waiting does not cure."""

log = structlog.get_logger()


class SessionWork:
    """The work on one session."""

    def __init__(self, parts: Parts, aggregator: Aggregator, session: bytes) -> None:
        self._parts = parts
        self._diary = aggregator.diary
        self._board = aggregator.board
        self._history = aggregator.history
        self._papers = aggregator.history.papers
        self._functions = parts.chain.federated.functions
        self._session = session
        self._pause_s = _FIRST_PAUSE_S
        self._not_before = 0.0
        self._first_seen: dict[tuple[object, ...], int] = {}
        self._shown: set[tuple[int, int]] = set()
        self._pace = OwnPace(aggregator.history, parts.situation.ring)
        self._training_s: float | None = None
        self._deaths = 0

    async def run(self) -> None:
        """Work on the session until it is over."""
        with structlog.contextvars.bound_contextvars(session="0x" + self._session.hex()):
            try:
                while self._entry.stage is not Standing.OVER:
                    rings = self._parts.situation.rings
                    if not await self._guarded_step():
                        await self._parts.situation.news(since=rings)
            finally:
                await self._pace.close()

    @property
    def _entry(self) -> Entry:
        return self._diary.entry(self._session)

    async def _guarded_step(self) -> bool:
        if time.monotonic() < self._not_before:
            return False
        try:
            moved = await self.step()
        except (RpcUnavailable, Web3Exception) as error:
            log.debug("chain_unavailable", error=str(error))  # the watch says so once for all
            return False
        except ParityError as error:
            return self._hold(str(error) if error.hint is None else f"{error}. {error.hint}")
        except Exception:
            # A border: what one session's papers break must not stop the other work.
            log.exception("session_broke")
            return self._hold("internal error; see the log")
        self._pause_s = _FIRST_PAUSE_S
        return moved

    def _hold(self, reason: str) -> bool:
        """Leave the session alone for a while that doubles each time."""
        if self._entry.reason != reason:
            log.warning("session_delayed", error=reason)
        self._not_before = time.monotonic() + self._pause_s
        self._pause_s = min(self._pause_s * 2, _LONGEST_PAUSE_S)
        return self._wait(reason)

    def _wait(self, reason: str) -> bool:
        self._diary.note(self._session, reason=reason)
        return False

    async def step(self) -> bool:
        """Do the one step that is missing; say whether another may follow at once. Raises `ParityError`."""
        entry = self._entry
        sight = await self._board.sight(self._session)
        self._diary.note(self._session, phase=sight.phase.name.lower(), round=sight.round)
        slot = await self._board.slot(self._session, owner=self._parts.terms.owner, node=self._parts.node)
        self._reconcile(entry, slot)
        if sight.phase is SessionPhase.NONE:
            return self._wait("the session is not on the chain")
        if sight.phase.is_terminal:
            return await self._end(sight, slot)
        return await self._running_step(entry, sight, slot)

    async def _running_step(self, entry: Entry, sight: Sight, slot: int | None) -> bool:
        if sight.phase is SessionPhase.JOINING and not sight.overdue:
            return await self._join(entry) if slot is None else await self._stay(slot)
        if sight.phase is SessionPhase.AGGREGATING:
            if slot is not None and not entry.order.secure:
                await self._show_again(entry, sight, slot)
            return await self._aggregation(entry, sight, slot)
        if sight.overdue:
            return await self._advance(sight, slot, since=sight.deadline)
        if slot is None or not sight.awaits(slot):
            return self._wait("waiting for the participants")
        return await self._act(entry, sight, slot)

    def _reconcile(self, entry: Entry, slot: int | None) -> None:
        """Bring the diary's slot in line with the chain, which a reorganisation may have changed."""
        if slot is not None and (entry.slot != slot or entry.stage is not Standing.JOINED):
            self._diary.note(self._session, stage=Standing.JOINED, slot=slot, reason="")
            log.info("session_joined", slot=slot)
        elif slot is None and entry.stage is Standing.JOINED:
            self._diary.note(self._session, stage=Standing.SEEN, slot=None)

    # Joining

    async def _join(self, entry: Entry) -> bool:
        if entry.stage is Standing.REFUSED:
            return False
        if busy := self._busy(entry):
            return self._wait(busy)
        try:
            why = await self._examined(entry)
        except ExecutionInvalid as error:
            why = str(error)
        if why is not None:
            self._diary.note(self._session, stage=Standing.REFUSED, reason=why)
            log.info("session_refused", reason=why)
            return False
        if short := await self._short_of(entry):
            return self._wait(short)
        return await self._send_join()

    def _busy(self, entry: Entry) -> str | None:
        most = self._parts.settings.runner_learning_sessions
        if self._parts.situation.draining:
            return "draining: no new sessions"
        if entry.stage is not Standing.JOINING and self._diary.joined() >= most:
            return f"takes part in {most} sessions already"
        return None

    async def _short_of(self, entry: Entry) -> str | None:
        """Return whether time or stake is lacking now, which others may give free."""
        others = self._diary.joined()
        window_s = self._window_s(entry, await self._papers.config(entry))
        if crowded := too_slow(self._training_s or 0, window_s=window_s, others=others):
            return crowded
        if await self._parts.escrow.free_stake(self._parts.terms.owner) < entry.order.bond:
            return "not enough stake is free for the bond"
        return None

    async def _examined(self, entry: Entry) -> str | None:
        """Return what speaks against a session; everything is fetched and tried first, for who joins cannot go back."""
        config = await self._papers.config(entry)
        own = self._papers.private_file(entry)
        why = refusal(
            entry.order, config, terms=self._parts.terms, has_data=own is not None and own.is_file()
        )
        return why or await self._rehearsed(entry, config)

    async def _rehearsed(self, entry: Entry, config: SessionConfig) -> str | None:
        if self._training_s is not None:
            return None
        try:
            tried = await self._history.workshop.rehearse(await self._papers.rehearsal(entry, config))
        except ClusterAway:
            raise  # the session is not to blame
        except EngineUnavailable as error:
            self._deaths += 1
            if self._deaths < _DEATHS:
                raise
            return f"rehearsal: {error}"
        self._training_s = tried.seconds
        return too_slow(tried.seconds, window_s=self._window_s(entry, config), others=0)

    def _window_s(self, entry: Entry, config: SessionConfig) -> float:
        """Return how long a training may take at most, until it is too late to be handed in."""
        rounds = 1 if config.asynchronous is None else 1 + config.asynchronous.max_staleness
        return rounds * entry.order.train_for * self._parts.chain.network.block_time_s

    async def _send_join(self) -> bool:
        key = public_key(self._diary.secret(self._session, secrets.token_bytes(32)))
        call = self._functions.join(self._session, key)
        try:
            await self._parts.chain.call(call, sender=self._parts.node, block="pending")
            self._diary.note(self._session, stage=Standing.JOINING)
            await self._parts.sender.send(call, label="joinSession")
        except TransactionReverted as error:
            hopeless = error.name in _HOPELESS
            stage = Standing.REFUSED if hopeless else Standing.SEEN
            self._diary.note(self._session, stage=stage, reason=str(error))
            return False
        return True

    async def _stay(self, slot: int) -> bool:
        if not self._parts.situation.draining:
            return self._wait("waiting for others to join")
        return await self._send(self._functions.leave(self._session, slot), label="leaveSession")

    # Rounds

    async def _act(self, entry: Entry, sight: Sight, slot: int) -> bool:
        part = await self._part(entry, sight, slot)
        if part is None:
            return False
        one = part.round
        if sight.phase in _PLAIN:
            return await self._plain_act(part, sight)
        if not self._is_final(sight, one):
            return self._wait("waiting for the block that says who is in the sum to be final")
        began = one.entered[sight.phase]
        patient = sight.head_block < began + (sight.deadline - began) // _PATIENCE_SHARE
        posted = await words(self._history, part, phase=sight.phase, patient=patient)
        if posted is None:
            return self._wait("shares of others cannot be had yet")
        call = self._functions.post(self._session, slot, int(sight.phase), posted.first, posted.second)
        return await self._send(call, label=f"post{sight.phase.name.title()}")

    async def _plain_act(self, part: Part, sight: Sight) -> bool:
        if part.config.asynchronous is None:
            call, label = await plain_call(self._history, part, phase=sight.phase, functions=self._functions)
            return await self._send(call, label=label)
        ready = await self._pace.call(part, sight, functions=self._functions)
        if ready is None:
            return self._wait("training; the round may go on without it")
        call, label = ready
        return await self._send(call, label=label)

    async def _part(self, entry: Entry, sight: Sight, slot: int) -> Part | None:
        """Return this runner's place in the round; none while the node's events lag behind its state."""
        rounds = await self._board.rounds(self._session, since_block=entry.created_block)
        one = rounds.get(sight.round)
        if one is None or sight.phase not in one.entered:
            return None
        config = await self._papers.config(entry)
        return Part(entry=entry, config=config, rounds=rounds, round=one, slot=slot, node=self._parts.node)

    async def _show_again(self, entry: Entry, sight: Sight, slot: int) -> None:
        """Once a round is aggregated, see that what is drawn for audits now is published."""
        seen = (sight.round, sight.attempts)
        if seen not in self._shown and (part := await self._part(entry, sight, slot)) is not None:
            await show_again(self._history, part)
            self._shown.add(seen)

    def _is_final(self, sight: Sight, one: Round) -> bool:
        """Return whether the phase before can no longer end otherwise; half the time to answer is waited at most."""
        began = one.entered[sight.phase]
        network = self._parts.chain.network
        deep = 0 if not network.confirmations else network.finality_blocks
        return sight.head_block >= began + min(deep, (sight.deadline - began) // 2)

    # Aggregation and endings

    async def _aggregation(self, entry: Entry, sight: Sight, slot: int | None) -> bool:
        if not any(sight.task):
            return await self._advance(sight, slot, since=self._seen(sight, "unordered"))
        view = await self._parts.escrow.view(sight.task, node=self._parts.node)
        since = self._seen(sight, view.status)
        if view.status is TaskStatus.FINAL:
            return await self._settle(entry, sight, view, slot, since=since)
        if view.status.is_terminal:
            return await self._advance(sight, slot, since=since)
        patience = 4 * STAGGER_BLOCKS  # its seats come first
        if view.overdue and self._turn(sight, slot, since=view.deadline + patience):
            call = self._parts.chain.escrow.functions.advance(sight.task)
            return await self._send(call, label="advance")
        return self._wait("the round is being aggregated")

    async def _settle(self, entry: Entry, sight: Sight, view: View, slot: int | None, *, since: int) -> bool:
        if not self._turn(sight, slot, since=since):
            return self._wait("leaving it to another to settle the round")
        marks = Counter(seat.mark for seat in view.seats if seat.state is SeatState.REVEALED)
        result = next((mark for mark, times in marks.most_common(1) if times >= entry.order.quorum), None)
        try:
            document = parse_document(await self._papers.store.get(result or bytes(32)))
        except (ContentError, InputError) as error:
            if sight.overdue:
                return await self._advance(sight, slot, since=sight.deadline)
            return self._hold(f"the round's result cannot be had: {error}")
        if not isinstance(document, FederatedAggregate):
            return self._hold("the round's result is no aggregate")
        call = self._functions.settleRound(self._session, aggregate_of(document).as_tuple())
        return await self._send(call, label="settleRound")

    async def _advance(self, sight: Sight, slot: int | None, *, since: int) -> bool:
        if not self._turn(sight, slot, since=since):
            return self._wait("overdue; leaving it to another to go on")
        return await self._send(self._functions.advance(self._session), label="advanceSession")

    def _seen(self, sight: Sight, what: object) -> int:
        """Return the block at which this was seen first, from which turns are counted."""
        return self._first_seen.setdefault((sight.round, sight.attempts, sight.task, what), sight.head_block)

    def _turn(self, sight: Sight, slot: int | None, *, since: int) -> bool:
        """Return whether it is this runner's turn: members one after another, another first each round, then the rest."""
        members = sight.members.bit_count()
        if slot is not None and sight.members >> slot & 1:
            before = (sight.members & ((1 << slot) - 1)).bit_count()
            rank = (before + sight.round) % members
        else:
            rank = members + keccak(self._session + bytes.fromhex(self._parts.node[2:]))[0] % 8
        return sight.head_block >= since + rank * STAGGER_BLOCKS

    async def _end(self, sight: Sight, slot: int | None) -> bool:
        entry = self._entry
        if sight.head_block < sight.deadline + self._parts.chain.network.confirmations:
            return False
        earned = 0
        if slot is not None:
            rounds = await self._board.rounds(self._session, since_block=entry.created_block)
            earned = sum(one.pay for one in rounds.values() if one.paid >> slot & 1)
        self._diary.note(self._session, stage=Standing.OVER, reason="", earned=str(earned))
        self._diary.forget(self._session)
        await self._papers.drop(entry)
        log.info("session_over", phase=sight.phase.name.lower(), earned=earned)
        return True

    async def _send(self, call: AsyncContractFunction, *, label: str) -> bool:
        """Send, unless somebody else was faster; say whether it was taken."""
        try:
            await self._parts.sender.send(call, label=label)
        except TransactionReverted as error:
            log.info("session_act_refused", label=label, error=error.name)
            return self._wait(str(error))
        self._diary.note(self._session, reason="")
        return True
