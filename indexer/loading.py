"""Rows that the fold is about to look at, read from the tables into the state."""

from collections.abc import Iterable, Sequence
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
        state.modules.learn(unknown, _by_their_keys(table, await connection.fetch("SELECT * FROM modules")))


async def _load_tasks(connection: asyncpg.Connection, state: State, unknown: list[bytes]) -> None:
    if not unknown:
        return
    tasks = await _by_key(connection, FOLDED_BY_NAME["tasks"], unknown)
    state.tasks.learn(unknown, tasks)
    places = [(task_id, number) for task_id, task in tasks.items() for number in range(task.replicas)]
    state.seats.learn(places, await _of_parents(connection, FOLDED_BY_NAME["task_seats"], tasks))


async def _load_sessions(connection: asyncpg.Connection, state: State, unknown: list[bytes]) -> None:
    """Load sessions with all their participants and the round that each is in: no event speaks of an earlier one."""
    if not unknown:
        return
    sessions = await _by_key(connection, FOLDED_BY_NAME["federated_learning_sessions"], unknown)
    state.sessions.learn(unknown, sessions)
    rounds = await connection.fetch(
        "SELECT r.* FROM fl_rounds r JOIN federated_learning_sessions s USING (session_id, round)"
        " WHERE session_id = ANY($1)",
        list(sessions),
    )
    current = [(found.session_id, found.round) for found in sessions.values()]
    state.rounds.learn(current, _by_their_keys(FOLDED_BY_NAME["fl_rounds"], rounds))
    slots = [(key, slot) for key, found in sessions.items() for slot in range(found.max_participants)]
    state.participants.learn(
        slots, await _of_parents(connection, FOLDED_BY_NAME["fl_participants"], sessions)
    )


async def _load_audits(connection: asyncpg.Connection, state: State, unknown: list[bytes]) -> None:
    if not unknown:
        return
    audits = await _by_key(connection, FOLDED_BY_NAME["audits"], unknown)
    state.audits.learn(unknown, audits)
    if not audits:
        return
    state.audit_panels.learn(
        [(task_id, number) for task_id in audits for number in ROUNDS],
        await _of_parents(connection, FOLDED_BY_NAME["audit_panels"], audits),
    )
    state.audit_votes.learn(
        [place for task_id in audits for place in places(task_id)],
        await _of_parents(connection, FOLDED_BY_NAME["audit_votes"], audits),
    )


def _row(table: Table, record: asyncpg.Record) -> Any:
    return table.row(**{column: record[column] for column in table.columns})


def _by_their_keys(table: Table, records: Iterable[asyncpg.Record]) -> dict[Any, Any]:
    """Map records to rows by their whole key, which has several columns."""
    return {tuple(record[column] for column in table.key): _row(table, record) for record in records}


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
    return _by_their_keys(table, records)


async def _of_parents(
    connection: asyncpg.Connection, table: Table, parents: Iterable[bytes]
) -> dict[Any, Any]:
    """Find all rows that belong to tasks or sessions, whose ids are the first column of the table's key."""
    parent = table.key[0]
    records = await connection.fetch(
        f"SELECT * FROM {table.name} WHERE {parent} = ANY($1)",  # noqa: S608 (our names)
        list(parents),
    )
    return _by_their_keys(table, records)
