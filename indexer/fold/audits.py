"""Fold the AuditCourt: cases, their panels and the auditors' votes. A case's id is its task's.

What auditors earn and lose comes from `Moved` lines of the task's own settlement; the wages that a forfeited challenge or appeal bond
pays are settled under refs of their own and show in the balances alone.
"""

from collections.abc import Callable, Mapping

from indexer.events import Event
from indexer.fold.audit_rows import Audit, AuditPanel, AuditRules, AuditVote
from indexer.fold.rows import Module, Task
from indexer.fold.state import Impossible, Keys, State
from indexer.fold.timeline import add_to_timeline
from protocol.enums import AuditStage

STAGES = {member.value: member.name.lower() for member in AuditStage}
ROUNDS = range(2)
SEATS = range(7)
"""Most seats of one panel, as the contracts have it."""


def needs(keys: Keys, event: Event) -> None:
    """Note the rows that folding the event looks at."""
    name, args = event.type.name, event.args
    if name == "RulesAdded":
        keys.audit_rules.add(args[0])
    elif name == "Wired":
        keys.modules.add((event.log.address, args[0]))
    else:
        keys.tasks.add(args[0])
        keys.audits.add(args[0])


def places(task_id: bytes) -> list[tuple[bytes, int, int]]:
    """List where votes of a case may be."""
    return [(task_id, number, seat) for number in ROUNDS for seat in SEATS]


def vote_of(
    state: State, task_id: bytes, *, node: bytes | None = None, owner: bytes | None = None
) -> AuditVote | None:
    """Find a node's or an owner's vote in a case: an owner has one seat in both panels together."""
    if state.audits.find(task_id) is None:
        return None
    for place in places(task_id):
        vote = state.audit_votes.find(place)
        if vote is not None and (vote.node == node or vote.owner == owner):
            return vote
    return None


def mark_outcome(state: State, event: Event, task_id: bytes, node: bytes, *, outcome: str) -> bool:
    """Note what an auditor's seat came to; False when the node has none in this case."""
    vote = vote_of(state, task_id, node=node)
    if vote is None:
        return False
    vote.outcome = outcome
    _put_vote(state, event, vote)
    return True


def settle_auditor(state: State, event: Event, task: Task, vote: AuditVote) -> None:
    """Fold an auditor's line of its task's settlement. Of a valid answer that nobody challenged, the first panel lives on the pay."""
    _ref, _who, pay, _unlock, slash = event.args
    audit = _audit(state, task.task_id)
    vote.paid += pay
    vote.slashed += slash
    if audit.valid and audit.challenger is None and vote.round == 0:
        task.returned -= pay
        audit.fees += pay
        task.updated_block = audit.updated_block = event.log.block_number
        state.tasks.put(task.task_id, task)
        state.audits.put(task.task_id, audit)
    _put_vote(state, event, vote)


def _put_vote(state: State, event: Event, vote: AuditVote) -> None:
    vote.updated_block = event.log.block_number
    state.audit_votes.put((vote.task_id, vote.round, vote.seat), vote)


def _audit(state: State, task_id: bytes) -> Audit:
    audit = state.audits.find(task_id)
    if audit is None:
        raise Impossible(f"task 0x{task_id.hex()} was never revealed to the court")
    return audit


def _panel(state: State, task_id: bytes, number: int) -> AuditPanel:
    panel = state.audit_panels.find((task_id, number))
    if panel is None:
        raise Impossible(f"panel {number} of task 0x{task_id.hex()} was never convened")
    return panel


def _put(state: State, event: Event, audit: Audit) -> None:
    audit.updated_block = event.log.block_number
    state.audits.put(audit.task_id, audit)


def _put_panel(state: State, event: Event, panel: AuditPanel) -> None:
    panel.updated_block = event.log.block_number
    state.audit_panels.put((panel.task_id, panel.round), panel)


def _opened(state: State, event: Event) -> None:
    task_id, node, rate_bps, draw_block = event.args
    task = state.tasks.find(task_id)
    if task is None or state.audits.find(task_id) is not None:
        raise Impossible(f"task 0x{task_id.hex()} was never submitted, or revealed before")
    block = event.log.block_number
    audit = Audit(
        task_id=task_id,
        node=node,
        rate_bps=rate_bps,
        draw_block=draw_block,
        stage="open",
        deadline=0,
        audited=None,
        challenger=None,
        appellant=None,
        bond=task.bond,
        valid=None,
        fees=0,
        opened_block=block,
        closed_block=None,
        updated_block=block,
    )
    state.audits.put(task_id, audit)
    state.audit_panels.learn([(task_id, number) for number in ROUNDS], {})
    state.audit_votes.learn(places(task_id), {})
    add_to_timeline(state, event, task_id, node=node, rateBps=rate_bps, drawBlock=draw_block)


