-- The journal of one node key on one chain. A job is one task that this runner has seen.

CREATE TABLE facts (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE jobs (
    task_id       BLOB PRIMARY KEY,
    stage         TEXT NOT NULL,
    reason        TEXT NOT NULL DEFAULT '',
    task_order    TEXT NOT NULL,
    seed_block    INTEGER NOT NULL,
    spec          BLOB,
    seat          INTEGER,
    result        BLOB,
    input_tokens  INTEGER,
    output_tokens INTEGER,
    fingerprint   BLOB,
    fingerprint_root BLOB,
    salt          BLOB,
    status        INTEGER,
    ended_block   INTEGER,
    paid          TEXT,
    slashed       TEXT,
    updated_at    REAL NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX jobs_by_stage ON jobs (stage, updated_at);

-- A salt and the result it hides are one promise: a second commitment that differs would be a slash.
CREATE TRIGGER promises_are_kept BEFORE UPDATE ON jobs
WHEN OLD.salt IS NOT NULL AND (
    NEW.salt IS NOT OLD.salt OR NEW.result IS NOT OLD.result
    OR NEW.input_tokens IS NOT OLD.input_tokens OR NEW.output_tokens IS NOT OLD.output_tokens
    OR NEW.fingerprint IS NOT OLD.fingerprint OR NEW.fingerprint_root IS NOT OLD.fingerprint_root
)
BEGIN
    SELECT RAISE(ABORT, 'a recorded result and its salt never change');
END;

CREATE TABLE transactions (
    task_id BLOB NOT NULL,
    step    TEXT NOT NULL,
    hash    BLOB,
    block   INTEGER,
    sent_at REAL NOT NULL
) STRICT;

CREATE INDEX transactions_by_task ON transactions (task_id, sent_at);

CREATE TABLE nodes (
    node             TEXT PRIMARY KEY,
    owner            TEXT NOT NULL,
    profile          BLOB NOT NULL,
    registered_block INTEGER NOT NULL,
    active           INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
