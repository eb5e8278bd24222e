"""A runner's record and standing, read from the chain at one block."""

import asyncio

from client.errors import RunnerUnknown
from client.reputation.records import Eligibility, RunnerRecord
from protocol.chain import Chain
from protocol.enums import Level, RunnerStatus, Standing
from protocol.errors import TransactionReverted
from protocol.money import format_usdfc


async def read_runner(chain: Chain, node: str) -> RunnerRecord:
    """Read a runner; `RunnerUnknown` if nobody ever registered it."""
    block = await chain.block_number()
    reputation, monitoring = chain.reputation.functions, chain.monitoring.functions
    runner, record, level, standing, settings = await asyncio.gather(
        chain.call(reputation.runnerOf(node), block=block),
        chain.call(reputation.scoreOf(node), block=block),
        chain.call(monitoring.levelOf(node), block=block),
        chain.call(monitoring.standingOf(node), block=block),
        chain.call(reputation.settings(), block=block),
    )
    owner, registered_block, banned_until, status, strikes, _ = runner
    if RunnerStatus(status) is RunnerStatus.NONE:
        raise RunnerUnknown(
            f"runner {node}: nobody has registered it",
            hint="A runner's id is the address of its node key, as `parity-client reputation leaderboard` lists it.",
        )
    stake, active = await asyncio.gather(
        chain.call(chain.wallet.functions.stakeOf(owner), block=block),
        chain.call(reputation.activeRunnersOf(owner), block=block),
    )
    score, right, wrong, missed, monitor_missed, wrong_streak, _, suspended_until = record
    return RunnerRecord(
        node=node,
        owner=owner,
        block=block,
        status=RunnerStatus(status),
        standing=Standing(standing),
        level=Level(level),
        score=score,
        right=right,
        wrong=wrong,
        missed=missed,
        monitor_missed=monitor_missed,
        wrong_streak=wrong_streak,
        strikes=strikes,
        registered_block=registered_block,
        banned_until=banned_until,
        suspended_until=suspended_until,
        bonded=stake[0],
        locked=stake[1],
        needed_stake=settings[0] * active,
    )


async def read_eligibility(chain: Chain, node: str, *, task_id: bytes | None) -> Eligibility:
    """Return whether a runner may take a seat, and why not; of a task, as the contract would answer its claim now."""
    runner = await read_runner(chain, node)
    reasons = list(standing_reasons(runner))
    if task_id is not None and not reasons:
        reasons += await _claim_reasons(chain, node, task_id)
    return Eligibility(
        node=node,
        task_id=task_id,
        block=runner.block,
        eligible=not reasons,
        standing=runner.standing,
        reasons=tuple(reasons),
    )


def standing_reasons(runner: RunnerRecord) -> tuple[str, ...]:
    """Return why a runner may take no seat at all; nothing if it may."""
    match runner.standing:
        case Standing.ELIGIBLE:
            return ()
        case Standing.BANNED:
            return (f"banned until block {runner.banned_until}",)
        case Standing.SUSPENDED:
            return (f"suspended as offline until block {runner.suspended_until}",)
        case Standing.UNDERSTAKED:
            need, have = format_usdfc(runner.needed_stake), format_usdfc(runner.bonded)
            return (f"its owner has bonded {have} USDFC and needs {need} USDFC for its active runners",)
        case _:
            return (f"it is {runner.standing.name.lower()}",)


async def _claim_reasons(chain: Chain, node: str, task_id: bytes) -> tuple[str, ...]:
    try:
        await chain.call(chain.escrow.functions.claim(task_id), sender=node)
    except TransactionReverted as refusal:
        return (refusal.message,)
    return ()
