"""Rows of the folded tables. Fields are the tables' columns, in their order."""

from datetime import datetime

import msgspec

START_SCORE = 500_000
"""Score of a new runner, in millionths."""


class Balance(msgspec.Struct, gc=False):
    """Table `balances`; amounts in USDFC base units."""

    account: bytes
    free: int = 0
    escrowed: int = 0
    bonded: int = 0
    locked: int = 0
    unbonding: int = 0
    release_block: int = 0
    updated_block: int = 0


class Task(msgspec.Struct, gc=False):
    """Table `tasks`; amounts in USDFC base units."""

    task_id: bytes
    client: bytes
    payer: bytes
    reward: int
    bond: int
    input_price: int
    output_price: int
    params_id: int
    replicas: int
    quorum: int
    mode: str
    status: str
    claim_by: int
    retention: int
    client_epoch: int
    spec: bytes
    salt: bytes
    seed_block: int
    deadline: int
    claimed: int
    committed: int
    revealed: int
    result: bytes | None
    winners: int | None
    paid: int
    fee: int
    returned: int
    slashed: int
    created_block: int
    created_tx: bytes
    created_at: datetime
    settled_block: int | None
    settled_tx: bytes | None
    settled_at: datetime | None
    updated_block: int


class Seat(msgspec.Struct, gc=False):
    """Table `task_seats`; amounts in USDFC base units."""

    task_id: bytes
    seat: int
    node: bytes
    owner: bytes
    state: str
    commitment: bytes | None
    result: bytes | None
    fingerprint: bytes | None
    input_tokens: int | None
    output_tokens: int | None
    outcome: str | None
    paid: int
    slashed: int
    claimed_block: int
    claimed_tx: bytes
    committed_tx: bytes | None
    revealed_tx: bytes | None
    updated_block: int


class Runner(msgspec.Struct, gc=False):
    """Table `runners`."""

    node: bytes
    owner: bytes
    label: bytes
    profile: bytes
    status: str
    registered_block: int
    banned_until: int
    suspended_until: int
    strikes: int
    updated_block: int


class Reputation(msgspec.Struct, gc=False):
    """Table `runner_reputation`; the score in millionths."""

    node: bytes
    score: int = START_SCORE
    right: int = 0
    wrong: int = 0
    missed: int = 0
    monitor_missed: int = 0
    wrong_streak: int = 0
    updated_block: int = 0


class Parameters(msgspec.Struct, gc=False):
    """Table `parameters`; windows in blocks, shares in basis points."""

    params_id: int
    commit_for: int
    reveal_for: int
    challenge_for: int
    panel_for: int
    max_claim_for: int
    maturity: int
    fee_bps: int
    wrong_bps: int
    miss_bps: int
    payer_bps: int
    burn_bps: int
    challenger_bps: int
    panel_size: int
    max_replicas: int
    added_block: int
    updated_block: int


class ClientEpoch(msgspec.Struct, gc=False):
    """Table `client_epochs`."""

    client: bytes
    epoch: int
    updated_block: int


class Module(msgspec.Struct, gc=False):
    """Table `modules`."""

    contract: bytes
    module: bytes
    updated_block: int


class Pause(msgspec.Struct, gc=False):
    """Table `pauses`."""

    target: bytes
    paused_until: int
    pausable_from: int
    updated_block: int


class Channel(msgspec.Struct, gc=False):
    """Table `channels`; amounts in USDFC base units."""

    channel_id: bytes
    payer: bytes
    node: bytes
    owner: bytes
    amount: int
    deposited: int
    redeemed: int
    returned: int
    status: str
    close_delay: int
    open_by: int
    salt: bytes
    closes_at: int | None
    opened_block: int
    opened_tx: bytes
    opened_at: datetime
    closed_block: int | None
    closed_tx: bytes | None
    closed_at: datetime | None
    updated_block: int


class Voucher(msgspec.Struct, frozen=True, gc=False):
    """Table `vouchers`; amounts in USDFC base units."""

    channel_id: bytes
    payer: bytes
    node: bytes
    owner: bytes
    amount: int
    cumulative: int
    block_number: int
    tx_index: int
    log_index: int
    place: int
    tx_hash: bytes
    block_time: datetime


class TaskEvent(msgspec.Struct, frozen=True, gc=False):
    """Table `task_events`; `data` is JSON text."""

    task_id: bytes
    block_number: int
    tx_index: int
    log_index: int
    tx_hash: bytes
    block_time: datetime
    name: str
    node: bytes | None
    data: str


class ReputationEvent(msgspec.Struct, frozen=True, gc=False):
    """Table `reputation_events`; the score in millionths."""

    node: bytes
    ref: bytes
    outcome: str
    score: int
    block_number: int
    tx_index: int
    log_index: int
    tx_hash: bytes
    block_time: datetime
