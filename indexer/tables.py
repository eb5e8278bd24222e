"""The folded tables as SQL sees them: columns and keys from the row structs, statements from both."""

from dataclasses import dataclass

import msgspec

from indexer.fold import audit_rows, governance_rows, monitoring_rows, rows, session_rows
from indexer.fold.history import FIXED, kept_columns


@dataclass(frozen=True, slots=True)
class Table:
    """A table whose rows change, with the statements that write it. `{}` never holds anything but our own names."""

    name: str
    row: type[msgspec.Struct]
    key: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns in order."""
        return self.row.__struct_fields__

    @property
    def stage(self) -> str:
        """Temporary table that takes new rows before they are merged."""
        return f"stage_{self.name}"

    def create_stage(self) -> str:
        """Make the stage.

        Whoever fills it empties it by `merge`: if the end of a transaction did, it would truncate the files of all stages.
        """
        return f"CREATE TEMP TABLE {self.stage} (LIKE {self.name})"

    def prepare_merge(self) -> str:
        """Have the statements of `merge` planned for this connection."""
        return (
            f"PREPARE merge_{self.name} AS {self._merge()}; "  # noqa: S608 (our names)
            f"PREPARE clear_{self.name} AS DELETE FROM {self.stage}"
        )

    def merge(self) -> str:
        """Upsert the staged rows and empty the stage, on a connection that made it."""
        return f"EXECUTE merge_{self.name}; EXECUTE clear_{self.name}"

    def _merge(self) -> str:
        columns = ", ".join(f'"{column}"' for column in self.columns)
        changed = ", ".join(
            f'"{column}" = EXCLUDED."{column}"' for column in self.columns if column not in self.key
        )
        key = ", ".join(self.key)
        return (
            f"INSERT INTO {self.name} ({columns}) SELECT {columns} FROM {self.stage} "  # noqa: S608 (our names)
            f"ON CONFLICT ({key}) DO UPDATE SET {changed}"
        )

    def keep_before_images(self, block: int) -> str:
        """Copy the rows that the staged ones are about to replace into `undo`, as of a block."""
        pairs = ", ".join(f"'{column}', s.{column}" for column in self.key)
        return (
            f"INSERT INTO undo (block_number, tbl, pk, before) "  # noqa: S608 (our names)
            f"SELECT {block}, '{self.name}', jsonb_build_object({pairs}), to_jsonb(t) "
            f"FROM {self.stage} s LEFT JOIN {self.name} t USING ({', '.join(self.key)})"
        )

    def _first_images(self) -> str:
        # What a row was before the first undone block is what it must be again.
        return (
            "SELECT DISTINCT ON (pk) pk, before FROM undo "  # noqa: S608 (our names)
            f"WHERE tbl = '{self.name}' AND block_number > $1 ORDER BY pk, seq"
        )

    def undo_created(self) -> str:
        """Delete the rows that blocks above $1 made."""
        match = " AND ".join(f"t.{column} = k.{column}" for column in self.key)
        return (
            f"WITH first AS ({self._first_images()}) "  # noqa: S608 (our names)
            f"DELETE FROM {self.name} t USING first f, jsonb_populate_record(NULL::{self.name}, f.pk) k "
            f"WHERE f.before IS NULL AND {match}"
        )

    def undo_changed(self) -> str:
        """Write back the rows that blocks above $1 changed."""
        changed = ", ".join(
            f'"{column}" = EXCLUDED."{column}"' for column in self.columns if column not in self.key
        )
        return (
            f"WITH first AS ({self._first_images()}) "  # noqa: S608 (our names)
            f"INSERT INTO {self.name} SELECT r.* FROM first f, jsonb_populate_record(NULL::{self.name}, f.before) r "
            f"WHERE f.before IS NOT NULL ON CONFLICT ({', '.join(self.key)}) DO UPDATE SET {changed}"
        )

    def undo_history(self) -> str:
        """Delete what the history of the rows that blocks above $1 changed holds of those blocks.

        By key, from `undo`: an index of the whole history by block would serve nothing else.
        """
        match = " AND ".join(f"h.{column} = k.{column}" for column in self.key)
        return (
            f"DELETE FROM {self.name}_history h USING "  # noqa: S608 (our names)
            f"(SELECT DISTINCT pk FROM undo WHERE tbl = '{self.name}' AND block_number > $1) u, "
            f"jsonb_populate_record(NULL::{self.name}, u.pk) k WHERE {match} AND h.block_number > $1"
        )


FOLDED = (
    Table("balances", rows.Balance, ("account",)),
    Table("tasks", rows.Task, ("task_id",)),
    Table("task_seats", rows.Seat, ("task_id", "seat")),
    Table("runners", rows.Runner, ("node",)),
    Table("runner_reputation", rows.Reputation, ("node",)),
    Table("parameters", rows.Parameters, ("params_id",)),
    Table("client_epochs", rows.ClientEpoch, ("client",)),
    Table("channels", rows.Channel, ("channel_id",)),
    Table("modules", rows.Module, ("contract", "module")),
    Table("pauses", rows.Pause, ("target",)),
    Table("federated_learning_sessions", session_rows.Session, ("session_id",)),
    Table("fl_rounds", session_rows.Round, ("session_id", "round")),
    Table("fl_participants", session_rows.Participant, ("session_id", "slot")),
    Table("session_parameters", session_rows.SessionParameters, ("params_id",)),
    Table("monitoring_epochs", monitoring_rows.Round, ("round",)),
    Table("monitoring_assignments", monitoring_rows.Assignment, ("round", "monitor")),
    Table("monitoring_reports", monitoring_rows.Report, ("round", "target", "monitor")),
    Table("monitoring_verdicts", monitoring_rows.MonitoringVerdict, ("round", "target")),
    Table("audits", audit_rows.Audit, ("task_id",)),
    Table("audit_panels", audit_rows.AuditPanel, ("task_id", "round")),
    Table("audit_votes", audit_rows.AuditVote, ("task_id", "round", "seat")),
    Table("audit_rules", audit_rows.AuditRules, ("params_id",)),
)
FOLDED_BY_NAME = {table.name: table for table in FOLDED}

APPENDED: dict[str, type[msgspec.Struct]] = {
    "task_events": rows.TaskEvent,
    "reputation_events": rows.ReputationEvent,
    "fl_events": session_rows.SessionEvent,
    "vouchers": rows.Voucher,
    "proposal_events": governance_rows.ProposalEvent,
    "proposal_votes": governance_rows.ProposalVote,
}
"""Tables that only grow; a reorganisation deletes by block."""

HISTORY = {f"{name}_history": (*kept_columns(name)[:-1], "block_number") for name in FIXED}
"""Columns of the history tables; their `block_number` is the row's `updated_block`."""

