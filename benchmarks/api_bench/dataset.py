"""A database of any size as the indexer would leave it: tasks, seats, timelines, documents, runners, histories."""

from importlib.resources import files
from typing import Any

RUNNERS = 2_000
CLIENTS = 500
TASKS_A_BLOCK = 4
ROUNDS = 10
PARTICIPANTS = 8
TASKS_A_SESSION = 50


def sessions_among(tasks: int) -> int:
    """Return how many learning sessions there are beside so many tasks."""
    return tasks // TASKS_A_SESSION + 1


async def fill(connection: Any, tasks: int) -> None:
    """Make the indexer's schema in `public` and fill it with `tasks` tasks; everything else in proportion."""
    text = files("indexer").joinpath("schema.sql").read_text(encoding="utf-8")
    _, tables, *indexes, views = (part.partition("\n")[2] for part in text.split("-- section: "))
    await connection.execute(tables)
    for statement in _STATEMENTS:
        await connection.execute(
            statement.format(
                tasks=tasks,
                runners=RUNNERS,
                clients=CLIENTS,
                a_block=TASKS_A_BLOCK,
                sessions=sessions_among(tasks),
                rounds=ROUNDS,
                participants=PARTICIPANTS,
            )
        )
    for section in indexes:
        await connection.execute(section)
    await connection.execute(views)
    await connection.execute("ANALYZE")


def id_of(number: int) -> bytes:
    """Return the id of a task by its number, from 1."""
    return number.to_bytes(32, "big")


def node_of(number: int) -> bytes:
    """Return the node key of a runner by its number, from 1."""
    return number.to_bytes(20, "big")


_WORD = "decode(lpad(to_hex({0}), 64, '0'), 'hex')"
_PLACE = "decode(lpad(to_hex({0}), 40, '0'), 'hex')"
_TIME = "date_trunc('day', now()) - interval '200 days' + {0} * interval '1 second'"


def _word(number: str) -> str:
    return _WORD.format(number)


def _place(number: str) -> str:
    return _PLACE.format(number)


