"""What the fold works on: rows in memory that remember which of them changed."""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, Generic, TypeVar

import msgspec

from indexer.fold.audit_rows import Audit, AuditPanel, AuditRules, AuditVote
from indexer.fold.governance_rows import ProposalEvent, ProposalVote
from indexer.fold.history import FIXED, kept_columns
from indexer.fold.monitoring_rows import Assignment, MonitoringVerdict, Report
from indexer.fold.monitoring_rows import Round as MonitoringRound
from indexer.fold.rows import (
    Balance,
    Channel,
    ClientEpoch,
    Module,
    Parameters,
    Pause,
    Reputation,
    ReputationEvent,
    Runner,
    Seat,
    Task,
    TaskEvent,
    Voucher,
)
from indexer.fold.session_rows import Participant, Round, Session, SessionEvent, SessionParameters

K = TypeVar("K", bound=Hashable)
R = TypeVar("R", bound=msgspec.Struct)
Record = tuple[Any, ...]


class Impossible(Exception):
    """The event cannot have happened in this state."""


class _Whole(dict[K, R | None]):
    """All rows that a table has: a key that is not there has no row. `absent` learns of those that were asked for."""

    def __init__(self, absent: set[K]) -> None:
        self._absent = absent

    def __missing__(self, key: K) -> None:
        self._absent.add(key)
        self[key] = None


class Rows(Generic[K, R]):
    """Rows of one table by key. A key is known (row or None) before the fold may ask for it, unless the table is whole."""

    def __init__(self, *, kept: tuple[str, ...] | None = None, whole: bool = False) -> None:
        """Make a table without rows. `kept` names the columns of its history, if it has one."""
        self._absent: set[K] = set()
        self._changed: dict[K, None] = {}
        self._image = attrgetter(*kept) if kept else None
        # With a history, what changed is collected block by block.
        self._touched: dict[K, None] = {} if kept else self._changed
        self._history: list[Record] = []
        self._know(_Whole(self._absent) if whole else {})

    def _know(self, rows: dict[K, R | None]) -> None:
        self._known = rows
        self.find = rows.__getitem__
        """Return the row or None; `KeyError` when nobody looked in the database for it: a gap in `needs`."""

    def put(self, key: K, row: R) -> R:
        """Note a new or changed row."""
        self._known[key] = row
        self._touched[key] = None
        return row

    def end_block(self) -> None:
        """Keep the rows that the block changed as they are at its end."""
        if self._touched and self._image is not None:
            self._history += map(self._image, map(self.find, self._touched))
            self._changed.update(self._touched)
            self._touched.clear()

    def take_history(self) -> list[Record]:
        """Return what was kept, once."""
        history, self._history = self._history, []
        return history

    def unknown(self, keys: Iterable[K]) -> list[K]:
        """List the keys that must be looked up first."""
        return [key for key in keys if key not in self._known]

    def learn(self, keys: Iterable[K], rows: Mapping[K, R]) -> None:
        """Take what the database has, or surely has not, for the keys."""
        for key in keys:
            self._known[key] = row = rows.get(key)
            if row is None:
                self._absent.add(key)

    def take_changed(self) -> tuple[list[Record], list[Record]]:
        """Return the rows that are new to the database, and those that it has in an older form; as records, once.

        Of whole blocks: what changed since the last block's end is not among them.
        """
        known, absent = self._known, self._absent
        new: list[Record] = []
        changed: list[Record] = []
        for key in self._changed:
            row = known[key]
            if row is not None:
                (new if key in absent else changed).append(msgspec.structs.astuple(row))
        absent.difference_update(self._changed)
        self._changed.clear()
        return new, changed

    def forget(self) -> None:
        """Drop everything; the caller has written what changed."""
        self._know({})
        self._changed.clear()
        self._absent.clear()
        self._touched.clear()
        self._history.clear()

    def __len__(self) -> int:
        """Count the known keys."""
        return len(self._known)


@dataclass(slots=True)
class Keys:
    """Keys of rows that events look at."""

    balances: set[bytes] = field(default_factory=set)
    tasks: set[bytes] = field(default_factory=set)
    runners: set[bytes] = field(default_factory=set)
    parameters: set[int] = field(default_factory=set)
    client_epochs: set[bytes] = field(default_factory=set)
    channels: set[bytes] = field(default_factory=set)
    modules: set[tuple[bytes, bytes]] = field(default_factory=set)
    pauses: set[bytes] = field(default_factory=set)
    sessions: set[bytes] = field(default_factory=set)
    session_parameters: set[int] = field(default_factory=set)
    monitoring_rounds: set[bytes] = field(default_factory=set)
    monitoring_duties: set[tuple[bytes, bytes]] = field(default_factory=set)
    monitoring_reports: set[tuple[bytes, bytes, bytes]] = field(default_factory=set)
    monitoring_verdicts: set[tuple[bytes, bytes]] = field(default_factory=set)
    audits: set[bytes] = field(default_factory=set)
    audit_rules: set[int] = field(default_factory=set)


@dataclass(slots=True)
class Changes:
    """What folding some events made: new, changed and past records by table, appended rows, documents to fetch."""

    new: dict[str, list[Record]]
    changed: dict[str, list[Record]]
    history: dict[str, list[Record]]
    task_events: list[TaskEvent]
    reputation_events: list[ReputationEvent]
    fl_events: list[SessionEvent]
    vouchers: list[Voucher]
    proposal_events: list[ProposalEvent]
    proposal_votes: list[ProposalVote]
    documents: dict[bytes, str]