CANONICAL = (*FOLDED_BY_NAME, *APPENDED, *HISTORY, "logs")
"""Tables that every indexer of the chain must have equal, row for row, once at the same block."""


def as_of_function(table: Table) -> str:
    """Make `public.<table>_at(as_of)`: the rows of a table with history as they were at the end of a block.

    It reads the published views, so that who may read those may call it.
    """
    key = ", ".join(table.key)
    match = " AND ".join(f"h.{column} = t.{column}" for column in table.key)
    columns = ", ".join(_as_of_column(table, column) for column in table.columns)
    return (
        f"CREATE FUNCTION public.{table.name}_at(as_of int8) RETURNS SETOF public.{table.name} "  # noqa: S608 (our names)
        f"LANGUAGE sql STABLE AS $$ SELECT {columns} FROM public.{table.name} t CROSS JOIN LATERAL ("
        f"SELECT * FROM public.{table.name}_history h WHERE {match} AND h.block_number <= as_of "
        f"ORDER BY {key}, h.block_number DESC LIMIT 1) h $$"
    )


def _as_of_column(table: Table, column: str) -> str:
    if column == "updated_block":
        return "h.block_number"
    is_fixed = column in table.key or column in FIXED[table.name]
    return f't."{column}"' if is_fixed else f'h."{column}"'
