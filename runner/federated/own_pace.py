"""One participant's rounds of an asynchronous session: it trains beside them, and hands in what is ready.

The chain ends a phase when everybody has acted in it. So whoever is ready commits at once, and whoever still trains waits until
as many have committed as the session's buffer holds, or until the time is nearly over, and then commits to having nothing
yet: the round goes on without its update, and its bond is safe. The update counts in a later round.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from web3.contract.async_contract import AsyncContractFunction, AsyncContractFunctions

from learning.contribution import NothingYet
from protocol.cid import digest_of
from protocol.enums import SessionPhase
from protocol.errors import ParityError
from protocol.session import Contribution, contribution_commitment
from runner.federated.board import Sight
from runner.federated.buffer import waits_no_longer
from runner.federated.diary import HandIn
from runner.federated.history import History
from runner.federated.names import name_of
from runner.federated.part import Part
from runner.federated.taking_part import act, contribution

_RETRY_S = 15.0

log = structlog.get_logger()


class OwnPace:
    """One session's trainings, one at a time. `ring` wakes whoever waits for one to be finished."""

    def __init__(self, history: History, ring: Callable[[], Awaitable[None]]) -> None:
        self._history = history
        self._ring = ring
        self._training: asyncio.Task[None] | None = None
        self._trained_for = 0

    async def close(self) -> None:
        """Give up a training that is going on."""
        training, self._training = self._training, None
        if training is not None:
            training.cancel()
            await asyncio.gather(training, return_exceptions=True)

    async def call(
        self, part: Part, sight: Sight, *, functions: AsyncContractFunctions
    ) -> tuple[AsyncContractFunction, str] | None:
        """Do what the phase asks for, up to the transaction; none while there is time left to finish a training.

        Gives the transaction and its label. `ContentError`, `ExecutionInvalid`, `EngineUnavailable`.
        """
        handed_in = await self._handed_in(part, sight)
        if handed_in is None:
            return None
        diary, session = self._history.diary, part.entry.session
        if handed_in.trained_for is None:
            return await self._nothing_yet(part, handed_in, phase=sight.phase, functions=functions)
        kept = diary.contribution(session, handed_in.trained_for)
        assert kept is not None
        return await act(self._history, part, kept, phase=sight.phase, functions=functions)

    async def _handed_in(self, part: Part, sight: Sight) -> HandIn | None:
        """Return what is handed in in this attempt, decided now if it is not yet and may be."""
        diary, one, session = self._history.diary, part.round, part.entry.session
        handed_in = diary.hand_in(session, one.number, one.attempt)
        if handed_in is not None or sight.phase is not SessionPhase.TRAINING:
            return handed_in
        ready = self._ready(part)
        if ready is None:
            await self._train(part)
            if not waits_no_longer(part, sight):
                return None
        return diary.choose(session, one.number, one.attempt, trained_for=ready)

    def _ready(self, part: Part) -> int | None:
        """Return for which round a training is finished that has not been handed in, and is not too late for it."""
        spec, diary, session = part.config.asynchronous, self._history.diary, part.entry.session
        latest = diary.last_trained_for(session)
        assert spec is not None
        if latest is None or part.round.number - latest > spec.max_staleness:
            return None
        kept = diary.contribution(session, latest)
        assert kept is not None
        digest = digest_of(kept.paper)
        since = (part.rounds[number].updates().get(part.slot) for number in range(latest, part.round.number))
        return None if any(post is not None and post.first == digest for post in since) else latest

    async def _train(self, part: Part) -> None:
        """Begin a training for this round, unless one goes on that will not be too late."""
        spec, number = part.config.asynchronous, part.round.number
        assert spec is not None
        training = self._training
        if training is not None:
            if training.done():
                self._training = None
                training.result()
            elif number - self._trained_for <= spec.max_staleness:
                return
            else:
                log.warning("training_too_late", trained_for=self._trained_for, round=number)
                await self.close()
        if number > self._trained_for:
            self._trained_for = number
            self._training = asyncio.ensure_future(self._contribute(part))

    async def _contribute(self, part: Part) -> None:
        while True:
            try:
                await contribution(self._history, part, apart=True)
            except ParityError as error:
                log.warning("training_delayed", round=part.round.number, error=str(error))
                await asyncio.sleep(_RETRY_S)
            else:
                break
        await self._ring()

    async def _nothing_yet(
        self, part: Part, handed_in: HandIn, *, phase: SessionPhase, functions: AsyncContractFunctions
    ) -> tuple[AsyncContractFunction, str]:
        session, number, slot = part.entry.session, part.round.number, part.slot
        said = NothingYet(
            session="0x" + session.hex(), round=number - 1, participant=name_of(slot)
        ).canonical()
        opened = Contribution(update=digest_of(said), samples=0, salt=handed_in.salt)
        if phase is SessionPhase.TRAINING:
            sealed = contribution_commitment(session, number, part.node, opened)
            return functions.commit(session, slot, sealed), "commitNothingYet"
        await self._history.papers.store.add(said)
        return functions.reveal(session, slot, opened.as_tuple()), "revealNothingYet"
