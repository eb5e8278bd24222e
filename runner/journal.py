"""What this runner has promised, on disk before anybody else hears of it.

SQLite in WAL mode with `synchronous=FULL`: a call that returned survives kill -9 and a power cut. Calls block for the
length of one fsync (about a millisecond), which is shorter than a hop to a thread would be worth.
"""

import fcntl
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Self

from protocol.commitment import new_salt
from protocol.enums import TaskStatus
from protocol.order import Order
from runner.errors import JournalError
from runner.executors import Execution
from runner.jobs import Job, Stage, order_from_text, order_to_text

VERSION = 2
DRAIN = "drain"
"""Fact by which the owner asks a running daemon to drain."""
HEARTBEAT = "heartbeat"
"""Fact with the daemon's last account of itself."""
_LOCK_ATTEMPTS = 5
_LOCK_PAUSE_S = 0.1
_OVER = tuple(stage.value for stage in Stage if stage.is_over)


def journal_path(home: Path, *, chain_id: int, genesis_hash: str, node: str) -> Path:
    """Name the journal of one node key on one chain; a chain begun anew gets a new journal."""
    return home / f"journal-{chain_id}-{genesis_hash[2:10]}-{node[2:10].lower()}.sqlite"


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Jobs by stage, and what those that ended brought and cost, in base units."""

    stages: dict[str, int]
    paid: int
    slashed: int


class Journal:
    """The journal of one node key on one chain. One daemon at a time writes; anybody may read."""

    def __init__(self, database: sqlite3.Connection, *, lock: int | None) -> None:
        self._database = database
        self._lock = lock

    @classmethod
    def open(cls, path: Path, *, exclusive: bool = True) -> Self:
        """Open the journal at `path`, made on first use with mode 0600; `JournalError` says why it cannot be.

        `exclusive` is for the daemon: two daemons with one node key would break each other's promises.
        """
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = _lock(path) if exclusive else None
        database = None
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            with _turn_to_open(path):
                database = sqlite3.connect(path, isolation_level=None, timeout=10)
                database.row_factory = sqlite3.Row
                database.execute("PRAGMA journal_mode=WAL")
                database.execute("PRAGMA synchronous=FULL")
                _migrate(database, path)
        except (sqlite3.DatabaseError, OSError) as error:
            if database is not None:
                database.close()  # or what it has locked stays locked for as long as the error is held
            if lock is not None:
                os.close(lock)
            raise JournalError(
                f"{path}: cannot be used as a journal ({error})",
                hint="Check disk space and permissions. Keep the file: it holds unrevealed results.",
            ) from error
        return cls(database, lock=lock)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Open the journal at `path` to look only, while its daemon starts, runs or is gone; `JournalError`.

        It takes no lock and makes no table: a daemon that finds its new file locked could not start.
        """
        database = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, isolation_level=None, timeout=10)
        database.row_factory = sqlite3.Row
        try:
            version = database.execute("PRAGMA user_version").fetchone()[0]
        except sqlite3.DatabaseError as error:
            version = error
        if version != VERSION:
            database.close()
            raise JournalError(
                f"{path}: cannot be read as a journal of version {VERSION} ({version})",
                hint="Try again once the daemon has started.",
            )
        return cls(database, lock=None)

    def close(self) -> None:
        """Close the file and let the next daemon in."""
        self._database.close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Facts

    def fact(self, name: str) -> str | None:
        """Read a named fact."""
        row = self._database.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row["value"])

    def set_fact(self, name: str, value: str) -> None:
        """Write a named fact."""
        self._database.execute(
            "INSERT INTO facts VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (name, value),
        )

    @contextmanager
    def together(self) -> Iterator[None]:
        """Make everything written inside survive together, or not at all."""
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")

    # Jobs

    def see(self, task_id: bytes, order: Order, *, seed_block: int) -> bool:
        """Record a task at first sight; say whether it is new. A resubmission after a reorg moves its seed block."""
        row = (task_id, Stage.WAITING.value, order_to_text(order), seed_block, time.time())
        cursor = self._database.execute(
            "INSERT INTO jobs (task_id, stage, task_order, seed_block, updated_at) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (task_id) DO UPDATE SET seed_block = excluded.seed_block,"
            " stage = CASE WHEN stage = 'dropped' THEN 'waiting' ELSE stage END"
            " WHERE seed_block <> excluded.seed_block",
            row,
        )
        return cursor.rowcount > 0

    def job(self, task_id: bytes) -> Job:
        """Read one job; KeyError if the task was never seen."""
        row = self._database.execute("SELECT * FROM jobs WHERE task_id = ?", (task_id,)).fetchone()
        if row is None:
            raise KeyError(task_id.hex())
        return _job(row)

    def live(self) -> list[Job]:
        """List the jobs that something remains to be done about, oldest first."""
        marks = ", ".join("?" * len(_OVER))
        query = f"SELECT * FROM jobs WHERE stage NOT IN ({marks}) ORDER BY seed_block, task_id"  # noqa: S608 (marks only)
        return [_job(row) for row in self._database.execute(query, _OVER)]

    def recent(self, limit: int) -> list[Job]:
        """List the jobs touched last, newest first."""
        rows = self._database.execute("SELECT * FROM jobs ORDER BY updated_at DESC LIMIT ?", (limit,))
        return [_job(row) for row in rows]

    def totals(self) -> Totals:
        """Sum the journal up."""
        rows = self._database.execute("SELECT stage, count(*) AS jobs FROM jobs GROUP BY stage").fetchall()
        ended = self._database.execute("SELECT paid, slashed FROM jobs WHERE paid IS NOT NULL")
        paid = slashed = 0
        for row in ended:
            paid, slashed = paid + int(row["paid"]), slashed + int(row["slashed"])
        return Totals(stages={row["stage"]: row["jobs"] for row in rows}, paid=paid, slashed=slashed)

    def slots_held(self) -> int:
        """Count the jobs whose work still has to be done."""
        return sum(job.stage.holds_slot for job in self.live())

    def move(self, task_id: bytes, stage: Stage, reason: str = "") -> None:
        """Write the stage a job enters, before what it stands for is begun."""
        self._set(task_id, stage=stage.value, reason=reason)

    def explain(self, task_id: bytes, reason: str) -> None:
        """Write why a job stands where it stands, if that has changed."""
        if self.job(task_id).reason != reason:
            self._set(task_id, reason=reason)

    def keep_spec(self, task_id: bytes, spec: bytes) -> None:
        """Keep a fetched and checked spec, so that it is never asked for again."""
        self._set(task_id, spec=spec)

    def seated(self, task_id: bytes, seat: int) -> None:
        """Record the seat that the chain gave to a job."""
        self._set(task_id, stage=Stage.CLAIMED.value, seat=seat, reason="")

    def unseated(self, task_id: bytes, reason: str) -> None:
        """Forget a seat that a reorganisation took back. A result and its salt stay: they hold for a new seat too."""
        self._set(task_id, stage=Stage.WAITING.value, seat=None, reason=reason)

    def promise(self, task_id: bytes, work: Execution) -> Job:
        """Record work done with a fresh salt, in one write and once: a second call changes nothing.

        Returns the job with the result and salt that count.
        """
        self._database.execute(
            "UPDATE jobs SET stage = ?, reason = '', result = ?, input_tokens = ?, output_tokens = ?, fingerprint = ?,"
            " fingerprint_root = ?, salt = ?, updated_at = ? WHERE task_id = ? AND salt IS NULL",
            (
                Stage.EXECUTED,
                work.result,
                work.input_tokens,
                work.output_tokens,
                work.fingerprint,
                work.fingerprint_root,
                new_salt(),
                time.time(),
                task_id,
            ),
        )
        return self.job(task_id)

    def end(self, task_id: bytes, *, status: TaskStatus, block: int, paid: int, slashed: int) -> None:
        """Record how a task ended, at which block, and what it brought in base units. It is not over yet."""
        self._set(task_id, status=int(status), ended_block=block, paid=str(paid), slashed=str(slashed))

    def reopen(self, task_id: bytes) -> None:
        """Forget an ending that a reorganisation undid."""
        self._set(task_id, status=None, ended_block=None, paid=None, slashed=None)

    def record_transaction(self, task_id: bytes, step: str, *, hash_: bytes, block: int) -> None:
        """Keep a mined transaction for people to look up."""
        self._database.execute(
            "INSERT INTO transactions VALUES (?, ?, ?, ?, ?)", (task_id, step, hash_, block, time.time())
        )

    def transactions(self, task_id: bytes) -> list[tuple[str, bytes]]:
        """List a job's mined transactions by step, oldest first."""
        rows = self._database.execute(
            "SELECT step, hash FROM transactions WHERE task_id = ? ORDER BY sent_at", (task_id,)
        )
        return [(str(row["step"]), bytes(row["hash"])) for row in rows]

    # Nodes

    def register_node(self, node: str, *, owner: str, profile: bytes, block: int) -> None:
        """Record a registration."""
        self._database.execute(
            "INSERT OR REPLACE INTO nodes VALUES (?, ?, ?, ?, 1)", (node, owner, profile, block)
        )

    def set_profile(self, node: str, profile: bytes) -> None:
        """Record a node's new profile digest."""
        self._database.execute("UPDATE nodes SET profile = ? WHERE node = ?", (profile, node))

    def retire_node(self, node: str) -> None:
        """Record that a node no longer takes part."""
        self._database.execute("UPDATE nodes SET active = 0 WHERE node = ?", (node,))

    def nodes(self) -> Iterable[sqlite3.Row]:
        """Return the active nodes: node, owner, profile, registered_block."""
        return self._database.execute("SELECT * FROM nodes WHERE active = 1 ORDER BY node").fetchall()

    def _set(self, task_id: bytes, **columns: Any) -> None:
        assignments = ", ".join(f"{column} = ?" for column in columns)
        self._database.execute(
            f"UPDATE jobs SET {assignments}, updated_at = ? WHERE task_id = ?",  # noqa: S608 (our own column names)
            (*columns.values(), time.time(), task_id),
        )


