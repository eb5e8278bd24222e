"""Rows of the tables about peer monitoring. Fields are the tables' columns, in their order."""

from datetime import datetime

import msgspec


class Round(msgspec.Struct, gc=False):
    """Table `monitoring_epochs`: what was drawn once, for an epoch or for the judges of a challenge."""

    round: bytes
    epoch: int | None
    seed_block: int
    seed: bytes
    active: int
    opened_block: int
    opened_at: datetime
    updated_block: int


class Assignment(msgspec.Struct, gc=False):
    """Table `monitoring_assignments`: how a monitor did its duty in a round."""

    round: bytes
    monitor: bytes
    commitment: bytes | None = None
    committed_block: int | None = None
    committed_tx: bytes | None = None
    revealed_block: int | None = None
    revealed_tx: bytes | None = None
    reports: int = 0
    mark: str | None = None
    mark_target: bytes | None = None
    mark_block: int | None = None
    updated_block: int = 0


class Report(msgspec.Struct, gc=False):
    """Table `monitoring_reports`."""

    round: bytes
    target: bytes
    monitor: bytes
    kind: str
    evidence: bytes
    counted: bool
    revealed_block: int
    revealed_tx: bytes
    revealed_at: datetime
    updated_block: int


class MonitoringVerdict(msgspec.Struct, gc=False):
    """Table `monitoring_verdicts`."""

    round: bytes
    target: bytes
    epoch: int
    ruling: str
    kind: str
    agreeing: int
    reports: int
    concluded_block: int
    concluded_at: datetime
    challenge_round: bytes | None
    challenger: bytes | None
    challenged_block: int | None
    judged_kind: str | None
    judged_agreeing: int | None
    judged_reports: int | None
    resolved_block: int | None
    updated_block: int