_BLOCK = "(n / {a_block} + 1)"
_SPEC = "sha256(int4send((n % ({tasks} / 10 + 1))::int4) || 's'::bytea)"
_RESULT = "sha256(int4send((n % ({tasks} / 10 + 1))::int4) || 'r'::bytea)"
_STATEMENTS = (
    (
        "INSERT INTO sync_state (chain_id, genesis_hash, start_block, phase, head_number, indexed_number, indexed_hash,"
        " finalized_number) VALUES (31337, sha256('genesis'), 0, 'live', {tasks} / {a_block} + 2, {tasks} / {a_block} + 2,"
        " sha256('indexed'), {tasks} / {a_block})"
    ),
    # One specification and one result in ten tasks is new; five hundred applications ask.
    (
        "INSERT INTO content.documents (digest, kind, content, size, status)"
        f" SELECT {_SPEC}, 'spec', jsonb_build_object('kind', 'llm', 'model', 'smollm2:135m@sha256:' || repeat('ab', 32),"
        " 'prompt', 'What is ' || n || ' plus one?', 'clientId', 'app-' || n % {clients}), 300, 'stored'"
        " FROM generate_series(0, {tasks} / 10) n"
    ),
    (
        "INSERT INTO content.documents (digest, kind, content, size, status)"
        f" SELECT {_RESULT}, 'result', jsonb_build_object('kind', 'llm-result', 'output', n + 1, 'inputTokens', 12,"
        " 'outputTokens', 5), 300, 'stored' FROM generate_series(0, {tasks} / 10) n"
    ),
    (
        "INSERT INTO content.documents (digest, kind, content, size, status)"
        " SELECT sha256(int4send(n) || 'p'::bytea), 'profile', jsonb_build_object('kind', 'runner-profile', 'models',"
        " jsonb_build_array(jsonb_build_object('name', 'smollm2:135m', 'digest', repeat('ab', 32), 'context', 2048,"
        " 'inputPrice', '10', 'outputPrice', '20'))), 300, 'stored' FROM generate_series(1, {runners}) n"
    ),
    (
        "INSERT INTO tasks SELECT"
        f" {_word('n')}, {_place('n % {clients} + 1')}, {_place('n % {clients} + 1')}, 3 * 10::numeric^18, 10::numeric^18,"
        " 0, 0, 1, 1, 1, 'quorum', CASE WHEN n > {tasks} - 50 THEN 'open' WHEN n % 50 = 0 THEN 'failed' ELSE 'final' END,"
        f" {_BLOCK} + 500, 1000, 0, {_SPEC}, {_word('n')}, {_BLOCK} + 2, 0, 1, 1, 1,"
        f" CASE WHEN n % 50 = 0 OR n > {{tasks}} - 50 THEN NULL ELSE {_RESULT} END, 1, 98 * 10::numeric^16,"
        f" 2 * 10::numeric^16, 2 * 10::numeric^18, 0, {_BLOCK}, {_word('n')}, {_TIME.format('n')},"
        f" {_BLOCK} + 5, {_word('n')}, {_TIME.format('(n + 5)')}, {_BLOCK} + 5"
        " FROM generate_series(1, {tasks}) n"
    ),
    (
        "INSERT INTO task_seats SELECT"
        f" {_word('n')}, 0, {_place('n % {runners} + 1')}, {_place('n % {runners} + 5001')}, 'revealed', {_word('n')},"
        f" {_RESULT}, {_word('0')}, 12, 5, 'right', 98 * 10::numeric^16, 0, {_BLOCK} + 3, {_word('n')}, {_word('n')},"
        f" {_word('n')}, {_BLOCK} + 5 FROM generate_series(1, {{tasks}}) n"
    ),
    (
        "INSERT INTO task_events SELECT"
        f" {_word('n')}, {_BLOCK} + k, 0, k, {_word('n')}, {_TIME.format('(n + k)')},"
        " (ARRAY['TaskSubmitted', 'SeatClaimed', 'TaskFinalized'])[k],"
        f' CASE WHEN k = 2 THEN {_place("n % {runners} + 1")} END, \'{{{{"seat": "0"}}}}\''
        " FROM generate_series(1, {tasks}) n, generate_series(1, 3) k"
    ),
    (
        "INSERT INTO runners SELECT"
        f" {_place('n')}, {_place('n + 5000')}, decode(rpad(encode(convert_to('runner-' || n, 'UTF8'), 'hex'), 64, '0'), 'hex'),"
        " sha256(int4send(n) || 'p'::bytea), 'active', n, 0, 0, 0, n FROM generate_series(1, {runners}) n"
    ),
    (
        "INSERT INTO runner_reputation SELECT"
        f" {_place('n')}, (n * 7919) % 1000001, {{tasks}} / {{runners}}, 0, 0, 0, 0, n FROM generate_series(1, {{runners}}) n"
    ),
    (
        "INSERT INTO reputation_events SELECT"
        f" {_place('n % {runners} + 1')}, {_word('n')}, 'right', (n * 7919) % 1000001, {_BLOCK} + 5, 0, n, {_word('n')},"
        f" {_TIME.format('(n + 5)')} FROM generate_series(1, {{tasks}} / 5) n"
    ),
    (
        "INSERT INTO federated_learning_sessions (session_id, creator, payer, budget, reward, aggregation_reward, bond,"
        " aggregation_bond, rounds, min_participants, max_participants, threshold, replicas, quorum, secure, private_data,"
        " params_id, task_params_id, join_by, train_for, reveal_for, retention, config, salt, purse, seed_block, phase,"
        " deadline, round, attempts, members, expected, acted, closing, model, finished, paid, fees, tips, slashed, returned,"
        f" created_block, created_tx, created_at, updated_block) SELECT {_word('n')}, {_place('n')}, {_place('n')},"
        " 10::numeric^20, 10::numeric^18, 10::numeric^18, 10::numeric^19, 10::numeric^18, {rounds}, 2, {participants}, 0, 3,"
        f" 2, false, false, 1, 1, n, 100, 100, 0, {_word('n')}, {_word('n')}, {_place('n')}, n, 'finished', 0, {{rounds}}, 0,"
        f" {{participants}}, 0, 0, false, {_word('n')}, {{rounds}}, 10::numeric^19, 0, 0, 0, 0, n, {_word('n')},"
        f" {_TIME.format('n')}, n + 500 FROM generate_series(1, {{sessions}}) n"
    ),
    (
        "INSERT INTO fl_rounds (session_id, round, status, attempts, contributions, task_id, model, manifest, accepted,"
        " accepted_count, pay, fee, stop, started_block, started_at, settled_block, settled_tx, settled_at, updated_block)"
        f" SELECT {_word('n')}, k, 'settled', 0, {{participants}}, {_word('n')}, {_word('n')}, {_word('n * 1000 + k')}, 255,"
        f" {{participants}}, 10::numeric^17, 0, false, n + k, {_TIME.format('n')}, n + k + 5, {_word('n')},"
        f" {_TIME.format('(n + k)')}, n + k + 5 FROM generate_series(1, {{sessions}}) n, generate_series(1, {{rounds}}) k"
    ),
    (
        "INSERT INTO fl_participants (session_id, slot, node, owner, key, status, samples, contributions, accepted, missed,"
        f" paid, slashed, joined_block, joined_tx, updated_block) SELECT {_word('n')}, k,"
        f" {_place('(n + k) % {runners} + 1')}, {_place('(n + k) % {runners} + 5001')}, {_word('n')}, 'joined', 500,"
        f" {{rounds}}, {{rounds}}, 0, 10::numeric^18, 0, n, {_word('n')}, n + 500"
        " FROM generate_series(1, {sessions}) n, generate_series(0, {participants} - 1) k"
    ),
    (
        "INSERT INTO content.documents (digest, kind, content, size, status)"
        f" SELECT {_word('n * 1000 + k')}, 'result', jsonb_build_object('kind', 'fl-model-card', 'round', k, 'loss',"
        " (2.0 / k)::text, 'metrics', jsonb_build_object('accuracy', (1 - 0.9 / k)::text)), 300, 'stored'"
        " FROM generate_series(1, {sessions}) n, generate_series(1, {rounds}) k"
    ),
    (
        "INSERT INTO channels (channel_id, payer, node, owner, amount, deposited, redeemed, returned, status, close_delay,"
        f" open_by, salt, opened_block, opened_tx, opened_at, updated_block) SELECT {_word('n')},"
        f" {_place('n % {clients} + 1')}, {_place('n % {runners} + 1')}, {_place('n % {runners} + 5001')}, 10::numeric^19,"
        f" 10::numeric^19, 10::numeric^18, 0, 'open', 720, {_BLOCK} + 9, {_word('n')}, {_BLOCK}, {_word('n')},"
        f" {_TIME.format('n')}, {_BLOCK} FROM generate_series(1, {{tasks}} / 50) n"
    ),
    (
        "INSERT INTO vouchers SELECT"
        f" {_word('n % ({tasks} / 50) + 1')}, {_place('n % {clients} + 1')}, {_place('n % {runners} + 1')},"
        f" {_place('n % {runners} + 5001')}, 10::numeric^17, 10::numeric^18, {_BLOCK} + 5, 0, n % 4, n % 64, {_word('n')},"
        f" {_TIME.format('(n + 5)')} FROM generate_series(1, {{tasks}} / 5) n"
    ),
    (
        "INSERT INTO proposal_votes SELECT n % 40, decode(lpad(to_hex(n / 40), 40, '0'), 'hex'),"
        f" (ARRAY['against', 'for', 'abstain'])[n % 3 + 1], (n * 7919) % 1000001, '', '', {_BLOCK}, 0, n % 4, {_word('n')},"
        f" {_TIME.format('n')} FROM generate_series(1, {{tasks}} / 5) n"
    ),
    (
        "INSERT INTO balances SELECT"
        f" {_place('n')}, 10::numeric^20, 0, CASE WHEN n > 5000 THEN 10::numeric^20 ELSE 0 END, 0, 0, 0, n"
        " FROM generate_series(1, 7000) n"
    ),
)
