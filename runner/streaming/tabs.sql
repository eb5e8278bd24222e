-- What each payment channel has earned here, and the best voucher for it. Amounts are USDFC base units, as text.

CREATE TABLE tabs (
    channel_id BLOB PRIMARY KEY,
    terms      TEXT NOT NULL,
    earned     TEXT NOT NULL,
    cumulative TEXT NOT NULL,
    r          BLOB,
    vs         BLOB,
    redeemed   TEXT NOT NULL,
    closed     INTEGER NOT NULL DEFAULT 0,
    updated_at REAL NOT NULL
) STRICT, WITHOUT ROWID;
