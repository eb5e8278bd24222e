"""Temporary tables that take changed rows before they are merged: made when a table first needs its own, as few do."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from indexer.tables import Table

MOST_ROWS = 20_000
"""Rows after whose deletion the stages are truncated, which vacuuming never looks at; less often, as it is slow."""


@dataclass(slots=True)
class Stages:
    """The stages of one connection. A transaction that is rolled back takes those with it that it made."""

    _made: set[str] = field(default_factory=set)
    _made_before: frozenset[str] = frozenset()
    _prepared: set[str] = field(default_factory=set)
    _rows: int = 0

    async def fill(
        self, connection: asyncpg.Connection, table: Table, records: Sequence[tuple[Any, ...]]
    ) -> None:
        """Put records into the table's stage, within a transaction."""
        if table.stage not in self._made:
            await connection.execute(table.create_stage())
            self._made.add(table.stage)
        if table.stage not in self._prepared:
            # What is prepared outlives a rollback.
            await connection.execute(table.prepare_merge())
            self._prepared.add(table.stage)
        await connection.copy_records_to_table(table.stage, records=records, columns=list(table.columns))
        self._rows += len(records)

    async def committed(self, connection: asyncpg.Connection) -> None:
        """Note that what the transaction made stays; truncate what holds many deleted rows."""
        self._made_before = frozenset(self._made)
        if self._rows > MOST_ROWS:
            self._rows = 0
            await connection.execute(f"TRUNCATE {', '.join(self._made)}")

    def rolled_back(self) -> None:
        """Note that what the transaction made is gone."""
        self._made = set(self._made_before)
