"""The work of a rehearsal: prompts that several answer, prompts that one answers and some audit, chats, commands."""

import asyncio
import dataclasses
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import structlog
from web3.exceptions import Web3Exception

from client import Parity
from client.gateway.lines import Budget
from client.gateway.serving import opened_lines
from client.programs import plan_command, program, submit_command
from devnet.soak.plan import SoakPlan
from protocol.cid import digest_to_cid
from protocol.documents import canonical
from protocol.enums import Mode, TaskStatus
from protocol.errors import ParityError
from protocol.money import USDFC
from protocol.sender import Sender

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

_SUBJECTS: Final = ("tea", "rain", "Rome", "owls", "bread", "the moon", "chess", "salt", "rivers", "glass")
_QUESTIONS: Final = ("Say one thing about {}.", "Write a short line about {}.", "Is {} old? Answer briefly.")
_BOND: Final = 2 * USDFC
_BARGAIN: Final = 4
_MAX_TOKENS: Final = 12
_CHAT_DEPOSIT: Final = USDFC
_PATIENCE_S: Final = 120.0
_GIVEN_UP_AFTER_S: Final = 300.0
_PAUSE_S: Final = 1.0
_POLL_S: Final = 1.0

log = structlog.get_logger()


@dataclass
class Record:
    """What was ordered: task ids, the audited ones that have not ended, and a count of all that was done by kind."""

    tasks: list[bytes] = field(default_factory=list)
    audited: set[bytes] = field(default_factory=set)
    done: Counter[str] = field(default_factory=Counter)
    gone: int = 0
    """Orders that a reorganisation undid; their money never left the payer."""


