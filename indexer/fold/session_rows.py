"""Rows of the tables about learning sessions. Fields are the tables' columns, in their order."""

from datetime import datetime

import msgspec


class Session(msgspec.Struct, gc=False):
    """Table `federated_learning_sessions`; amounts in USDFC base units."""

    session_id: bytes
    creator: bytes
    payer: bytes
    budget: int
    reward: int
    aggregation_reward: int
    bond: int
    aggregation_bond: int
    rounds: int
    min_participants: int
    max_participants: int
    threshold: int
    replicas: int
    quorum: int
    secure: bool
    private_data: bool
    params_id: int
    task_params_id: int
    join_by: int
    train_for: int
    reveal_for: int
    retention: int
    config: bytes
    salt: bytes
    purse: bytes
    seed_block: int
    phase: str
    deadline: int
    round: int
    attempts: int
    members: int
    expected: int
    acted: int
    closing: bool
    model: bytes | None
    task_id: bytes | None
    finished: int
    paid: int
    fees: int
    tips: int
    slashed: int
    returned: int
    created_block: int
    created_tx: bytes
    created_at: datetime
    ended_block: int | None
    ended_tx: bytes | None
    ended_at: datetime | None
    updated_block: int


class Round(msgspec.Struct, gc=False):
    """Table `fl_rounds`; amounts in USDFC base units."""

    session_id: bytes
    round: int
    status: str
    attempts: int
    base: bytes | None
    contributions: int
    task_id: bytes | None
    spec: bytes | None
    model: bytes | None
    manifest: bytes | None
    accepted: int | None
    accepted_count: int
    paid_slots: int | None
    pay: int
    fee: int
    stop: bool
    started_block: int
    started_at: datetime
    settled_block: int | None
    settled_tx: bytes | None
    settled_at: datetime | None
    updated_block: int


class Participant(msgspec.Struct, gc=False):
    """Table `fl_participants`; amounts in USDFC base units."""

    session_id: bytes
    slot: int
    node: bytes
    owner: bytes
    key: bytes
    status: str
    acted_phase: str | None
    last_digest: bytes | None
    samples: int | None
    contributions: int
    accepted: int
    missed: int
    caught_round: int | None
    paid: int
    slashed: int
    joined_block: int
    joined_tx: bytes
    updated_block: int


class SessionParameters(msgspec.Struct, gc=False):
    """Table `session_parameters`; windows in blocks, shares in basis points, the tip in USDFC base units."""

    params_id: int
    tip: int
    min_window: int
    max_window: int
    max_join_for: int
    claim_for: int
    open_for: int
    maturity: int
    fee_bps: int
    miss_bps: int
    burn_bps: int
    max_misses: int
    max_attempts: int
    max_participants: int
    added_block: int
    updated_block: int


class SessionEvent(msgspec.Struct, frozen=True, gc=False):
    """Table `fl_events`; `data` is JSON text."""

    session_id: bytes
    block_number: int
    tx_index: int
    log_index: int
    tx_hash: bytes
    block_time: datetime
    name: str
    node: bytes | None
    data: str
