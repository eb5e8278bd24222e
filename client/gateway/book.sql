-- The channels that an account has opened, and the most it has promised on each. Amounts are USDFC base units, as text.

CREATE TABLE channels (
    channel_id BLOB PRIMARY KEY,
    terms      TEXT NOT NULL,
    deposited  TEXT NOT NULL,
    promised   TEXT NOT NULL,
    spent      TEXT NOT NULL,
    closing    INTEGER NOT NULL DEFAULT 0,
    opened_at  REAL NOT NULL
) STRICT, WITHOUT ROWID;
