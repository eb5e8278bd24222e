"""What an account has promised, on disk before anybody gets it: a promise that was forgotten could be made twice."""

import fcntl
import json
import os
import sqlite3
import time
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Self

from protocol.errors import ConfigError
from protocol.streaming import channel_from_json, channel_to_json
from protocol.voucher import Channel

_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One channel: what lies in it, what was promised of that, and what was received for it by our own count."""

    channel_id: bytes
    channel: Channel
    deposited: int
    promised: int
    spent: int
    closing: bool

    @property
    def left(self) -> int:
        """Return what can still be promised."""
        return self.deposited - self.promised


class Book:
    """An account's channels on one chain. One process at a time may promise."""

    def __init__(self, database: sqlite3.Connection, lock: int) -> None:
        self._database = database
        self._lock = lock

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open the file at `path`, made on first use with mode 0600; `ConfigError` if another process has it."""
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(lock)
            raise ConfigError(
                f"{path}: another process is using these channels",
                hint="Use the gateway that is already running, or stop it first.",
            ) from error
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        database = sqlite3.connect(path, isolation_level=None, timeout=10)
        database.row_factory = sqlite3.Row
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=FULL")
        if database.execute("PRAGMA user_version").fetchone()[0] != _VERSION:
            schema = files("client.gateway").joinpath("book.sql").read_text(encoding="utf-8")
            database.executescript(f"BEGIN IMMEDIATE;\n{schema}\nPRAGMA user_version = {_VERSION};\nCOMMIT;")
        return cls(database, lock)

    @classmethod
    def read(cls, path: Path) -> list[Entry]:
        """List the channels in the file at `path`, whoever has it; none if there is no such file."""
        if not path.exists():
            return []
        database = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=10)
        database.row_factory = sqlite3.Row
        try:
            return [_entry(row) for row in database.execute("SELECT * FROM channels ORDER BY opened_at")]
        except sqlite3.OperationalError:  # made a moment ago, and still empty
            return []
        finally:
            database.close()

    def close(self) -> None:
        """Close the file and let the next process in."""
        self._database.close()
        os.close(self._lock)

    def opened(self, channel_id: bytes, channel: Channel) -> Entry:
        """Record a channel, before the transaction that opens it is sent."""
        self._database.execute(
            "INSERT INTO channels VALUES (?, ?, ?, '0', '0', 0, ?) ON CONFLICT DO NOTHING",
            (channel_id, json.dumps(channel_to_json(channel)), str(channel.amount), time.time()),
        )
        return self.entry(channel_id)

    def entry(self, channel_id: bytes) -> Entry:
        """Read one channel; `KeyError`."""
        row = self._database.execute("SELECT * FROM channels WHERE channel_id = ?", (channel_id,)).fetchone()
        if row is None:
            raise KeyError(channel_id.hex())
        return _entry(row)

    def entries(self) -> list[Entry]:
        """List all channels, oldest first."""
        return [_entry(row) for row in self._database.execute("SELECT * FROM channels ORDER BY opened_at")]

    def promise(self, channel_id: bytes, cumulative: int) -> int:
        """Write a promise before it is signed; give the sum that may be signed, never less than any before."""
        promised = max(cumulative, self.entry(channel_id).promised)
        self._set(channel_id, promised=str(promised))
        return promised

    def spend(self, channel_id: bytes, spent: int) -> None:
        """Write what was received on a channel in all, in money."""
        self._set(channel_id, spent=str(spent))

    def deposit(self, channel_id: bytes, deposited: int) -> None:
        """Write what lies in a channel, as the chain says."""
        self._set(channel_id, deposited=str(deposited))

    def closing(self, channel_id: bytes) -> None:
        """Mark a channel on which nothing may be promised any more."""
        self._set(channel_id, closing=1)

    def forget(self, channel_id: bytes) -> None:
        """Drop a channel that is closed on chain, or never was opened."""
        self._database.execute("DELETE FROM channels WHERE channel_id = ?", (channel_id,))

    def _set(self, channel_id: bytes, **columns: object) -> None:
        assignments = ", ".join(f"{column} = ?" for column in columns)
        self._database.execute(
            f"UPDATE channels SET {assignments} WHERE channel_id = ?",  # noqa: S608 (our own column names)
            (*columns.values(), channel_id),
        )


def _entry(row: sqlite3.Row) -> Entry:
    return Entry(
        channel_id=row["channel_id"],
        channel=channel_from_json(json.loads(row["terms"])),
        deposited=int(row["deposited"]),
        promised=int(row["promised"]),
        spent=int(row["spent"]),
        closing=bool(row["closing"]),
    )
