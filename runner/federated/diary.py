"""What this runner has promised in learning sessions: SQLite, written before anybody else hears of it.

A file of its own beside the journal: updates are long, and are deleted when their session is over.
"""

import json
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from protocol.commitment import new_salt
from protocol.session import SessionOrder
from runner.errors import JournalError
from runner.federated.board import Created

_SCHEMA = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sessions (
    session BLOB PRIMARY KEY, terms TEXT NOT NULL, purse TEXT NOT NULL, created_block INTEGER NOT NULL,
    stage TEXT NOT NULL, reason TEXT NOT NULL DEFAULT '', secret BLOB, slot INTEGER, phase TEXT NOT NULL DEFAULT '',
    round INTEGER NOT NULL DEFAULT 0, earned TEXT NOT NULL DEFAULT '0', updated_at REAL NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS contributions (
    session BLOB, round INTEGER, paper BLOB NOT NULL, content BLOB NOT NULL, samples INTEGER NOT NULL,
    variate BLOB, residual BLOB, salt BLOB NOT NULL, PRIMARY KEY (session, round)
) STRICT;
CREATE TRIGGER IF NOT EXISTS contributions_stand BEFORE UPDATE ON contributions
BEGIN SELECT RAISE(ABORT, 'a recorded contribution and its salt never change'); END;
CREATE TABLE IF NOT EXISTS secrets (
    session BLOB, round INTEGER, attempt INTEGER, samples INTEGER NOT NULL DEFAULT 0, state BLOB NOT NULL,
    PRIMARY KEY (session, round, attempt)
) STRICT;
CREATE TABLE IF NOT EXISTS hand_ins (
    session BLOB, round INTEGER, attempt INTEGER, trained_for INTEGER, salt BLOB NOT NULL,
    PRIMARY KEY (session, round, attempt)
) STRICT;
CREATE TRIGGER IF NOT EXISTS hand_ins_stand BEFORE UPDATE ON hand_ins
BEGIN SELECT RAISE(ABORT, 'what was handed in never changes'); END;
DROP TABLE IF EXISTS progress;
CREATE TABLE IF NOT EXISTS results (
    session BLOB, round INTEGER, card BLOB, progress BLOB NOT NULL, PRIMARY KEY (session, round, card)
) STRICT;
"""
_ROW = "session, terms, purse, created_block, stage, reason, secret, slot, phase, round, earned"


class Standing(StrEnum):
    """What a session is to this runner."""

    SEEN = "seen"
    JOINING = "joining"
    JOINED = "joined"
    REFUSED = "refused"
    OVER = "over"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A session in the diary. `secret` is this node's X25519 key for it; `earned` is in USDFC base units."""

    session: bytes
    order: SessionOrder
    purse: str
    created_block: int
    stage: Standing
    reason: str
    secret: bytes | None
    slot: int | None
    phase: str
    round: int
    earned: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A finished contribution: its paper, the bytes that the paper names, and the salt of its one commitment."""

    paper: bytes
    content: bytes
    samples: int
    variate: bytes | None
    residual: bytes | None
    salt: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class HandIn:
    """What is handed in in a round of an asynchronous session: the training for chain round `trained_for`, or nothing yet.

    `salt` is of the commitment to nothing.
    """

    trained_for: int | None
    salt: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What this runner found a chain round to come to: the digest of its card, and the progress after it.

    It need not be what the chain has: others may have been able to fetch more, and a reorganisation replaces what was published.
    """

    round: int
    card: bytes
    progress: bytes


class Diary:
    """The diary of one node key on one chain. Whoever holds the journal's lock writes; anybody may read."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._database.row_factory = sqlite3.Row

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open the diary at `path`, made on first use with mode 0600; `JournalError` says why it cannot be."""
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            database = sqlite3.connect(path, isolation_level=None, timeout=10)
            database.execute("PRAGMA journal_mode=WAL")
            database.execute("PRAGMA synchronous=FULL")
            database.executescript(_SCHEMA)
        except (sqlite3.DatabaseError, OSError) as error:
            raise JournalError(
                f"{path}: cannot be used as a diary of learning sessions ({error})",
                hint="Check disk space and permissions. Keep the file: it holds unrevealed contributions.",
            ) from error
        return cls(database)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Open the diary at `path` to look only, whether its daemon runs or not."""
        return cls(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, isolation_level=None, timeout=10))

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def fact(self, name: str) -> str | None:
        """Read a named fact."""
        row = self._database.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row["value"])

    def set_fact(self, name: str, value: str) -> None:
        """Write a named fact."""
        self._database.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))

    # Sessions

    def see(self, created: Created) -> bool:
        """Record a session at first sight, and say whether it is new. A reorganisation may move its block."""
        row = (
            created.session,
            order_text(created.order),
            created.purse,
            created.block,
            Standing.SEEN,
            time.time(),
        )
        cursor = self._database.execute(
            "INSERT INTO sessions (session, terms, purse, created_block, stage, updated_at) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (session) DO UPDATE SET created_block = min(created_block, excluded.created_block)"
            " WHERE created_block > excluded.created_block",
            row,
        )
        return cursor.rowcount > 0

    def entry(self, session: bytes) -> Entry:
        """Read one session; KeyError if it was never seen."""
        return next(self._entries("WHERE session = ?", session), None) or _missing(session)

    def by_purse(self, purse: str) -> Entry | None:
        """Return the session of a purse."""
        return next(self._entries("WHERE purse = ?", purse), None)

    def live(self) -> list[Entry]:
        """List the sessions that are not over, oldest first."""
        return list(self._entries("WHERE stage <> 'over' ORDER BY created_block, session"))

    def recent(self, limit: int) -> list[Entry]:
        """List the sessions touched last, newest first."""
        return list(self._entries("ORDER BY updated_at DESC LIMIT ?", limit))

    def joined(self) -> int:
        """Count the sessions in which this runner has, or reaches for, a slot."""
        return sum(entry.stage in (Standing.JOINING, Standing.JOINED) for entry in self.live())

    def note(self, session: bytes, **columns: Any) -> None:
        """Write what has changed about a session: stage, reason, slot, phase, round, earned."""
        now = self._database.execute("SELECT * FROM sessions WHERE session = ?", (session,)).fetchone()
        changed = {name: value for name, value in columns.items() if now[name] != value}
        if changed:
            names = ", ".join(f"{name} = ?" for name in changed)
            self._database.execute(
                f"UPDATE sessions SET {names}, updated_at = ? WHERE session = ?",  # noqa: S608 (our own column names)
                (*changed.values(), time.time(), session),
            )

    def secret(self, session: bytes, fresh: bytes) -> bytes:
        """Return this node's secret for a session: `fresh` becomes it where there is none."""
        self._database.execute(
            "UPDATE sessions SET secret = coalesce(secret, ?) WHERE session = ?", (fresh, session)
        )
        return bytes(self.entry(session).secret or b"")

    def forget(self, session: bytes) -> None:
        """Delete what only a running session needs."""
        with self._together():
            for table in ("contributions", "hand_ins", "secrets", "results"):
                self._database.execute(f"DELETE FROM {table} WHERE session = ?", (session,))  # noqa: S608 (named above)

    # What was promised

    def contribution(self, session: bytes, round_: int) -> Kept | None:
        """Read this runner's contribution to a round."""
        row = self._database.execute(
            "SELECT * FROM contributions WHERE session = ? AND round = ?", (session, round_)
        ).fetchone()
        if row is None:
            return None
        names = ("paper", "content", "samples", "variate", "residual", "salt")
        return Kept(**{name: row[name] for name in names})

    def promise(
        self, session: bytes, round_: int, *, paper: bytes, content: bytes, samples: int, **kept: bytes | None
    ) -> Kept:
        """Record a contribution with a fresh salt, once: a second call changes nothing. Gives what counts."""
        row = (
            session,
            round_,
            paper,
            content,
            samples,
            kept.get("variate"),
            kept.get("residual"),
            new_salt(),
        )
        self._database.execute(
            "INSERT INTO contributions VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", row
        )
        found = self.contribution(session, round_)
        assert found is not None
        return found

    def last_trained_for(self, session: bytes) -> int | None:
        """Return the latest round for which this runner has finished a training."""
        row = self._database.execute(
            "SELECT max(round) AS latest FROM contributions WHERE session = ?", (session,)
        ).fetchone()
        return None if row["latest"] is None else int(row["latest"])

    def hand_in(self, session: bytes, round_: int, attempt: int) -> HandIn | None:
        """Read what this runner hands in in an attempt."""
        row = self._database.execute(
            "SELECT trained_for, salt FROM hand_ins WHERE session = ? AND round = ? AND attempt = ?",
            (session, round_, attempt),
        ).fetchone()
        return None if row is None else HandIn(trained_for=row["trained_for"], salt=row["salt"])

    def choose(self, session: bytes, round_: int, attempt: int, *, trained_for: int | None) -> HandIn:
        """Record what is handed in in an attempt, once: a second call changes nothing. Gives what counts."""
        self._database.execute(
            "INSERT INTO hand_ins VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (session, round_, attempt, trained_for, new_salt()),
        )
        found = self.hand_in(session, round_, attempt)
        assert found is not None
        return found

    def state(self, session: bytes, round_: int, attempt: int) -> tuple[bytes, int] | None:
        """Read the state of secure aggregation in an attempt, and the samples of its masked update."""
        row = self._database.execute(
            "SELECT state, samples FROM secrets WHERE session = ? AND round = ? AND attempt = ?",
            (session, round_, attempt),
        ).fetchone()
        return None if row is None else (bytes(row["state"]), int(row["samples"]))

    def keep_state(
        self, session: bytes, round_: int, attempt: int, *, state: bytes, samples: int = 0
    ) -> None:
        """Write the state of secure aggregation in an attempt."""
        self._database.execute(
            "INSERT OR REPLACE INTO secrets VALUES (?, ?, ?, ?, ?)",
            (session, round_, attempt, samples, state),
        )

    def results(self, session: bytes, *, before: int) -> list[Result]:
        """List what this runner found rounds before chain round `before` to come to, the latest first."""
        rows = self._database.execute(
            "SELECT round, card, progress FROM results WHERE session = ? AND round < ? ORDER BY round DESC",
            (session, before),
        )
        return [Result(**row) for row in rows]

    def keep_result(self, session: bytes, result: Result) -> None:
        """Write what a round came to; of earlier ones only the last is needed, in case this one is aggregated again."""
        row = (session, result.round, result.card, result.progress)
        with self._together():
            self._database.execute(
                "DELETE FROM results WHERE session = ? AND round < ?", (session, result.round - 1)
            )
            self._database.execute("INSERT OR REPLACE INTO results VALUES (?, ?, ?, ?)", row)

    @contextmanager
    def _together(self) -> Iterator[None]:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")

    def _entries(self, where: str, *arguments: object) -> Iterator[Entry]:
        for row in self._database.execute(f"SELECT {_ROW} FROM sessions {where}", arguments):  # noqa: S608 (ours)
            yield Entry(
                session=bytes(row["session"]),
                order=order_of_text(row["terms"]),
                purse=row["purse"],
                created_block=row["created_block"],
                stage=Standing(row["stage"]),
                reason=row["reason"],
                secret=row["secret"],
                slot=row["slot"],
                phase=row["phase"],
                round=row["round"],
                earned=int(row["earned"]),
            )


def diary_path(journal: Path) -> Path:
    """Name the diary that belongs to a journal."""
    return journal.with_name(journal.name.replace("journal", "learning", 1))


def order_text(order: SessionOrder) -> str:
    """Write an order as the diary keeps it."""
    return json.dumps(order.to_json())


def order_of_text(text: str) -> SessionOrder:
    """Read what `order_text` wrote."""
    return SessionOrder.from_json(json.loads(text))


def _missing(session: bytes) -> Entry:
    raise KeyError(session.hex())
