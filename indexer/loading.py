"""Rows that the fold is about to look at, read from the tables into the state."""

from collections.abc import Sequence
from typing import Any

import asyncpg

from indexer.fold.audits import ROUNDS, places
from indexer.fold.state import Keys, State
from indexer.tables import FOLDED_BY_NAME, Table


async def load(connection: asyncpg.Connection, state: State, keys: Keys) -> None:
    """Let the state know the rows of the keys, or that there are none."""
    await _load_tasks(connection, state, state.tasks.unknown(keys.tasks))
    await _load_sessions(connection, state, state.sessions.unknown(keys.sessions))
    await _load_audits(connection, state, state.audits.unknown(keys.audits))
    for name, wanted in (
        ("balances", keys.balances),
        ("runners", keys.runners),
        ("runner_reputation", keys.runners),
        ("parameters", keys.parameters),
        ("client_epochs", keys.client_epochs),
        ("channels", keys.channels),
        ("pauses", keys.pauses),
        ("session_parameters", keys.session_parameters),
        ("monitoring_epochs", keys.monitoring_rounds),
        ("monitoring_assignments", keys.monitoring_duties),
        ("monitoring_reports", keys.monitoring_reports),
        ("monitoring_verdicts", keys.monitoring_verdicts),
        ("audit_rules", keys.audit_rules),
    ):
        rows = state.tables()[name]
        unknown = rows.unknown(wanted)
        rows.learn(unknown, await _by_key(connection, FOLDED_BY_NAME[name], unknown))
    if unknown := state.modules.unknown(keys.modules):
        table = FOLDED_BY_NAME["modules"]
        found = {
            (row["contract"], row["module"]): _row(table, row)
            for row in await connection.fetch("SELECT * FROM modules")
        }
        state.modules.learn(unknown, found)


async def _load_tasks(connection: asyncpg.Connection, state: State, unknown: list[bytes]) -> None:
    if not unknown:
        return
    tasks = await _by_key(connection, FOLDED_BY_NAME["tasks"], unknown)
    state.tasks.learn(unknown, tasks)
    seats = {
        (row["task_id"], row["seat"]): _row(FOLDED_BY_NAME["task_seats"], row)
        for row in await connection.fetch("SELECT * FROM task_seats WHERE task_id = ANY($1)", list(tasks))
    }
    places = [(task_id, number) for task_id, task in tasks.items() for number in range(task.replicas)]
    state.seats.learn(places, seats)


async def _load_sessions(connection: asyncpg.Connection, state: State, unknown: list[bytes]) -> None:
    """Load sessions with all their participants and the round that each is in: no event speaks of an earlier one."""
    if not unknown:
        return
    sessions = await _by_key(connection, FOLDED_BY_NAME["federated_learning_sessions"], unknown)
    state.sessions.learn(unknown, sessions)
    rounds = {
        (row["session_id"], row["round"]): _row(FOLDED_BY_NAME["fl_rounds"], row)
        for row in await connection.fetch(
            "SELECT r.* FROM fl_rounds r JOIN federated_learning_sessions s USING (session_id, round)"
            " WHERE session_id = ANY($1)",
            list(sessions),
        )
    }
    state.rounds.learn([(found.session_id, found.round) for found in sessions.values()], rounds)
    held = {
        (row["session_id"], row["slot"]): _row(FOLDED_BY_NAME["fl_participants"], row)
        for row in await connection.fetch(
            "SELECT * FROM fl_participants WHERE session_id = ANY($1)", list(sessions)
        )
    }
    places = [(key, slot) for key, found in sessions.items() for slot in range(found.max_participants)]
    state.participants.learn(places, held)


async def _load_audits(connection: asyncpg.Connection, state: State, unknown: list[bytes]) -> None:
    if not unknown:
        return
    audits = await _by_key(connection, FOLDED_BY_NAME["audits"], unknown)
    state.audits.learn(unknown, audits)
    if not audits:
        return
    known = list(audits)
    panels, votes = FOLDED_BY_NAME["audit_panels"], FOLDED_BY_NAME["audit_votes"]
    state.audit_panels.learn(
        [(task_id, number) for task_id in known for number in ROUNDS],
        {
            (row["task_id"], row["round"]): _row(panels, row)
            for row in await connection.fetch("SELECT * FROM audit_panels WHERE task_id = ANY($1)", known)
        },
    )
    state.audit_votes.learn(
        [place for task_id in known for place in places(task_id)],
        {
            (row["task_id"], row["round"], row["seat"]): _row(votes, row)
            for row in await connection.fetch("SELECT * FROM audit_votes WHERE task_id = ANY($1)", known)
        },
    )


def _row(table: Table, record: asyncpg.Record) -> Any:
    return table.row(**{column: record[column] for column in table.columns})


async def _by_key(connection: asyncpg.Connection, table: Table, keys: Sequence[Any]) -> dict[Any, Any]:
    if not keys:
        return {}
    if len(table.key) > 1:
        return await _by_keys(connection, table, keys)
    (key,) = table.key
    records = await connection.fetch(f"SELECT * FROM {table.name} WHERE {key} = ANY($1)", list(keys))  # noqa: S608 (our names)
    return {record[key]: _row(table, record) for record in records}


async def _by_keys(connection: asyncpg.Connection, table: Table, keys: Sequence[Any]) -> dict[Any, Any]:
    """Find rows whose key is several columns, all of them bytea."""
    columns = ", ".join(table.key)
    arrays = ", ".join(f"${number}::bytea[]" for number in range(1, len(table.key) + 1))
    records = await connection.fetch(
        f"SELECT * FROM {table.name} WHERE ({columns}) IN (SELECT * FROM unnest({arrays}))",  # noqa: S608 (our names)
        *(list(column) for column in zip(*keys, strict=True)),
    )
    return {tuple(record[column] for column in table.key): _row(table, record) for record in records}
