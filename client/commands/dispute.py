"""`task case|dispute|appeal`: audited answers before the court, as their payer sees them."""

from typing import TYPE_CHECKING

import typer

from client.commands.consent import agreed
from client.commands.options import DryRun, Json, TaskId, Yes
from client.commands.printer import Fields, Printer, aligned, table
from client.commands.progress import progress
from client.commands.running import command, connected, read_settings, read_task_id
from protocol.enums import AuditStage
from protocol.money import format_usdfc

if TYPE_CHECKING:
    from client.auditing import Case

_STAGES = {
    AuditStage.NONE: "no answer is revealed yet",
    AuditStage.OPEN: "revealed; the draw for an audit is still to come; it can be challenged",
    AuditStage.CLEARED: "not drawn for an audit; it can still be challenged",
    AuditStage.VOTING: "auditors take seats and commit to their votes",
    AuditStage.REVEALING: "auditors reveal their votes",
    AuditStage.APPEALABLE: "there is a verdict; the losing side can appeal",
    AuditStage.CLOSED: "closed",
}


def register(group: typer.Typer) -> None:
    """Add the commands to the group of `task`."""
    command(group, "case", example="parity-client task case 0x…")(_case)
    command(group, "dispute", example="parity-client task dispute 0x…")(_dispute)
    command(group, "appeal", example="parity-client task appeal 0x…")(_appeal)


async def _case(task_id: TaskId, *, as_json: Json = False) -> None:
    """Show the case of an audited task, read from the chain: its stage, panels, votes and verdict."""
    wanted = read_task_id(task_id)
    async with connected(read_settings()) as parity:
        case = await parity.disputes.case(wanted)
    Printer(as_json=as_json).result(case, text=_case_lines(case))


async def _dispute(
    task_id: TaskId, *, dry_run: DryRun = False, yes: Yes = False, as_json: Json = False
) -> None:
    """Challenge an audited answer: randomly drawn runners judge it, and either you or its runner loses a bond.

    Possible from the block after the audit's draw until the challenge window closes. If the panel rejects the answer, you get
    back your bond and your reward, plus a share of the runner's stake; if it finds the answer valid, you lose the bond.
    """
    wanted = read_task_id(task_id)
    async with connected(read_settings(), unlock=True) as parity:
        case = await parity.disputes.check_challenge(wanted)
        fields = _stakes(case, "lost if a panel finds the answer valid; back, with a share, if not")
        if not await agreed(
            parity,
            "Challenge an answer",
            fields,
            lambda rehearsed: rehearsed.disputes.challenge(wanted),
            dry_run=dry_run,
            yes=yes,
            as_json=as_json,
            value=case,
        ):
            return
        with progress("challenging"):
            done = await parity.disputes.challenge(wanted)
    text = [
        f"challenged in block {done.block}, transaction {done.transaction_hash}",
        f"follow it: parity-client task case {task_id}",
    ]
    Printer(as_json=as_json).result(done, text=text)


async def _appeal(
    task_id: TaskId, *, dry_run: DryRun = False, yes: Yes = False, as_json: Json = False
) -> None:
    """Appeal a first verdict that went against you: a larger panel makes the final decision."""
    wanted = read_task_id(task_id)
    async with connected(read_settings(), unlock=True) as parity:
        case = await parity.disputes.check_appeal(wanted)
        fields = _stakes(case, "lost if the second panel says the same; back if not")
        if not await agreed(
            parity,
            "Appeal a verdict",
            fields,
            lambda rehearsed: rehearsed.disputes.appeal(wanted),
            dry_run=dry_run,
            yes=yes,
            as_json=as_json,
            value=case,
        ):
            return
        with progress("appealing"):
            done = await parity.disputes.appeal(wanted)
    text = [f"appealed in block {done.block}, transaction {done.transaction_hash}"]
    Printer(as_json=as_json).result(done, text=text)


def _stakes(case: "Case", fate: str) -> Fields:
    return [
        ("task", "0x" + case.task_id.hex()),
        ("at stake", f"{format_usdfc(case.bond)} USDFC of your free balance, {fate}"),
        ("until", f"block {case.deadline} (now {case.block})"),
    ]


def _case_lines(case: "Case") -> list[str]:
    fields: list[tuple[str, str]] = [
        ("task", "0x" + case.task_id.hex()),
        ("stage", f"{case.stage.name.lower()}: {_STAGES[case.stage]}"),
    ]
    if case.stage is not AuditStage.NONE:
        fields += [
            ("chance of an audit", f"{case.rate_bps / 100:g}%, drawn with block {case.draw_block}"),
            ("bond", f"{format_usdfc(case.bond)} USDFC for a challenge or an appeal"),
        ]
    if case.stage not in (AuditStage.NONE, AuditStage.CLOSED):
        fields.append(("until", f"block {case.deadline} (now {case.block})"))
    parties = (("challenged by", case.challenger), ("appealed by", case.appellant))
    fields += [(name, who) for name, who in parties if who is not None]
    if case.valid is not None:
        doubt = "" if case.carried else ", for want of a majority"
        fields.append(("verdict", ("valid" if case.valid else "thrown out") + doubt))
    rows = [(str(v.round + 1), str(v.seat), v.node, _vote(v.valid)) for v in case.votes]
    votes = ["", *table(("PANEL", "SEAT", "AUDITOR", "VOTE"), rows)] if rows else []
    return [*aligned(fields), *votes]


def _vote(valid: bool | None) -> str:
    return "sealed" if valid is None else "valid" if valid else "not valid"