def _drawn(state: State, event: Event) -> None:
    task_id, audited = event.args
    audit = _audit(state, task_id)
    audit.audited = audited
    _put(state, event, audit)
    add_to_timeline(state, event, task_id, audited=_word(audited))


def _challenged(state: State, event: Event) -> None:
    task_id, challenger, bond = event.args
    audit = _audit(state, task_id)
    audit.challenger = challenger
    _put(state, event, audit)
    add_to_timeline(state, event, task_id, challenger=challenger, bond=bond)


def _appealed(state: State, event: Event) -> None:
    task_id, appellant, bond = event.args
    audit = _audit(state, task_id)
    audit.appellant = appellant
    _put(state, event, audit)
    add_to_timeline(state, event, task_id, appellant=appellant, bond=bond)


def _stage_changed(state: State, event: Event) -> None:
    task_id, code, deadline = event.args
    audit = _audit(state, task_id)
    audit.stage = STAGES[code]
    audit.deadline = deadline
    _put(state, event, audit)
    add_to_timeline(state, event, task_id, stage=audit.stage, deadline=deadline)


def _convened(state: State, event: Event) -> None:
    task_id, number, size, seed_block = event.args
    _audit(state, task_id)
    block = event.log.block_number
    panel = AuditPanel(task_id, number, size, seed_block, 0, 0, None, None, block, block)
    state.audit_panels.put((task_id, number), panel)
    add_to_timeline(state, event, task_id, round=number, size=size, seedBlock=seed_block)


def _sealed(state: State, event: Event) -> None:
    task_id, node, owner, number, seat, commitment = event.args
    panel = _panel(state, task_id, number)
    if seat != panel.seated or seat >= panel.size:
        raise Impossible(
            f"auditor's seat {seat} of task 0x{task_id.hex()} follows {panel.seated} of {panel.size}"
        )
    panel.seated += 1
    _put_panel(state, event, panel)
    vote = AuditVote(
        task_id=task_id,
        round=number,
        seat=seat,
        node=node,
        owner=owner,
        commitment=commitment,
        valid=None,
        evidence=None,
        outcome=None,
        paid=0,
        slashed=0,
        sealed_block=event.log.block_number,
        opened_block=None,
        updated_block=event.log.block_number,
    )
    state.audit_votes.put((task_id, number, seat), vote)
    add_to_timeline(state, event, task_id, node=node, owner=owner, round=number, seat=seat)


def _vote_opened(state: State, event: Event) -> None:
    task_id, node, number, seat, valid, evidence = event.args
    panel = _panel(state, task_id, number)
    vote = state.audit_votes.find((task_id, number, seat))
    if vote is None or vote.node != node or vote.valid is not None:
        raise Impossible(f"vote {seat} of task 0x{task_id.hex()} is not 0x{node.hex()}'s to open")
    panel.opened += 1
    _put_panel(state, event, panel)
    vote.valid = valid
    vote.evidence = evidence if any(evidence) else None
    vote.opened_block = event.log.block_number
    _put_vote(state, event, vote)
    add_to_timeline(
        state, event, task_id, node=node, round=number, seat=seat, valid=_word(valid), evidence=evidence
    )


def _verdict(state: State, event: Event) -> None:
    task_id, number, valid, carried = event.args
    panel = _panel(state, task_id, number)
    panel.valid = valid
    panel.carried = carried
    _put_panel(state, event, panel)
    add_to_timeline(state, event, task_id, round=number, valid=_word(valid), carried=_word(carried))


def _closed(state: State, event: Event) -> None:
    task_id, valid = event.args
    audit = _audit(state, task_id)
    audit.valid = valid
    audit.closed_block = event.log.block_number
    _put(state, event, audit)
    add_to_timeline(state, event, task_id, valid=_word(valid))


def _rules_added(state: State, event: Event) -> None:
    params_id = event.args[0]
    if state.audit_rules.find(params_id) is not None:
        raise Impossible(f"audit rules of parameter version {params_id} were added before")
    block = event.log.block_number
    fields = AuditRules.__struct_fields__
    state.audit_rules.put(
        params_id, AuditRules(**dict(zip(fields, (*event.args, block, block), strict=True)))
    )


def _wired(state: State, event: Event) -> None:
    (module,) = event.args
    contract = event.log.address
    state.modules.put((contract, module), Module(contract, module, event.log.block_number))


def _word(value: bool) -> str:
    return "true" if value else "false"


FOLDS: Mapping[str, Callable[[State, Event], None]] = {
    "CaseOpened": _opened,
    "AuditDrawn": _drawn,
    "Challenged": _challenged,
    "Appealed": _appealed,
    "StageChanged": _stage_changed,
    "PanelConvened": _convened,
    "VoteSealed": _sealed,
    "VoteOpened": _vote_opened,
    "VerdictReached": _verdict,
    "CaseClosed": _closed,
    "RulesAdded": _rules_added,
    "Wired": _wired,
}
