"""AuditCourt as a runner reads it: typed, and what an answer was revealed with, from the events that have it."""

import asyncio
from dataclasses import dataclass
from typing import Any

from protocol.abi import event_topics
from protocol.chain import Chain
from protocol.enums import AuditStage
from protocol.errors import ChainError
from runner.claiming import Draw
from runner.heard import Heard, Speaker

_CONVENED = next(
    topic for topic, event in event_topics()["AuditCourt"].items() if event.name == "PanelConvened"
)
_NOBODY = "0x" + "00" * 20
_EVENT_REACH_BLOCKS = 16
"""Blocks before its seed or draw block in which a task's event is looked for; both lie 2 blocks behind it."""
_CHALLENGE_FOR, _PANEL_FOR = 2, 3
"""Places of these windows in `ITaskEscrow.Params`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A case at one block. `deadline` is the last block of its stage; `round` is the panel that sits, sat or will sit."""

    draw_block: int
    deadline: int
    stage: AuditStage
    round: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One panel: its auditors by seat, and of each whether its vote is open."""

    seed_block: int
    size: int
    jurors: tuple[str, ...]
    opened: tuple[bool, ...]

    def seat_of(self, node: str) -> int | None:
        """Return a node's seat, if it has one."""
        return self.jurors.index(node) if node in self.jurors else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Revealed:
    """An answer as the chain has it: digests of the spec and the result, the fingerprint's root, the tokens billed."""

    task_id: bytes
    spec: bytes
    result: bytes
    fingerprint_root: bytes
    input_tokens: int
    output_tokens: int


class Cases:
    """Reads of the contract. Every method raises `RpcUnavailable` when the node does not answer."""

    def __init__(self, chain: Chain, heard: Heard | None = None) -> None:
        self._chain = chain
        self._heard = heard or Heard()
        self._functions = chain.court.functions
        self._widening_step: int | None = None
        self._reach: int | None = None

    async def case(self, task_id: bytes) -> Case:
        """Return how far a case is, stage NONE where there is none: read anew only when an event named the task since."""
        return await self._heard.once(
            ("case", task_id), self._speakers(task_id), lambda block: self.case_at(task_id, block=block)
        )

    async def case_at(self, task_id: bytes, *, block: int | str) -> Case:
        """Read how far a case was at a block."""
        draw, deadline, _, _, _, stage, _, appellant = await self._chain.call(
            self._functions.caseOf(task_id), block=block
        )
        return Case(
            draw_block=draw, deadline=deadline, stage=AuditStage(stage), round=int(appellant != _NOBODY)
        )

    async def panel(self, task_id: bytes, round_: int) -> Panel:
        """Return a panel and who sits on it: read anew only when an event named the task since."""
        return await self._heard.once(
            ("panel", task_id, round_),
            self._speakers(task_id),
            lambda block: self._panel(task_id, round_, block),
        )

    async def _panel(self, task_id: bytes, round_: int, block: int | str) -> Panel:
        functions, call = self._functions, self._chain.call
        seed_block, size, seated, opened, _ = await call(functions.benchOf(task_id, round_), block=block)
        calls = [call(functions.jurorOf(task_id, round_, seat), block=block) for seat in range(seated)]
        jurors = await asyncio.gather(*calls)
        return Panel(
            seed_block=seed_block,
            size=size,
            jurors=tuple(node for node, _ in jurors),
            opened=tuple(bool(opened >> seat & 1) for seat in range(seated)),
        )

    async def draw(self, task_id: bytes, round_: int, panel: Panel) -> Draw:
        """Read the lottery in force for the next block; `TransactionReverted` (PanelNotSeeded) while there is none."""
        _, seed = await self._chain.call(self._functions.seedOf(task_id, round_), block="pending")
        active = await self._chain.call(self._chain.reputation.functions.activeRunners())
        if self._widening_step is None:
            self._widening_step = await self._chain.call(self._functions.wideningStep())
        return Draw(
            task_id=task_id,
            seed=seed,
            seed_block=panel.seed_block,
            active=active,
            replicas=panel.size,
            widening_step=self._widening_step,
        )

    async def check_seat(self, task_id: bytes, *, node: str) -> None:
        """Ask whether a vote of `node` would be taken in the next block; `TransactionReverted` says why not."""
        await self._chain.call(self._functions.vote(task_id, b"\1" * 32), sender=node, block="pending")

    async def revealed(self, task_id: bytes, case: Case) -> Revealed:
        """Read what is audited. `ChainError` where the node does not have the events."""
        task = await self._chain.call(self._chain.escrow.functions.taskOf(task_id))
        events = self._chain.escrow.events
        submitted = await self._event(events.TaskSubmitted(), task_id, until_block=task[4])
        revealed = await self._event(events.SeatRevealed(), task_id, until_block=case.draw_block)
        return Revealed(
            task_id=task_id,
            spec=bytes(submitted["order"]["spec"]),
            result=bytes(revealed["result"]),
            fingerprint_root=bytes(revealed["fingerprint"]),
            input_tokens=revealed["inputTokens"],
            output_tokens=revealed["outputTokens"],
        )

    async def convened(self, first_block: int, last_block: int) -> list[bytes]:
        """List the tasks for which a panel was convened in these blocks."""
        heard = self._heard.logs(self._chain.court.address, first_block, last_block, topics=[_CONVENED])
        if heard is not None:
            return [bytes(log["topics"][1]) for log in heard]
        logs = await self._chain.court.events.PanelConvened().get_logs(
            from_block=first_block, to_block=last_block
        )
        return [bytes(log["args"]["caseId"]) for log in logs]

    async def reach(self) -> int:
        """Return blocks after which nothing is left to vote on or to open for a panel convened before."""
        if self._reach is None:
            params = await self._chain.call(
                self._chain.escrow.functions.paramsOf(self._chain.deployment.params_id)
            )
            self._reach = int(2 * params[_PANEL_FOR] + params[_CHALLENGE_FOR])
        return self._reach

    def _speakers(self, task_id: bytes) -> tuple[Speaker, ...]:
        return ((self._chain.court.address, task_id),)

    async def _event(self, event: Any, task_id: bytes, *, until_block: int) -> Any:
        logs = await event.get_logs(
            from_block=max(0, until_block - _EVENT_REACH_BLOCKS),
            to_block=until_block,
            argument_filters={"taskId": task_id},
        )
        if not logs:
            raise ChainError(
                f"the node has no {event.event_name} of 0x{task_id.hex()} up to block {until_block}",
                hint="Use a node that keeps the logs of the last days.",
            )
        return logs[-1]["args"]
