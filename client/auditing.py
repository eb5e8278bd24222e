"""Audited orders: what the AuditCourt asks of one, and the cases that it opens. Amounts are base units, heights blocks."""

import asyncio
from dataclasses import dataclass

from client.records import Usdfc
from protocol.chain import Chain
from protocol.enums import AuditStage
from protocol.errors import InputError

_NOBODY = "0x" + "00" * 20
_CHALLENGE_FOR, _PANEL_SIZE = 2, 12
"""Places in `ITaskEscrow.Params`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditTerms:
    """Rules of audits under one parameter version, as `IAuditCourt.AuditRules`. Shares in basis points.

    `challenge_for` is how many blocks after its reveal an answer that nobody audits or challenges becomes final.
    """

    min_bond: Usdfc
    min_audit_bps: int
    max_audit_bps: int
    risk_multiple: int
    panel_size: int
    appeal_size: int
    challenge_for: int

    def least_bond(self, reward: int) -> int:
        """Return the least stake that must back an answer worth `reward` at most."""
        return max(self.min_bond, -(-reward // self.risk_multiple))


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """An auditor's seat on a panel, of round 0 or, after an appeal, 1. `valid` is `None` until its vote is opened."""

    round: int
    seat: int
    node: str
    valid: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A revealed audited task before the court, at one block. `bond` is what a challenge or an appeal puts at stake.

    `valid` is what the last panel with a verdict said, `carried` whether a majority of it did.
    """

    task_id: bytes
    block: int
    stage: AuditStage
    draw_block: int
    deadline: int
    rate_bps: int
    bond: Usdfc
    challenger: str | None
    appellant: str | None
    votes: tuple[Vote, ...]
    valid: bool | None
    carried: bool | None


async def read_terms(chain: Chain, params_id: int) -> AuditTerms:
    """Read the rules of audits of a parameter version; `InputError` if it allows none."""
    params, rules = await asyncio.gather(
        chain.call(chain.escrow.functions.paramsOf(params_id)),
        chain.call(chain.court.functions.rulesOf(params_id)),
    )
    min_bond, min_audit_bps, max_audit_bps, _, risk_multiple, appeal_size = rules
    if not min_bond:
        raise InputError(
            f"mode: parameter version {params_id} has no audit rules",
            field="mode",
            hint="Order in quorum mode: --mode quorum.",
        )
    return AuditTerms(
        min_bond=min_bond,
        min_audit_bps=min_audit_bps,
        max_audit_bps=max_audit_bps,
        risk_multiple=risk_multiple,
        panel_size=params[_PANEL_SIZE],
        appeal_size=appeal_size,
        challenge_for=params[_CHALLENGE_FOR],
    )


async def read_case(chain: Chain, task_id: bytes) -> Case:
    """Read a task's case; its stage is NONE where the task was not revealed yet, or is none that is audited."""
    block = await chain.block_number()
    found = await chain.call(chain.court.functions.caseOf(task_id), block=block)
    draw_block, deadline, rate_bps, _, bond, stage, challenger, appellant = found
    rounds = 2 if appellant != _NOBODY else 1
    panels = [await _read_votes(chain, task_id, number, block=block) for number in range(rounds)]
    valid, carried = await _read_verdict(chain, task_id, AuditStage(stage), rounds, block=block)
    return Case(
        task_id=task_id,
        block=block,
        stage=AuditStage(stage),
        draw_block=draw_block,
        deadline=deadline,
        rate_bps=rate_bps,
        bond=bond,
        challenger=None if challenger == _NOBODY else challenger,
        appellant=None if appellant == _NOBODY else appellant,
        votes=tuple(vote for panel in panels for vote in panel),
        valid=valid,
        carried=carried,
    )


async def _read_votes(chain: Chain, task_id: bytes, number: int, *, block: int) -> list[Vote]:
    functions = chain.court.functions
    _, _, seated, opened, invalid = await chain.call(functions.benchOf(task_id, number), block=block)
    jurors = [
        await chain.call(functions.jurorOf(task_id, number, seat), block=block) for seat in range(seated)
    ]
    return [
        Vote(
            round=number,
            seat=seat,
            node=node,
            valid=not invalid >> seat & 1 if opened >> seat & 1 else None,
        )
        for seat, (node, _) in enumerate(jurors)
    ]


async def _read_verdict(
    chain: Chain, task_id: bytes, stage: AuditStage, rounds: int, *, block: int
) -> tuple[bool | None, bool | None]:
    """Read the last verdict: the present round's once its votes are counted, before that the first's."""
    if rounds == 1 and stage < AuditStage.APPEALABLE:
        return None, None
    settled = stage is AuditStage.CLOSED or rounds == 1
    number = rounds - 1 if settled else 0
    bench = await chain.call(chain.court.functions.benchOf(task_id, number), block=block)
    if not bench[1]:
        return None, None
    valid, carried = await chain.call(chain.court.functions.verdictOf(task_id, number), block=block)
    return valid, carried
