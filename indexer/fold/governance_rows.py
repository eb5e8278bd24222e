"""Rows of the tables of governance. Fields are the tables' columns, in their order."""

from datetime import datetime

import msgspec


class ProposalEvent(msgspec.Struct, frozen=True, gc=False):
    """Table `proposal_events`; `data` is JSON text."""

    proposal_id: int
    block_number: int
    tx_index: int
    log_index: int
    tx_hash: bytes
    block_time: datetime
    name: str
    data: str


class ProposalVote(msgspec.Struct, frozen=True, gc=False):
    """Table `proposal_votes`; the weight in base units of the vote token."""

    proposal_id: int
    voter: bytes
    support: str
    weight: int
    reason: str
    params: bytes
    block_number: int
    tx_index: int
    log_index: int
    tx_hash: bytes
    block_time: datetime
