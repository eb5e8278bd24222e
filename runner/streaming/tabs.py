"""The tabs of a runner's channels, on disk: a voucher is money, so it is written before anything is given for it."""

import json
import os
import sqlite3
import time
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Self

from protocol.streaming import channel_from_json, channel_to_json
from protocol.voucher import Channel, Voucher
from runner.errors import JournalError

VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Tab:
    """One channel: what it has earned, and has been promised by its best voucher, and has paid out on chain."""

    channel_id: bytes
    channel: Channel
    earned: int
    voucher: Voucher | None
    redeemed: int

    @property
    def promised(self) -> int:
        """Return the best voucher's sum."""
        return 0 if self.voucher is None else self.voucher.cumulative

    @property
    def owed(self) -> int:
        """Return what was earned and not promised yet; negative for credit."""
        return self.earned - self.promised

    @property
    def redeemable(self) -> int:
        """Return what the best voucher is worth on chain now."""
        return self.promised - self.redeemed


class Tabs:
    """All channels of one node key on one chain. One daemon writes."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open the file at `path`, made on first use with mode 0600; `JournalError` says why it cannot be."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            database = sqlite3.connect(path, isolation_level=None, timeout=10)
            database.row_factory = sqlite3.Row
            database.execute("PRAGMA journal_mode=WAL")
            database.execute("PRAGMA synchronous=FULL")
            if database.execute("PRAGMA user_version").fetchone()[0] != VERSION:
                schema = files("runner.streaming").joinpath("tabs.sql").read_text(encoding="utf-8")
                database.executescript(
                    f"BEGIN IMMEDIATE;\n{schema}\nPRAGMA user_version = {VERSION};\nCOMMIT;"
                )
        except (sqlite3.DatabaseError, OSError) as error:
            raise JournalError(
                f"{path}: cannot keep vouchers ({error})",
                hint="Check disk space and permissions. Keep the file: its vouchers are money.",
            ) from error
        return cls(database)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def tab(self, channel_id: bytes) -> Tab | None:
        """Read one channel's tab."""
        row = self._database.execute("SELECT * FROM tabs WHERE channel_id = ?", (channel_id,)).fetchone()
        return None if row is None else _tab(row)

    def begin(self, channel_id: bytes, channel: Channel) -> Tab:
        """Return a channel's tab, a new one if it is seen for the first time."""
        self._database.execute(
            "INSERT INTO tabs (channel_id, terms, earned, cumulative, redeemed, updated_at)"
            " VALUES (?, ?, '0', '0', '0', ?) ON CONFLICT DO NOTHING",
            (channel_id, json.dumps(channel_to_json(channel)), time.time()),
        )
        tab = self.tab(channel_id)
        assert tab is not None
        return tab

    def promise(self, voucher: Voucher, *, earned: int | None = None) -> Tab:
        """Keep a voucher, which the caller has checked, if it is the best so far.

        In the same write, keep what a running answer has `earned`: a promise alone would be credit after a kill.
        """
        tab = self.tab(voucher.channel_id)
        assert tab is not None
        if voucher.cumulative > tab.promised:
            self._set(
                voucher.channel_id,
                cumulative=str(voucher.cumulative),
                r=voucher.r,
                vs=voucher.vs,
                earned=str(tab.earned if earned is None else earned),
            )
        best = self.tab(voucher.channel_id)
        assert best is not None
        return best

    def earn(self, channel_id: bytes, earned: int) -> None:
        """Write what a channel has earned in all."""
        self._set(channel_id, earned=str(earned))

    def redeemed(self, channel_id: bytes, amount: int) -> None:
        """Write what the chain says a channel has paid out."""
        self._set(channel_id, redeemed=str(amount))

    def end(self, channel_id: bytes) -> None:
        """Put a closed channel away."""
        self._set(channel_id, closed=1)

    def open_tabs(self) -> list[Tab]:
        """List the tabs whose channel is not known to be closed."""
        rows = self._database.execute("SELECT * FROM tabs WHERE closed = 0 ORDER BY updated_at")
        return [_tab(row) for row in rows]

    def _set(self, channel_id: bytes, **columns: object) -> None:
        assignments = ", ".join(f"{column} = ?" for column in columns)
        self._database.execute(
            f"UPDATE tabs SET {assignments}, updated_at = ? WHERE channel_id = ?",  # noqa: S608 (our own column names)
            (*columns.values(), time.time(), channel_id),
        )


def _tab(row: sqlite3.Row) -> Tab:
    cumulative = int(row["cumulative"])
    voucher = (
        Voucher(channel_id=row["channel_id"], cumulative=cumulative, r=row["r"], vs=row["vs"])
        if cumulative
        else None
    )
    return Tab(
        channel_id=row["channel_id"],
        channel=channel_from_json(json.loads(row["terms"])),
        earned=int(row["earned"]),
        voucher=voucher,
        redeemed=int(row["redeemed"]),
    )
