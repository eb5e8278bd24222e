"""Which tables can be read as of an earlier block, and what of a row is kept for that.

A table `t` with history has a table `t_history` beside it: the columns that can change, once for each block that changed
the row, as they were at its end. `t_at(block)` in SQL gives the rows of `t` as they were then.
"""

from indexer.fold import rows

FIXED: dict[str, tuple[str, ...]] = {
    "balances": (),
    "tasks": (
        "client",
        "payer",
        "reward",
        "bond",
        "input_price",
        "output_price",
        "params_id",
        "replicas",
        "quorum",
        "mode",
        "claim_by",
        "retention",
        "client_epoch",
        "spec",
        "salt",
        "seed_block",
        "created_block",
        "created_tx",
        "created_at",
    ),
    "task_seats": ("node", "owner", "claimed_block", "claimed_tx"),
    "runners": (),
    "runner_reputation": (),
    "channels": (
        "payer",
        "node",
        "owner",
        "amount",
        "close_delay",
        "open_by",
        "salt",
        "opened_block",
        "opened_tx",
        "opened_at",
    ),
}
"""Tables with history: the columns, besides the key, that never change once the row is there."""

_ROWS = {
    "balances": rows.Balance,
    "tasks": rows.Task,
    "task_seats": rows.Seat,
    "runners": rows.Runner,
    "runner_reputation": rows.Reputation,
    "channels": rows.Channel,
}


def kept_columns(table: str) -> tuple[str, ...]:
    """Name the columns of the table that its history holds: key, what can change, and `updated_block` as the last."""
    return tuple(column for column in _ROWS[table].__struct_fields__ if column not in FIXED[table])