class Load:
    """Places orders of one account, and waits for each to end."""

    def __init__(
        self, parity: Parity, account: "LocalAccount", plan: SoakPlan, *, model: str, state: Path
    ) -> None:
        self._parity, self._account, self._plan = parity, account, plan
        self._model, self._state = model, state
        self._chance = random.Random(plan.seed)  # noqa: S311 (a rehearsal must be the same again)
        self._chatting = asyncio.Lock()
        self.record = Record()

    async def run(self) -> None:
        """Place all orders, a few at once; `plan.minutes` after the start no more are placed."""
        places = asyncio.Semaphore(self._plan.at_once)
        until = asyncio.get_running_loop().time() + 60 * self._plan.minutes
        async with asyncio.TaskGroup() as group:
            for number in range(self._plan.tasks):
                await places.acquire()
                if asyncio.get_running_loop().time() > until:
                    return
                group.create_task(self._one(self._deed(number), places))

    async def audited_prompt(self) -> None:
        """Order an answer from one runner, that some may audit, and wait for its end."""
        await self.follow(await self.order_audited(), "audited prompt")

    async def order_audited(self, *, bargain: bool = False) -> bytes:
        """Place such an order and give its task's id.

        A bargain is offered a quarter of the usual price: only who does not work for it can take it.
        """
        plan = await self._parity.plan_prompt(
            self._question(), model=self._model, max_tokens=_MAX_TOKENS, max_price=USDFC // 10, via="wallet"
        )
        order = dataclasses.replace(plan.order, mode=Mode.AUDITED, bond=_BOND)
        if bargain:
            order = dataclasses.replace(
                order, input_price=order.input_price // _BARGAIN, output_price=order.output_price // _BARGAIN
            )
        placed = await self._parity.placement(order, via="wallet")
        stored = await self._parity.content.add(canonical(plan.spec))
        sent = await self._parity.send(placed, spec_cid=digest_to_cid(stored))
        self.record.audited.add(sent.task_id)
        return sent.task_id

    async def _quorum_prompt(self) -> None:
        sent = await self._parity.submit_prompt(
            self._question(), model=self._model, max_tokens=_MAX_TOKENS, replicas=3, via="wallet"
        )
        await self.follow(sent.task_id, "prompt by quorum")

    async def _relayed_prompt(self) -> None:
        sent = await self._parity.submit_prompt(
            self._question(), model=self._model, max_tokens=_MAX_TOKENS, replicas=3, via="relay"
        )
        await self.follow(sent.task_id, "relayed prompt by quorum")

    async def _command(self) -> None:
        wanted = program(["/bin/sh", "-c", f"echo {self._chance.randrange(10**9)} | sha256sum"])
        plan = await plan_command(self._parity, wanted, via="wallet")
        sent = await submit_command(self._parity, plan)
        await self.follow(sent.task_id, "command")

    async def _chat(self) -> None:
        turns = [{"role": "user", "content": self._question()}]
        body = {"model": self._model, "messages": turns, "max_tokens": _MAX_TOKENS, "temperature": 0}
        budget = Budget(deposit=_CHAT_DEPOSIT, total=20 * _CHAT_DEPOSIT)
        keystore = self._state / "chats.json"
        # An account's channels have one user at a time, as a gateway is.
        async with (
            self._chatting,
            opened_lines(self._parity, self._account, budget, keystore=keystore) as lines,
        ):
            text = "".join([chunk.text async for chunk in lines.ask(body, turns)])
        self.record.done["chat" if text else "chat without an answer"] += 1

    def _deed(self, number: int) -> Callable[[], Awaitable[None]]:
        """Choose the next piece of work; the first ones are of each kind that all networks can do."""
        first = [self._quorum_prompt, self.audited_prompt, *([self._chat] if self._plan.chats else [])]
        if number < len(first):
            return first[number]
        weights = {
            self._quorum_prompt: 6,
            self._relayed_prompt: 2,
            self.audited_prompt: 8,
            self._chat: 3 if self._plan.chats else 0,
            self._command: 2 if self._plan.commands else 0,
        }
        return self._chance.choices(list(weights), weights=list(weights.values()))[0]

    async def _one(self, deed: Callable[[], Awaitable[None]], places: asyncio.Semaphore) -> None:
        """Do one piece of work, again while something that it needs is down or busy."""
        until = time.monotonic() + _GIVEN_UP_AFTER_S
        try:
            while True:
                try:
                    await deed()
                except (ParityError, Web3Exception, ExceptionGroup) as error:
                    if time.monotonic() > until:
                        log.warning("given_up", deed=deed.__name__, error=str(error))
                        self.record.done["given up"] += 1
                        return
                    log.info("tried_again", error=str(error))
                    await asyncio.sleep(_PAUSE_S)
                else:
                    return
        finally:
            places.release()

    async def follow(self, task_id: bytes, kind: str) -> None:
        """Wait until a task has ended; one that no runner takes in time is cancelled.

        One that a reorganisation took back is placed by nobody again.
        """
        self.record.tasks.append(task_id)
        try:
            await self._ended(task_id, kind)
        finally:
            self.record.audited.discard(task_id)

    async def _ended(self, task_id: bytes, kind: str) -> None:
        impatient_at = time.monotonic() + _PATIENCE_S
        state_of = self._parity.chain.escrow.functions.taskOf(task_id)
        while True:
            try:
                status = TaskStatus((await self._parity.chain.call(state_of))[-1])
            except (ParityError, Web3Exception):
                await asyncio.sleep(_PAUSE_S)
                continue
            if status is TaskStatus.NONE:
                self.record.gone += 1
                return
            if status.is_terminal:
                self.record.done[kind if status is not TaskStatus.CANCELLED else f"{kind}, cancelled"] += 1
                return
            if status is TaskStatus.OPEN and time.monotonic() > impatient_at:
                await self._cancel(task_id)
            await asyncio.sleep(_POLL_S)

    async def see_off(self, sender: Sender) -> None:
        """End what a reorganisation reopened after all had seen its end: on a local chain nobody waits for confirmations."""
        until = time.monotonic() + _PATIENCE_S
        left = self.record.tasks
        while left := [task_id for task_id in left if not await self._is_over(task_id)]:
            if time.monotonic() > until:
                return
            for task_id in left:
                await self._end(task_id, sender)
            await asyncio.sleep(_PAUSE_S)

    async def _end(self, task_id: bytes, sender: Sender) -> None:
        """Cancel a task that is open again, and advance any other; one whose time is not over yet stays as it is."""
        if await self._status(task_id) is TaskStatus.OPEN:
            await self._cancel(task_id)
            return
        try:
            await sender.send(self._parity.chain.escrow.functions.advance(task_id), label="advance")
        except (ParityError, Web3Exception) as error:
            log.info("not_advanced", error=str(error))

    async def _is_over(self, task_id: bytes) -> bool:
        status = await self._status(task_id)
        return status is TaskStatus.NONE or status.is_terminal

    async def _status(self, task_id: bytes) -> TaskStatus:
        state_of = self._parity.chain.escrow.functions.taskOf(task_id)
        return TaskStatus((await self._parity.chain.call(state_of))[-1])

    async def _cancel(self, task_id: bytes) -> None:
        try:
            await self._parity.cancel(task_id)
        except (ParityError, Web3Exception) as error:
            log.info("not_cancelled", error=str(error))  # a runner was quicker

    def _question(self) -> str:
        return self._chance.choice(_QUESTIONS).format(self._chance.choice(_SUBJECTS))