def is_held(path: Path) -> bool:
    """Return whether a daemon holds the journal at `path`."""
    descriptor = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def _lock(path: Path) -> int:
    descriptor = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    for _ in range(_LOCK_ATTEMPTS):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            time.sleep(_LOCK_PAUSE_S)  # `is_held` takes it for an instant
        else:
            return descriptor
    os.close(descriptor)
    raise JournalError(
        f"{path}: another runner with this node key is running",
        hint="Stop it first (`parity-runner drain`), or use another RUNNER_HOME and another node key for this one.",
    )


@contextmanager
def _turn_to_open(path: Path) -> Iterator[None]:
    """Open one at a time: SQLite waits for no lock when it turns a new file to WAL mode, it fails."""
    descriptor = os.open(path.with_name(f"{path.name}.opening"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _migrate(database: sqlite3.Connection, path: Path) -> None:
    version = database.execute("PRAGMA user_version").fetchone()[0]
    if version == 0:
        schema = files("runner").joinpath("schema.sql").read_text(encoding="utf-8")
        database.executescript(f"BEGIN IMMEDIATE;\n{schema}\nPRAGMA user_version = {VERSION};\nCOMMIT;")
    elif version != VERSION:
        raise JournalError(
            f"{path}: a journal of version {version}; this program reads version {VERSION}",
            hint="Use the program that wrote it until its claims are settled.",
        )


def _job(row: sqlite3.Row) -> Job:
    return Job(
        task_id=row["task_id"],
        stage=Stage(row["stage"]),
        reason=row["reason"],
        order=order_from_text(row["task_order"]),
        seed_block=row["seed_block"],
        spec=row["spec"],
        seat=row["seat"],
        result=row["result"],
        input_tokens=row["input_tokens"],
        output_tokens=row["output_tokens"],
        fingerprint=row["fingerprint"],
        fingerprint_root=row["fingerprint_root"],
        salt=row["salt"],
        status=None if row["status"] is None else TaskStatus(row["status"]),
        ended_block=row["ended_block"],
        paid=None if row["paid"] is None else int(row["paid"]),
        slashed=None if row["slashed"] is None else int(row["slashed"]),
        updated_at=row["updated_at"],
    )
