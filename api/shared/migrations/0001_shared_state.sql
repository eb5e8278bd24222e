-- What several server processes over one database must agree on. Nothing here comes from the chain, and nothing of
-- the chain depends on it: dropping the schema forgets sessions, webhooks and limits, and no more.

-- Rates and budgets: what a key has spent is worked off with time, and gone at `worked_off_at`.
CREATE TABLE parity_api.buckets (
    key text PRIMARY KEY,
    worked_off_at timestamptz NOT NULL
);
CREATE INDEX buckets_done ON parity_api.buckets (worked_off_at);

-- Intents on their way to the chain. A row lives from the decision to send until the receipt, or until its lease ends.
CREATE TABLE parity_api.relaying (
    intent_id bytea PRIMARY KEY,
    tx_hash bytea,
    lease_until timestamptz NOT NULL
);

-- Answers to requests with an Idempotency-Key; `answer` is null while the first such request is being answered.
CREATE TABLE parity_api.idempotency (
    operation text NOT NULL,
    key text NOT NULL,
    request bytea NOT NULL,
    status int4,
    answer bytea,
    lease_until timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (operation, key)
);
CREATE INDEX idempotency_expiry ON parity_api.idempotency (expires_at);

-- Sign-In with Ethereum: nonces that were given out, and sessions by the digest of their token.
CREATE TABLE parity_api.nonces (
    nonce text PRIMARY KEY,
    expires_at timestamptz NOT NULL
);
CREATE TABLE parity_api.sessions (
    token bytea PRIMARY KEY,
    address bytea NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX sessions_expiry ON parity_api.sessions (expires_at);

-- The last word of each runner about itself.
CREATE TABLE parity_api.heartbeats (
    node bytea PRIMARY KEY,
    version text NOT NULL,
    slots int4 NOT NULL,
    busy int4 NOT NULL,
    url text,
    received_at timestamptz NOT NULL
);

-- Webhooks and what is to be delivered to them. The secret signs deliveries; it opens nothing else.
CREATE TABLE parity_api.webhooks (
    webhook_id uuid PRIMARY KEY,
    address bytea NOT NULL,
    url text NOT NULL,
    secret bytea NOT NULL,
    events text[] NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    failures int4 NOT NULL DEFAULT 0,
    disabled_at timestamptz
);
CREATE INDEX webhooks_address ON parity_api.webhooks (address);
CREATE TABLE parity_api.deliveries (
    delivery_id uuid PRIMARY KEY,
    webhook_id uuid NOT NULL REFERENCES parity_api.webhooks ON DELETE CASCADE,
    event text NOT NULL,
    body bytea NOT NULL,
    attempts int4 NOT NULL DEFAULT 0,
    due_at timestamptz NOT NULL DEFAULT now(),
    lease_until timestamptz
);
CREATE INDEX deliveries_due ON parity_api.deliveries (due_at);
CREATE INDEX deliveries_webhook ON parity_api.deliveries (webhook_id);

-- One row: up to which block webhooks have been told of the chain's events.
CREATE TABLE parity_api.told (
    id int2 PRIMARY KEY DEFAULT 1 CHECK (id = 1),
    block_number int8 NOT NULL
);

-- GraphQL documents by their SHA-256, so that a client need not send the text again.
CREATE TABLE parity_api.persisted_queries (
    sha256 bytea PRIMARY KEY,
    document text NOT NULL,
    used_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX persisted_queries_used ON parity_api.persisted_queries (used_at);