class State:
    """All rows that the fold has in memory.

    `whole` says that the database has no others, as when it is empty at the start: nothing needs to be looked up then,
    until rows are first forgotten.
    """

    def __init__(self, *, whole: bool = False) -> None:
        self.is_whole = whole
        self.balances: Rows[bytes, Balance] = Rows(kept=kept_columns("balances"), whole=whole)
        self.tasks: Rows[bytes, Task] = Rows(kept=kept_columns("tasks"), whole=whole)
        self.seats: Rows[tuple[bytes, int], Seat] = Rows(kept=kept_columns("task_seats"), whole=whole)
        self.runners: Rows[bytes, Runner] = Rows(kept=kept_columns("runners"), whole=whole)
        self.reputations: Rows[bytes, Reputation] = Rows(kept=kept_columns("runner_reputation"), whole=whole)
        self.parameters: Rows[int, Parameters] = Rows(whole=whole)
        self.client_epochs: Rows[bytes, ClientEpoch] = Rows(whole=whole)
        self.channels: Rows[bytes, Channel] = Rows(kept=kept_columns("channels"), whole=whole)
        self.modules: Rows[tuple[bytes, bytes], Module] = Rows(whole=whole)
        self.pauses: Rows[bytes, Pause] = Rows(whole=whole)
        self.sessions: Rows[bytes, Session] = Rows(whole=whole)
        self.rounds: Rows[tuple[bytes, int], Round] = Rows(whole=whole)
        self.participants: Rows[tuple[bytes, int], Participant] = Rows(whole=whole)
        self.session_parameters: Rows[int, SessionParameters] = Rows(whole=whole)
        self.monitoring_rounds: Rows[bytes, MonitoringRound] = Rows(whole=whole)
        self.monitoring_duties: Rows[tuple[bytes, bytes], Assignment] = Rows(whole=whole)
        self.monitoring_reports: Rows[tuple[bytes, bytes, bytes], Report] = Rows(whole=whole)
        self.monitoring_verdicts: Rows[tuple[bytes, bytes], MonitoringVerdict] = Rows(whole=whole)
        self.audits: Rows[bytes, Audit] = Rows(whole=whole)
        self.audit_panels: Rows[tuple[bytes, int], AuditPanel] = Rows(whole=whole)
        self.audit_votes: Rows[tuple[bytes, int, int], AuditVote] = Rows(whole=whole)
        self.audit_rules: Rows[int, AuditRules] = Rows(whole=whole)
        self._with_history = tuple(self.tables()[name] for name in FIXED)
        self._start_lists()

    def _start_lists(self) -> None:
        self.task_events: list[TaskEvent] = []
        self.reputation_events: list[ReputationEvent] = []
        self.session_events: list[SessionEvent] = []
        self.vouchers: list[Voucher] = []
        self.proposal_events: list[ProposalEvent] = []
        self.proposal_votes: list[ProposalVote] = []
        self.documents: dict[bytes, str] = {}

    def tables(self) -> dict[str, Rows[Any, Any]]:
        """Map table names to their rows."""
        return {
            "balances": self.balances,
            "tasks": self.tasks,
            "task_seats": self.seats,
            "runners": self.runners,
            "runner_reputation": self.reputations,
            "parameters": self.parameters,
            "client_epochs": self.client_epochs,
            "channels": self.channels,
            "modules": self.modules,
            "pauses": self.pauses,
            "federated_learning_sessions": self.sessions,
            "fl_rounds": self.rounds,
            "fl_participants": self.participants,
            "session_parameters": self.session_parameters,
            "monitoring_epochs": self.monitoring_rounds,
            "monitoring_assignments": self.monitoring_duties,
            "monitoring_reports": self.monitoring_reports,
            "monitoring_verdicts": self.monitoring_verdicts,
            "audits": self.audits,
            "audit_panels": self.audit_panels,
            "audit_votes": self.audit_votes,
            "audit_rules": self.audit_rules,
        }

    def end_block(self) -> None:
        """Note that all events of a block are folded."""
        for rows in self._with_history:
            rows.end_block()

    def take_changes(self) -> Changes:
        """Return everything that changed since the last call, as values that later folding does not touch."""
        taken = {name: rows.take_changed() for name, rows in self.tables().items()}
        changes = Changes(
            new={name: new for name, (new, _) in taken.items() if new},
            changed={name: changed for name, (_, changed) in taken.items() if changed},
            history={name: past for name in FIXED if (past := self.tables()[name].take_history())},
            task_events=self.task_events,
            reputation_events=self.reputation_events,
            fl_events=self.session_events,
            vouchers=self.vouchers,
            proposal_events=self.proposal_events,
            proposal_votes=self.proposal_votes,
            documents=self.documents,
        )
        self._start_lists()
        return changes

    def forget(self) -> None:
        """Drop everything, written or not."""
        self.is_whole = False
        for rows in self.tables().values():
            rows.forget()
        self._start_lists()

    def __len__(self) -> int:
        """Count the rows in memory."""
        return sum(len(rows) for rows in self.tables().values())
