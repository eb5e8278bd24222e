"""TaskEscrow, RunnerReputation and StakeWallet as a runner reads them: typed, each answer as of one block."""

import asyncio
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from protocol.chain import Chain
from protocol.enums import AuditStage, RunnerStatus, SeatState, TaskStatus
from runner.auditing.cases import Cases
from runner.claiming import Draw
from runner.heard import Heard
from runner.life import Seat, View

_TASK = (
    *(
        "payer",
        "reward",
        "bond",
        "deadline",
        "seed_block",
        "params_id",
        "replicas",
        "quorum",
        "claimed",
        "committed",
    ),
    *("revealed", "mode", "status"),
)
_JUDGED = (TaskStatus.CHALLENGEABLE, TaskStatus.DISPUTED)
"""The AuditCourt has the windows of these."""
_TERMINAL = (TaskStatus.FINAL, TaskStatus.FAILED, TaskStatus.CANCELLED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """A node as RunnerReputation has it."""

    owner: str
    status: RunnerStatus
    banned_until_block: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a task ended for one owner: at which block, and what it was paid and lost, in USDFC base units."""

    block: int
    paid: int
    slashed: int


class Escrow:
    """Reads of the contracts. Every method raises `RpcUnavailable` when the node does not answer."""

    def __init__(self, chain: Chain, heard: Heard | None = None) -> None:
        self._chain = chain
        self._heard = heard or Heard()
        self._cases = Cases(chain, self._heard)
        self._widening_step: int | None = None
        self._commit_for: dict[int, int] = {}

    async def view(self, task_id: bytes, *, node: str) -> View:
        """Return a task and its seats as of the head block: read anew only when an event named the task since."""
        speakers = (self._chain.escrow.address, task_id), (self._chain.court.address, task_id)
        view = await self._heard.once(("view", task_id), speakers, partial(self._view, task_id))
        return replace(
            view,
            head_block=max(view.head_block, self._heard.head_block),
            own=next((seat for seat in view.seats if seat.node == node), None),
        )

    async def _view(self, task_id: bytes, block: int | str) -> View:
        head = block if isinstance(block, int) else await self._chain.block_number()
        row = await self._chain.call(self._chain.escrow.functions.taskOf(task_id), block=head)
        task = dict(zip(_TASK, row, strict=True))
        seats = await asyncio.gather(*[self._seat(task_id, index, head) for index in range(task["claimed"])])
        status, deadline, stage = TaskStatus(task["status"]), task["deadline"], AuditStage.NONE
        if status in _JUDGED:
            case = await self._cases.case_at(task_id, block=head)
            deadline, stage = case.deadline, case.stage
        return View(
            head_block=head,
            status=status,
            audit=stage,
            deadline=deadline,
            seed_block=task["seed_block"],
            replicas=task["replicas"],
            seats=tuple(seats),
            own=None,
        )

    async def draw(self, task_id: bytes, *, view: View) -> Draw:
        """Return the lottery in force for the next block; `TransactionReverted` (TaskNotSeeded) while there is none."""
        seed = await self._heard.once(
            ("seed", task_id), ((self._chain.escrow.address, task_id),), partial(self._seed, task_id)
        )
        active = await self._heard.once(("active",), (self._chain.reputation.address,), self._active)
        if self._widening_step is None:
            self._widening_step = await self._chain.call(self._chain.escrow.functions.wideningStep())
        return Draw(
            task_id=task_id,
            seed=seed,
            seed_block=view.seed_block,
            active=active,
            replicas=view.replicas,
            widening_step=self._widening_step,
        )

    async def _seed(self, task_id: bytes, _: int | str) -> int:
        """Read the seed as the next block will see it, whatever block is the newest: once it is there it stays."""
        _, seed = await self._chain.call(self._chain.escrow.functions.seedOf(task_id), block="pending")
        return int(seed)

    async def _active(self, block: int | str) -> int:
        return int(await self._chain.call(self._chain.reputation.functions.activeRunners(), block=block))

    async def commit_for(self, params_id: int) -> int:
        """Read how many blocks of commit window a parameter version gives. Versions never change."""
        if params_id not in self._commit_for:
            params = await self._chain.call(self._chain.escrow.functions.paramsOf(params_id))
            self._commit_for[params_id] = int(params[0])
        return self._commit_for[params_id]

    async def free_stake(self, owner: str) -> int:
        """Return an owner's bonded stake that backs no seat, in base units, as of the newest block."""
        return await self._heard.once(("stake", owner), (), partial(self._free_stake, owner), holds=0)

    async def _free_stake(self, owner: str, block: int | str) -> int:
        bonded, locked = await self._chain.call(self._chain.wallet.functions.stakeOf(owner), block=block)
        return int(bonded) - int(locked)

    async def registration(self, node: str) -> Registration:
        """Read a node's registration; status NONE if there is none."""
        owner, _, banned_until, status, *_ = await self._chain.call(
            self._chain.reputation.functions.runnerOf(node)
        )
        return Registration(owner=owner, status=RunnerStatus(status), banned_until_block=banned_until)

    async def barred_until(self, node: str) -> int:
        """Return the first block at which a ban or a suspension of `node` lets it claim again; 0 if there is none."""
        reputation = self._chain.reputation.address
        speakers = ((reputation, bytes(12) + bytes.fromhex(node[2:])),)
        return await self._heard.once(("barred", node), speakers, partial(self._barred_until, node))

    async def _barred_until(self, node: str, block: int | str) -> int:
        functions = self._chain.reputation.functions
        _, _, banned_until, _, _, suspended = await self._chain.call(functions.runnerOf(node), block=block)
        if not suspended:
            return int(banned_until)
        *_, suspended_until = await self._chain.call(functions.scoreOf(node), block=block)
        return max(int(banned_until), int(suspended_until))

    async def ending(self, task_id: bytes, *, owner: str, view: View) -> Ending:
        """Read from the logs how a terminal task ended for `owner`."""
        phases = await self._logs(self._chain.escrow.events.PhaseChanged(), view, taskId=task_id)
        blocks = [log["blockNumber"] for log in phases if TaskStatus(log["args"]["status"]) in _TERMINAL]
        moves = await self._logs(self._chain.wallet.events.Moved(), view, ref=task_id, who=owner)
        return Ending(
            block=max(blocks, default=view.head_block),
            paid=sum(log["args"]["pay"] for log in moves),
            slashed=sum(log["args"]["slash"] for log in moves),
        )

    async def _seat(self, task_id: bytes, index: int, block: int) -> Seat:
        node, state, _, _, mark = await self._chain.call(
            self._chain.escrow.functions.seatOf(task_id, index), block=block
        )
        return Seat(index=index, node=node, state=SeatState(state), mark=bytes(mark))

    async def _logs(self, event: Any, view: View, **filters: object) -> list[Any]:
        # A task lives for a few hundred blocks, which is within what one query may span on every network.
        return list(
            await event.get_logs(
                from_block=view.seed_block, to_block=view.head_block, argument_filters=filters
            )
        )
