"""Rows of the tables about audits. Fields are the tables' columns, in their order."""

import msgspec


class AuditRules(msgspec.Struct, gc=False):
    """Table `audit_rules`; amounts in USDFC base units, shares in basis points."""

    params_id: int
    min_bond: int
    min_audit_bps: int
    max_audit_bps: int
    audit_fee_bps: int
    risk_multiple: int
    appeal_size: int
    added_block: int
    updated_block: int


class Audit(msgspec.Struct, gc=False):
    """Table `audits`; amounts in USDFC base units."""

    task_id: bytes
    node: bytes
    rate_bps: int
    draw_block: int
    stage: str
    deadline: int
    audited: bool | None
    challenger: bytes | None
    appellant: bytes | None
    bond: int
    valid: bool | None
    fees: int
    opened_block: int
    closed_block: int | None
    updated_block: int


class AuditPanel(msgspec.Struct, gc=False):
    """Table `audit_panels`."""

    task_id: bytes
    round: int
    size: int
    seed_block: int
    seated: int
    opened: int
    valid: bool | None
    carried: bool | None
    convened_block: int
    updated_block: int


class AuditVote(msgspec.Struct, gc=False):
    """Table `audit_votes`; amounts in USDFC base units."""

    task_id: bytes
    round: int
    seat: int
    node: bytes
    owner: bytes
    commitment: bytes
    valid: bool | None
    evidence: bytes | None
    outcome: str | None
    paid: int
    slashed: int
    sealed_block: int
    opened_block: int | None
    updated_block: int
