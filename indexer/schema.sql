-- The indexer's database. One file, three sections (`-- section:` lines split it):
--   tables   made first, in a schema `idx_<fingerprint>` of their own
--   indexes  made when the backfill is done, so that it does not pay for them; two connections take paragraph by paragraph,
--            so the largest come first, and each paragraph is a transaction
--   views    derived names; with the tables they are shown through views of the same names in `public`
-- Everything in `idx_<fingerprint>` is a pure fold of the chain's log and may be dropped and rebuilt at any time.
-- Ids, addresses and digests are bytea (32 or 20 bytes), amounts numeric(78) in USDFC base units (10^-18 USDFC),
-- heights int8 block numbers. `content.documents` is keyed by digest, so it outlives and serves every version.

-- section: tables

CREATE SCHEMA IF NOT EXISTS content;
COMMENT ON SCHEMA content IS 'Documents fetched from IPFS by digest; shared by all versions of the index.';

CREATE TABLE IF NOT EXISTS content.documents (
    digest bytea PRIMARY KEY,
    kind text NOT NULL,
    content jsonb,
    size int4,
    status text NOT NULL DEFAULT 'pending',
    error text,
    attempts int4 NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    fetched_at timestamptz
);
CREATE INDEX IF NOT EXISTS documents_due ON content.documents (next_attempt_at) WHERE status IN ('pending', 'unavailable', 'mismatch');
CREATE INDEX IF NOT EXISTS documents_client ON content.documents ((content ->> 'clientId')) WHERE content ->> 'kind' = 'llm';
COMMENT ON TABLE content.documents IS 'IPFS documents that tasks and runners point at. Not part of the fold: a missing one delays nothing.';
COMMENT ON COLUMN content.documents.digest IS 'SHA-256 of the content; with the raw codec it is the CIDv1.';
COMMENT ON COLUMN content.documents.kind IS 'What the chain refers to it as: spec, result, profile, session or model-card.';
COMMENT ON COLUMN content.documents.content IS 'The parsed document; null unless status is stored.';
COMMENT ON COLUMN content.documents.size IS 'Bytes of the content; null until it was fetched.';
COMMENT ON COLUMN content.documents.status IS 'pending (not tried), unavailable (tried, will be retried), stored, mismatch (the IPFS node returned other content; will be retried), too_large, invalid (not a document of this network).';
COMMENT ON COLUMN content.documents.error IS 'Why it is not stored; null when it is.';
COMMENT ON COLUMN content.documents.attempts IS 'Fetches tried so far.';
COMMENT ON COLUMN content.documents.next_attempt_at IS 'Earliest time of the next fetch.';
COMMENT ON COLUMN content.documents.fetched_at IS 'When the content arrived; null until then.';

CREATE TABLE sync_state (
    id int2 PRIMARY KEY DEFAULT 1 CHECK (id = 1),
    chain_id int8 NOT NULL,
    genesis_hash bytea NOT NULL,
    start_block int8 NOT NULL,
    nonce int8 NOT NULL DEFAULT 0,
    phase text NOT NULL DEFAULT 'backfill',
    head_number int8 NOT NULL,
    indexed_number int8 NOT NULL,
    indexed_hash bytea,
    finalized_number int8 NOT NULL,
    reorgs int8 NOT NULL DEFAULT 0,
    last_reorg_depth int8,
    last_reorg_at timestamptz,
    updated_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE sync_state IS 'One row: how far the index has come. Written in the transaction that writes the rows it speaks of.';
COMMENT ON COLUMN sync_state.id IS 'Always 1.';
COMMENT ON COLUMN sync_state.chain_id IS 'EIP-155 chain id.';
COMMENT ON COLUMN sync_state.genesis_hash IS 'Hash of block 0; another one means another chain.';
COMMENT ON COLUMN sync_state.start_block IS 'First block that can hold an event of the deployment.';
COMMENT ON COLUMN sync_state.nonce IS 'Raised by one in every writing transaction; a second writer fails on it.';
COMMENT ON COLUMN sync_state.phase IS 'backfill, live, or refold (a reorganisation below the finalised block is being folded anew).';
COMMENT ON COLUMN sync_state.head_number IS 'Newest block of the chain that the indexer has seen.';
COMMENT ON COLUMN sync_state.indexed_number IS 'Newest block whose events are in the tables; start_block - 1 before the first.';
COMMENT ON COLUMN sync_state.indexed_hash IS 'Hash of that block; null before the first.';
COMMENT ON COLUMN sync_state.finalized_number IS 'Newest block taken as final; never falls. Rows changed at or below it will not change back.';
COMMENT ON COLUMN sync_state.reorgs IS 'Reorganisations undone since this version was built.';
COMMENT ON COLUMN sync_state.last_reorg_depth IS 'Blocks undone by the last reorganisation.';
COMMENT ON COLUMN sync_state.last_reorg_at IS 'When the last reorganisation was undone.';
COMMENT ON COLUMN sync_state.updated_at IS 'When this row was last written.';

CREATE TABLE blocks (
    number int8 PRIMARY KEY,
    hash bytea NOT NULL UNIQUE,
    parent_hash bytea NOT NULL,
    timestamp timestamptz NOT NULL
);
COMMENT ON TABLE blocks IS 'Every block that was indexed live, and the last block of each batch of the backfill. Numbers may have gaps (null rounds).';
COMMENT ON COLUMN blocks.number IS 'Height.';
COMMENT ON COLUMN blocks.hash IS 'Block hash.';
COMMENT ON COLUMN blocks.parent_hash IS 'Hash of the block it builds on.';
COMMENT ON COLUMN blocks.timestamp IS 'The block''s own time.';

CREATE TABLE logs (
    block_number int8 NOT NULL,
    tx_index int4 NOT NULL,
    log_index int4 NOT NULL,
    block_hash bytea NOT NULL,
    block_time timestamptz NOT NULL,
    tx_hash bytea NOT NULL,
    address bytea NOT NULL,
    topics bytea NOT NULL,
    data bytea NOT NULL,
    PRIMARY KEY (block_number, tx_index, log_index)
);
COMMENT ON TABLE logs IS 'Raw events of the deployment''s contracts on the canonical chain, kept for ever: the tables can be folded from them without the chain.';
COMMENT ON COLUMN logs.block_number IS 'Height.';
COMMENT ON COLUMN logs.tx_index IS 'Position of the transaction in its block.';
COMMENT ON COLUMN logs.log_index IS 'Position of the event, as the node counts it.';
COMMENT ON COLUMN logs.block_hash IS 'Hash of the block.';
COMMENT ON COLUMN logs.block_time IS 'The block''s own time.';
COMMENT ON COLUMN logs.tx_hash IS 'Transaction hash.';
COMMENT ON COLUMN logs.address IS 'Contract that spoke.';
COMMENT ON COLUMN logs.topics IS 'One to four topics of 32 bytes, joined.';
COMMENT ON COLUMN logs.data IS 'ABI-encoded unindexed arguments.';

CREATE TABLE undo (
    seq int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    block_number int8 NOT NULL,
    tbl text NOT NULL,
    pk jsonb NOT NULL,
    before jsonb
);
COMMENT ON TABLE undo IS 'Rows as they were before a block above the finalised one changed them.';
COMMENT ON COLUMN undo.seq IS 'Order of writing; undoing goes backwards.';
COMMENT ON COLUMN undo.block_number IS 'Block that changed the row.';
COMMENT ON COLUMN undo.tbl IS 'Table of the row.';
COMMENT ON COLUMN undo.pk IS 'Primary key of the row, by column name.';
COMMENT ON COLUMN undo.before IS 'The whole row before the block; null when the block made it.';

CREATE TABLE tasks (
    task_id bytea PRIMARY KEY,
    client bytea NOT NULL,
    payer bytea NOT NULL,
    reward numeric(78) NOT NULL,
    bond numeric(78) NOT NULL,
    input_price numeric(78) NOT NULL,
    output_price numeric(78) NOT NULL,
    params_id int4 NOT NULL,
    replicas int2 NOT NULL,
    quorum int2 NOT NULL,
    mode text NOT NULL,
    status text NOT NULL,
    claim_by int8 NOT NULL,
    retention int8 NOT NULL,
    client_epoch numeric(20) NOT NULL,
    spec bytea NOT NULL,
    salt bytea NOT NULL,
    seed_block int8 NOT NULL,
    deadline int8 NOT NULL,
    claimed int2 NOT NULL,
    committed int2 NOT NULL,
    revealed int2 NOT NULL,
    result bytea,
    winners int2,
    paid numeric(78) NOT NULL,
    fee numeric(78) NOT NULL,
    returned numeric(78) NOT NULL,
    slashed numeric(78) NOT NULL,
    created_block int8 NOT NULL,
    created_tx bytea NOT NULL,
    created_at timestamptz NOT NULL,
    settled_block int8,
    settled_tx bytea,
    settled_at timestamptz,
    updated_block int8 NOT NULL
) WITH (fillfactor = 80);
COMMENT ON TABLE tasks IS 'Every order that was submitted, with the state of its life.';
COMMENT ON COLUMN tasks.task_id IS 'EIP-712 digest of the order.';
COMMENT ON COLUMN tasks.client IS 'Who wants the work and signed the order.';
COMMENT ON COLUMN tasks.payer IS 'Whose escrow pays.';
COMMENT ON COLUMN tasks.reward IS 'Most that may be paid for all seats together, base units; all of it is escrowed.';
COMMENT ON COLUMN tasks.bond IS 'Stake locked for each seat, base units.';
COMMENT ON COLUMN tasks.input_price IS 'Base units per 1,000 input tokens.';
COMMENT ON COLUMN tasks.output_price IS 'Base units per 1,000 output tokens; with input_price 0 too, the price is fixed: reward / replicas a seat.';
COMMENT ON COLUMN tasks.params_id IS 'Parameter version that rules the task.';
COMMENT ON COLUMN tasks.replicas IS 'Seats.';
COMMENT ON COLUMN tasks.quorum IS 'Equal results that settle.';
COMMENT ON COLUMN tasks.mode IS 'quorum or audited.';
COMMENT ON COLUMN tasks.status IS 'open, committing, revealing, challengeable, disputed, final, failed or cancelled.';
COMMENT ON COLUMN tasks.claim_by IS 'Last block at which a seat may be claimed.';
COMMENT ON COLUMN tasks.retention IS 'Blocks after settlement for which the result stays pinned.';
COMMENT ON COLUMN tasks.client_epoch IS 'The client''s epoch at signing.';
COMMENT ON COLUMN tasks.spec IS 'SHA-256 digest of the task''s specification on IPFS.';
COMMENT ON COLUMN tasks.salt IS 'Makes equal orders distinct.';
COMMENT ON COLUMN tasks.seed_block IS 'Block whose beacon value opens the lottery.';
COMMENT ON COLUMN tasks.deadline IS 'Last block of the current phase; 0 in a terminal one, and in a dispute (see audits).';
COMMENT ON COLUMN tasks.claimed IS 'Seats claimed.';
COMMENT ON COLUMN tasks.committed IS 'Seats that committed.';
COMMENT ON COLUMN tasks.revealed IS 'Seats that revealed.';
COMMENT ON COLUMN tasks.result IS 'SHA-256 digest of the agreed result; null until final.';
COMMENT ON COLUMN tasks.winners IS 'Bit i is set when seat i was paid; null until final.';
COMMENT ON COLUMN tasks.paid IS 'Paid to seat owners after the fee, base units.';
COMMENT ON COLUMN tasks.fee IS 'Paid to the treasury from the reward, base units.';
COMMENT ON COLUMN tasks.returned IS 'Part of the reward given back to the payer, base units; without compensation from slashes.';
COMMENT ON COLUMN tasks.slashed IS 'Stake that seat owners lost, base units.';
COMMENT ON COLUMN tasks.created_block IS 'Block of submission.';
COMMENT ON COLUMN tasks.created_tx IS 'Transaction of submission.';
COMMENT ON COLUMN tasks.created_at IS 'Time of that block.';
COMMENT ON COLUMN tasks.settled_block IS 'Block that ended the task (final, failed or cancelled); null while it runs.';
COMMENT ON COLUMN tasks.settled_tx IS 'Transaction that ended the task; null while it runs.';
COMMENT ON COLUMN tasks.settled_at IS 'Time of that block; null while it runs.';
COMMENT ON COLUMN tasks.updated_block IS 'Last block that changed the row.';

CREATE TABLE task_seats (
    task_id bytea NOT NULL,
    seat int2 NOT NULL,
    node bytea NOT NULL,
    owner bytea NOT NULL,
    state text NOT NULL,
    commitment bytea,
    result bytea,
    fingerprint bytea,
    input_tokens int8,
    output_tokens int8,
    outcome text,
    paid numeric(78) NOT NULL,
    slashed numeric(78) NOT NULL,
    claimed_block int8 NOT NULL,
    claimed_tx bytea NOT NULL,
    committed_tx bytea,
    revealed_tx bytea,
    updated_block int8 NOT NULL,
    PRIMARY KEY (task_id, seat)
) WITH (fillfactor = 80);
COMMENT ON TABLE task_seats IS 'One runner''s part in a task.';
COMMENT ON COLUMN task_seats.task_id IS 'The task.';
COMMENT ON COLUMN task_seats.seat IS 'Number of the seat, from 0.';
COMMENT ON COLUMN task_seats.node IS 'The runner''s node key.';
COMMENT ON COLUMN task_seats.owner IS 'The runner''s owner, whose stake is locked and who is paid.';
COMMENT ON COLUMN task_seats.state IS 'claimed, committed or revealed.';
COMMENT ON COLUMN task_seats.commitment IS 'What the seat committed to; null before.';
COMMENT ON COLUMN task_seats.result IS 'Revealed result digest; null before.';
COMMENT ON COLUMN task_seats.fingerprint IS 'Revealed Merkle root of the logprob fingerprint, or 32 zero bytes; null before.';
COMMENT ON COLUMN task_seats.input_tokens IS 'Revealed input tokens; null before.';
COMMENT ON COLUMN task_seats.output_tokens IS 'Revealed output tokens; null before.';
COMMENT ON COLUMN task_seats.outcome IS 'right, wrong, missed or neutral; null until the task is settled.';
COMMENT ON COLUMN task_seats.paid IS 'Paid to the owner, base units.';
COMMENT ON COLUMN task_seats.slashed IS 'Stake lost by the owner, base units.';
COMMENT ON COLUMN task_seats.claimed_block IS 'Block of the claim.';
COMMENT ON COLUMN task_seats.claimed_tx IS 'Transaction of the claim.';
COMMENT ON COLUMN task_seats.committed_tx IS 'Transaction of the commitment; null before.';
COMMENT ON COLUMN task_seats.revealed_tx IS 'Transaction of the reveal; null before.';
COMMENT ON COLUMN task_seats.updated_block IS 'Last block that changed the row.';

CREATE TABLE task_events (
    task_id bytea NOT NULL,
    block_number int8 NOT NULL,
    tx_index int4 NOT NULL,
    log_index int4 NOT NULL,
    tx_hash bytea NOT NULL,
    block_time timestamptz NOT NULL,
    name text NOT NULL,
    node bytea,
    data jsonb NOT NULL
);
COMMENT ON TABLE task_events IS 'A task''s timeline: its events in the order of the chain.';
COMMENT ON COLUMN task_events.task_id IS 'The task.';
COMMENT ON COLUMN task_events.block_number IS 'Height.';
COMMENT ON COLUMN task_events.tx_index IS 'Position of the transaction in its block.';
COMMENT ON COLUMN task_events.log_index IS 'Position of the event, as the node counts it.';
COMMENT ON COLUMN task_events.tx_hash IS 'Transaction hash.';
COMMENT ON COLUMN task_events.block_time IS 'Time of the block.';
COMMENT ON COLUMN task_events.name IS 'Event name as in the contracts: TaskSubmitted, SeatClaimed, SeatCommitted, SeatRevealed, PhaseChanged, TaskFinalized, Settled, Moved, ScoreChanged, and those of the AuditCourt about a case.';
COMMENT ON COLUMN task_events.node IS 'The runner''s node key, where the event names one.';
COMMENT ON COLUMN task_events.data IS 'The other arguments by name: integers as decimal strings, bytes and addresses as 0x hex.';

CREATE TABLE runners (
    node bytea PRIMARY KEY,
    owner bytea NOT NULL,
    label bytea NOT NULL,
    profile bytea NOT NULL,
    status text NOT NULL,
    registered_block int8 NOT NULL,
    banned_until int8 NOT NULL,
    suspended_until int8 NOT NULL,
    strikes int2 NOT NULL,
    updated_block int8 NOT NULL
);
COMMENT ON TABLE runners IS 'Registered runners.';
COMMENT ON COLUMN runners.node IS 'Address of the node (hot) key: the runner''s id.';
COMMENT ON COLUMN runners.owner IS 'Address that stakes and is paid.';
COMMENT ON COLUMN runners.label IS 'The owner''s name for the device, 32 bytes, right-padded UTF-8.';
COMMENT ON COLUMN runners.profile IS 'SHA-256 digest of the profile document (models, prices) on IPFS.';
COMMENT ON COLUMN runners.status IS 'active or retired.';
COMMENT ON COLUMN runners.registered_block IS 'Block of the (last) registration.';
COMMENT ON COLUMN runners.banned_until IS 'Block at which the (last) ban ends or ended; 0 when never banned.';
COMMENT ON COLUMN runners.suspended_until IS 'Block at which the (last) suspension for being offline ends or ended; 0 when never suspended.';
COMMENT ON COLUMN runners.strikes IS 'Bans so far, without those that were undone.';
COMMENT ON COLUMN runners.updated_block IS 'Last block that changed the row.';

CREATE TABLE runner_reputation (
    node bytea PRIMARY KEY,
    score int4 NOT NULL,
    "right" int8 NOT NULL,
    wrong int8 NOT NULL,
    missed int8 NOT NULL,
    monitor_missed int8 NOT NULL,
    wrong_streak int4 NOT NULL,
    updated_block int8 NOT NULL
) WITH (fillfactor = 80);
COMMENT ON TABLE runner_reputation IS 'Record of each runner.';
COMMENT ON COLUMN runner_reputation.node IS 'The runner.';
COMMENT ON COLUMN runner_reputation.score IS 'Millionths, 0 to 1,000,000, as of updated_block, before decay.';
COMMENT ON COLUMN runner_reputation."right" IS 'Seats with a right result.';
COMMENT ON COLUMN runner_reputation.wrong IS 'Seats with a wrong result.';
COMMENT ON COLUMN runner_reputation.missed IS 'Seats that did not commit, or did not reveal where no quorum was found.';
COMMENT ON COLUMN runner_reputation.monitor_missed IS 'Monitoring rounds in which it was silent or lied.';
COMMENT ON COLUMN runner_reputation.wrong_streak IS 'Wrong results since the last right one or ban.';
COMMENT ON COLUMN runner_reputation.updated_block IS 'Block of the last outcome (of registration, before the first).';

CREATE TABLE reputation_events (
    node bytea NOT NULL,
    ref bytea NOT NULL,
    outcome text NOT NULL,
    score int4 NOT NULL,
    block_number int8 NOT NULL,
    tx_index int4 NOT NULL,
    log_index int4 NOT NULL,
    tx_hash bytea NOT NULL,
    block_time timestamptz NOT NULL
);
COMMENT ON TABLE reputation_events IS 'History of each runner''s score.';
COMMENT ON COLUMN reputation_events.node IS 'The runner.';
COMMENT ON COLUMN reputation_events.ref IS 'What it was for: a task id, the round of a challenge (also for the verdict that it is about), or an epoch''s number as 32 bytes.';
COMMENT ON COLUMN reputation_events.outcome IS 'right, wrong, missed or neutral; poor_performance, suspicious_activity, malicious_behavior, offline or resource_abuse; monitor_silent or monitor_lying; restored.';
COMMENT ON COLUMN reputation_events.score IS 'Score after it, millionths.';
COMMENT ON COLUMN reputation_events.block_number IS 'Height.';
COMMENT ON COLUMN reputation_events.tx_index IS 'Position of the transaction in its block.';
COMMENT ON COLUMN reputation_events.log_index IS 'Position of the event, as the node counts it.';
COMMENT ON COLUMN reputation_events.tx_hash IS 'Transaction hash.';
COMMENT ON COLUMN reputation_events.block_time IS 'Time of the block.';

CREATE TABLE balances (
    account bytea PRIMARY KEY,
    free numeric(78) NOT NULL,
    escrowed numeric(78) NOT NULL,
    bonded numeric(78) NOT NULL,
    locked numeric(78) NOT NULL,
    unbonding numeric(78) NOT NULL,
    release_block int8 NOT NULL,
    updated_block int8 NOT NULL
) WITH (fillfactor = 80);
COMMENT ON TABLE balances IS 'The StakeWallet''s ledger. free + escrowed + bonded + unbonding is what it owes the account, besides what is left in its channels.';
COMMENT ON COLUMN balances.account IS 'Address.';
COMMENT ON COLUMN balances.free IS 'Spendable, base units.';
COMMENT ON COLUMN balances.escrowed IS 'Held for running tasks that the account pays, base units.';
COMMENT ON COLUMN balances.bonded IS 'Stake, base units.';
COMMENT ON COLUMN balances.locked IS 'Part of the stake that backs seats in running tasks, base units.';
COMMENT ON COLUMN balances.unbonding IS 'Stake on its way out, base units; slashable until release_block.';
COMMENT ON COLUMN balances.release_block IS 'Block from which unbonding may be completed; 0 when nothing is unbonding.';
COMMENT ON COLUMN balances.updated_block IS 'Last block that changed the row.';

CREATE TABLE parameters (
    params_id int4 PRIMARY KEY,
    commit_for int4 NOT NULL,
    reveal_for int4 NOT NULL,
    challenge_for int4 NOT NULL,
    panel_for int4 NOT NULL,
    max_claim_for int4 NOT NULL,
    maturity int4 NOT NULL,
    fee_bps int4 NOT NULL,
    wrong_bps int4 NOT NULL,
    miss_bps int4 NOT NULL,
    payer_bps int4 NOT NULL,
    burn_bps int4 NOT NULL,
    challenger_bps int4 NOT NULL,
    panel_size int2 NOT NULL,
    max_replicas int2 NOT NULL,
    added_block int8 NOT NULL,
    updated_block int8 NOT NULL
);
COMMENT ON TABLE parameters IS 'Parameter versions of the TaskEscrow; a version never changes.';
COMMENT ON COLUMN parameters.params_id IS 'Version.';
COMMENT ON COLUMN parameters.commit_for IS 'Blocks to commit.';
COMMENT ON COLUMN parameters.reveal_for IS 'Blocks to reveal.';
COMMENT ON COLUMN parameters.challenge_for IS 'Blocks to challenge.';
COMMENT ON COLUMN parameters.panel_for IS 'Blocks for a panel to vote.';
COMMENT ON COLUMN parameters.max_claim_for IS 'Most blocks between submission and claim_by.';
COMMENT ON COLUMN parameters.maturity IS 'Blocks a runner must be registered before the lottery''s seed block.';
COMMENT ON COLUMN parameters.fee_bps IS 'Basis points of each pay, to the treasury.';
COMMENT ON COLUMN parameters.wrong_bps IS 'Basis points of the bond lost for a wrong result.';
COMMENT ON COLUMN parameters.miss_bps IS 'Basis points of the bond lost for no result.';
COMMENT ON COLUMN parameters.payer_bps IS 'Basis points of the slashes of a task that failed, to the payer.';
COMMENT ON COLUMN parameters.burn_bps IS 'Basis points of each slash, burnt.';
COMMENT ON COLUMN parameters.challenger_bps IS 'Basis points of a slash after a won challenge, to the challenger.';
COMMENT ON COLUMN parameters.panel_size IS 'Members of a panel.';
COMMENT ON COLUMN parameters.max_replicas IS 'Most seats of a task.';
COMMENT ON COLUMN parameters.added_block IS 'Block that added the version.';
COMMENT ON COLUMN parameters.updated_block IS 'The same: a version never changes.';

CREATE TABLE client_epochs (
    client bytea PRIMARY KEY,
    epoch numeric(20) NOT NULL,
    updated_block int8 NOT NULL
);
COMMENT ON TABLE client_epochs IS 'Clients that revoked their unsubmitted orders; whoever is absent is at epoch 0.';
COMMENT ON COLUMN client_epochs.client IS 'Who signs orders.';
COMMENT ON COLUMN client_epochs.epoch IS 'Epoch that an order must carry now.';
COMMENT ON COLUMN client_epochs.updated_block IS 'Last block that changed the row.';

CREATE TABLE channels (
    channel_id bytea PRIMARY KEY,
    payer bytea NOT NULL,
    node bytea NOT NULL,
    owner bytea NOT NULL,
    amount numeric(78) NOT NULL,
    deposited numeric(78) NOT NULL,
    redeemed numeric(78) NOT NULL,
    returned numeric(78) NOT NULL,
    status text NOT NULL,
    close_delay int8 NOT NULL,
    open_by int8 NOT NULL,
    salt bytea NOT NULL,
    closes_at int8,
    opened_block int8 NOT NULL,
    opened_tx bytea NOT NULL,
    opened_at timestamptz NOT NULL,
    closed_block int8,
    closed_tx bytea,
    closed_at timestamptz,
    updated_block int8 NOT NULL
) WITH (fillfactor = 80);
COMMENT ON TABLE channels IS 'Payment channels of the StakeWallet. deposited - redeemed - returned is what the wallet still holds in one.';
COMMENT ON COLUMN channels.channel_id IS 'EIP-712 digest of the terms.';
COMMENT ON COLUMN channels.payer IS 'Who deposited and signs vouchers.';
COMMENT ON COLUMN channels.node IS 'Node key of the runner that is paid.';
COMMENT ON COLUMN channels.owner IS 'Owner who receives what is redeemed.';
COMMENT ON COLUMN channels.amount IS 'Opening deposit, a part of the terms, base units.';
COMMENT ON COLUMN channels.deposited IS 'Opening deposit and top-ups, base units.';
COMMENT ON COLUMN channels.redeemed IS 'Paid to the owner by vouchers so far, base units.';
COMMENT ON COLUMN channels.returned IS 'Returned to the payer at the close, base units; 0 until then.';
COMMENT ON COLUMN channels.status IS 'open, closing (the payer asked for the close) or closed.';
COMMENT ON COLUMN channels.close_delay IS 'Blocks between the payer''s request and the close.';
COMMENT ON COLUMN channels.open_by IS 'Last block in which the terms could open it.';
COMMENT ON COLUMN channels.salt IS 'Salt of the terms.';
COMMENT ON COLUMN channels.closes_at IS 'Block from which anybody may close it; null unless the payer asked.';
COMMENT ON COLUMN channels.opened_block IS 'Block of the opening.';
COMMENT ON COLUMN channels.opened_tx IS 'Transaction of the opening.';
COMMENT ON COLUMN channels.opened_at IS 'Time of that block.';
COMMENT ON COLUMN channels.closed_block IS 'Block of the close; null until then.';
COMMENT ON COLUMN channels.closed_tx IS 'Transaction of the close; null until then.';
COMMENT ON COLUMN channels.closed_at IS 'Time of the closing block; null until then.';
COMMENT ON COLUMN channels.updated_block IS 'Last block that changed the row.';

CREATE TABLE modules (
    contract bytea NOT NULL,
    module bytea NOT NULL,
    updated_block int8 NOT NULL,
    PRIMARY KEY (contract, module)
);
COMMENT ON TABLE modules IS 'Contracts that may move ledger entries (of the StakeWallet) or record outcomes (of the RunnerReputation).';
COMMENT ON COLUMN modules.contract IS 'The contract that grants.';
COMMENT ON COLUMN modules.module IS 'The contract that may.';
COMMENT ON COLUMN modules.updated_block IS 'Block of the grant.';

CREATE TABLE pauses (
    target bytea PRIMARY KEY,
    paused_until int8 NOT NULL,
    pausable_from int8 NOT NULL,
    updated_block int8 NOT NULL
);
COMMENT ON TABLE pauses IS 'The last pause of each module of the StakeWallet, and of the StakeWallet itself (deposits and channels).';
COMMENT ON COLUMN pauses.target IS 'The paused module, or the StakeWallet.';
COMMENT ON COLUMN pauses.paused_until IS 'First block in which new things begin there again.';
COMMENT ON COLUMN pauses.pausable_from IS 'First block in which the guardian may pause it again.';
COMMENT ON COLUMN pauses.updated_block IS 'Last block that changed the row.';

CREATE TABLE federated_learning_sessions (
    session_id bytea PRIMARY KEY,
    creator bytea NOT NULL,
    payer bytea NOT NULL,
    budget numeric(78) NOT NULL,
    reward numeric(78) NOT NULL,
    aggregation_reward numeric(78) NOT NULL,
    bond numeric(78) NOT NULL,
    aggregation_bond numeric(78) NOT NULL,
    rounds int4 NOT NULL,
    min_participants int2 NOT NULL,
    max_participants int2 NOT NULL,
    threshold int2 NOT NULL,
    replicas int2 NOT NULL,
    quorum int2 NOT NULL,
    secure bool NOT NULL,
    private_data bool NOT NULL,
    params_id int4 NOT NULL,
    task_params_id int4 NOT NULL,
    join_by int8 NOT NULL,
    train_for int4 NOT NULL,
    reveal_for int4 NOT NULL,
    retention int8 NOT NULL,
    config bytea NOT NULL,
    salt bytea NOT NULL,
    purse bytea NOT NULL,
    seed_block int8 NOT NULL,
    phase text NOT NULL,
    deadline int8 NOT NULL,
    round int4 NOT NULL,
    attempts int2 NOT NULL,
    members int4 NOT NULL,
    expected int4 NOT NULL,
    acted int4 NOT NULL,
    closing bool NOT NULL,
    model bytea,
    task_id bytea,
    finished int4 NOT NULL,
    paid numeric(78) NOT NULL,
    fees numeric(78) NOT NULL,
    tips numeric(78) NOT NULL,
    slashed numeric(78) NOT NULL,
    returned numeric(78) NOT NULL,
    created_block int8 NOT NULL,
    created_tx bytea NOT NULL,
    created_at timestamptz NOT NULL,
    ended_block int8,
    ended_tx bytea,
    ended_at timestamptz,
    updated_block int8 NOT NULL
) WITH (fillfactor = 80);
COMMENT ON TABLE federated_learning_sessions IS 'Learning sessions, with the state of their life.';
COMMENT ON COLUMN federated_learning_sessions.session_id IS 'EIP-712 digest of the session''s order.';
COMMENT ON COLUMN federated_learning_sessions.creator IS 'Who wants the model and signed.';
COMMENT ON COLUMN federated_learning_sessions.payer IS 'Whose money the session spends.';
COMMENT ON COLUMN federated_learning_sessions.budget IS 'Most that the session may cost, base units.';
COMMENT ON COLUMN federated_learning_sessions.reward IS 'Of each accepted contribution, fee included, base units.';
COMMENT ON COLUMN federated_learning_sessions.aggregation_reward IS 'Of all seats of a round''s aggregation together, base units.';
COMMENT ON COLUMN federated_learning_sessions.bond IS 'Stake locked for each participant, base units.';
COMMENT ON COLUMN federated_learning_sessions.aggregation_bond IS 'Stake locked for each aggregating seat, base units.';
COMMENT ON COLUMN federated_learning_sessions.rounds IS 'Rounds ordered.';
COMMENT ON COLUMN federated_learning_sessions.min_participants IS 'Fewest contributions that make a round.';
COMMENT ON COLUMN federated_learning_sessions.max_participants IS 'Slots.';
COMMENT ON COLUMN federated_learning_sessions.threshold IS 'Answers that unmask a sum; 0 unless aggregation is secure.';
COMMENT ON COLUMN federated_learning_sessions.replicas IS 'Seats of an aggregation.';
COMMENT ON COLUMN federated_learning_sessions.quorum IS 'Equal aggregates that settle.';
COMMENT ON COLUMN federated_learning_sessions.secure IS 'Whether aggregation is secure.';
COMMENT ON COLUMN federated_learning_sessions.private_data IS 'Whether participants may train on data of their own.';
COMMENT ON COLUMN federated_learning_sessions.params_id IS 'Version of the session parameters that rules it.';
COMMENT ON COLUMN federated_learning_sessions.task_params_id IS 'Version of the task parameters that rules its aggregations.';
COMMENT ON COLUMN federated_learning_sessions.join_by IS 'Last block at which it could be joined.';
COMMENT ON COLUMN federated_learning_sessions.train_for IS 'Blocks for training.';
COMMENT ON COLUMN federated_learning_sessions.reveal_for IS 'Blocks for each other phase in which participants act.';
COMMENT ON COLUMN federated_learning_sessions.retention IS 'Blocks for which what was published stays available.';
COMMENT ON COLUMN federated_learning_sessions.config IS 'SHA-256 digest of the configuration on IPFS.';
COMMENT ON COLUMN federated_learning_sessions.salt IS 'Salt of the order.';
COMMENT ON COLUMN federated_learning_sessions.purse IS 'Account of the StakeWallet that holds its money; payer of its aggregations. Its balance is what is left.';
COMMENT ON COLUMN federated_learning_sessions.seed_block IS 'Block whose beacon value opens the lottery.';
COMMENT ON COLUMN federated_learning_sessions.phase IS 'joining, training, revealing, keys, shares, masking, unmasking, aggregating, finished, failed or cancelled.';
COMMENT ON COLUMN federated_learning_sessions.deadline IS 'Last block of the phase; 0 in a terminal one.';
COMMENT ON COLUMN federated_learning_sessions.round IS 'Round that it is in; 0 before the first.';
COMMENT ON COLUMN federated_learning_sessions.attempts IS 'Attempts of this round that came to nothing.';
COMMENT ON COLUMN federated_learning_sessions.members IS 'Participants now.';
COMMENT ON COLUMN federated_learning_sessions.expected IS 'Participants who may act in the phase.';
COMMENT ON COLUMN federated_learning_sessions.acted IS 'Of these, who have.';
COMMENT ON COLUMN federated_learning_sessions.closing IS 'Whether it ends after this round.';
COMMENT ON COLUMN federated_learning_sessions.model IS 'SHA-256 digest of the last round''s model; null before the first is settled.';
COMMENT ON COLUMN federated_learning_sessions.task_id IS 'The round''s aggregation task, while it is ordered.';
COMMENT ON COLUMN federated_learning_sessions.finished IS 'Rounds settled.';
COMMENT ON COLUMN federated_learning_sessions.paid IS 'Paid to participants, base units.';
COMMENT ON COLUMN federated_learning_sessions.fees IS 'Paid to the treasury from their rewards, base units.';
COMMENT ON COLUMN federated_learning_sessions.tips IS 'Paid for ending phases past their deadline, base units.';
COMMENT ON COLUMN federated_learning_sessions.slashed IS 'Stake that participants lost, base units.';
COMMENT ON COLUMN federated_learning_sessions.returned IS 'Returned to the payer at the end, base units; 0 until then.';
COMMENT ON COLUMN federated_learning_sessions.created_block IS 'Block of creation.';
COMMENT ON COLUMN federated_learning_sessions.created_tx IS 'Transaction of creation.';
COMMENT ON COLUMN federated_learning_sessions.created_at IS 'Time of that block.';
COMMENT ON COLUMN federated_learning_sessions.ended_block IS 'Block of its end; null until then.';
COMMENT ON COLUMN federated_learning_sessions.ended_tx IS 'Transaction of its end; null until then.';
COMMENT ON COLUMN federated_learning_sessions.ended_at IS 'Time of that block; null until then.';
COMMENT ON COLUMN federated_learning_sessions.updated_block IS 'Last block that changed the row.';

CREATE TABLE fl_rounds (
    session_id bytea NOT NULL,
    round int4 NOT NULL,
    status text NOT NULL,
    attempts int2 NOT NULL,
    base bytea,
    contributions int4 NOT NULL,
    task_id bytea,
    spec bytea,
    model bytea,
    manifest bytea,
    accepted numeric(20),
    accepted_count int4 NOT NULL,
    paid_slots numeric(20),
    pay numeric(78) NOT NULL,
    fee numeric(78) NOT NULL,
    stop bool NOT NULL,
    started_block int8 NOT NULL,
    started_at timestamptz NOT NULL,
    settled_block int8,
    settled_tx bytea,
    settled_at timestamptz,
    updated_block int8 NOT NULL,
    PRIMARY KEY (session_id, round)
) WITH (fillfactor = 80);
COMMENT ON TABLE fl_rounds IS 'Rounds of learning sessions.';
COMMENT ON COLUMN fl_rounds.session_id IS 'The session.';
COMMENT ON COLUMN fl_rounds.round IS 'Number, from 1.';
COMMENT ON COLUMN fl_rounds.status IS 'running, settled, or how the session ended within it: failed or cancelled.';
COMMENT ON COLUMN fl_rounds.attempts IS 'Attempts that came to nothing.';
COMMENT ON COLUMN fl_rounds.base IS 'SHA-256 digest of the model that is trained on; null for the configuration''s own.';
COMMENT ON COLUMN fl_rounds.contributions IS 'Contributions published in this attempt.';
COMMENT ON COLUMN fl_rounds.task_id IS 'The aggregation task that was ordered last.';
COMMENT ON COLUMN fl_rounds.spec IS 'SHA-256 digest of that task''s specification.';
COMMENT ON COLUMN fl_rounds.model IS 'SHA-256 digest of the model; null until settled.';
COMMENT ON COLUMN fl_rounds.manifest IS 'SHA-256 digest of the round''s manifest (reasons, metrics, privacy spent) on IPFS; null until settled.';
COMMENT ON COLUMN fl_rounds.accepted IS 'Bit i is set when the contribution of slot i is in the model; null until settled.';
COMMENT ON COLUMN fl_rounds.accepted_count IS 'How many are.';
COMMENT ON COLUMN fl_rounds.paid_slots IS 'Bit i is set when slot i was paid; null until settled.';
COMMENT ON COLUMN fl_rounds.pay IS 'Of each, base units.';
COMMENT ON COLUMN fl_rounds.fee IS 'Of each to the treasury, base units.';
COMMENT ON COLUMN fl_rounds.stop IS 'Whether the model is good enough to stop early.';
COMMENT ON COLUMN fl_rounds.started_block IS 'Block of its start.';
COMMENT ON COLUMN fl_rounds.started_at IS 'Time of that block.';
COMMENT ON COLUMN fl_rounds.settled_block IS 'Block of settlement; null until then.';
COMMENT ON COLUMN fl_rounds.settled_tx IS 'Transaction of settlement; null until then.';
COMMENT ON COLUMN fl_rounds.settled_at IS 'Time of that block; null until then.';
COMMENT ON COLUMN fl_rounds.updated_block IS 'Last block that changed the row.';

CREATE TABLE fl_participants (
    session_id bytea NOT NULL,
    slot int2 NOT NULL,
    node bytea NOT NULL,
    owner bytea NOT NULL,
    key bytea NOT NULL,
    status text NOT NULL,
    acted_phase text,
    last_digest bytea,
    samples int8,
    contributions int4 NOT NULL,
    accepted int4 NOT NULL,
    missed int4 NOT NULL,
    caught_round int4,
    paid numeric(78) NOT NULL,
    slashed numeric(78) NOT NULL,
    joined_block int8 NOT NULL,
    joined_tx bytea NOT NULL,
    updated_block int8 NOT NULL,
    PRIMARY KEY (session_id, slot)
) WITH (fillfactor = 80);
COMMENT ON TABLE fl_participants IS 'Participants of learning sessions. A slot that was left is taken by the next who joins.';
COMMENT ON COLUMN fl_participants.session_id IS 'The session.';
COMMENT ON COLUMN fl_participants.slot IS 'Number of the slot, from 0.';
COMMENT ON COLUMN fl_participants.node IS 'The runner''s node key.';
COMMENT ON COLUMN fl_participants.owner IS 'The runner''s owner, whose stake is locked and who is paid.';
COMMENT ON COLUMN fl_participants.key IS 'X25519 public key, to which others encrypt.';
COMMENT ON COLUMN fl_participants.status IS 'joined, left (before the start) or out (silent too often, or caught).';
COMMENT ON COLUMN fl_participants.acted_phase IS 'Phase in which it acted last; null before.';
COMMENT ON COLUMN fl_participants.last_digest IS 'SHA-256 digest of the update, or masked update, that it published last; null before.';
COMMENT ON COLUMN fl_participants.samples IS 'Samples that this was trained on; null before.';
COMMENT ON COLUMN fl_participants.contributions IS 'Contributions published.';
COMMENT ON COLUMN fl_participants.accepted IS 'Contributions accepted.';
COMMENT ON COLUMN fl_participants.missed IS 'Rounds in which it fell silent.';
COMMENT ON COLUMN fl_participants.caught_round IS 'Round whose aggregators re-executed its training and found it to be another; null if none did.';
COMMENT ON COLUMN fl_participants.paid IS 'Paid to the owner, base units.';
COMMENT ON COLUMN fl_participants.slashed IS 'Stake lost by the owner, base units.';
COMMENT ON COLUMN fl_participants.joined_block IS 'Block of joining.';
COMMENT ON COLUMN fl_participants.joined_tx IS 'Transaction of joining.';
COMMENT ON COLUMN fl_participants.updated_block IS 'Last block that changed the row.';

CREATE TABLE session_parameters (
    params_id int4 PRIMARY KEY,
    tip numeric(78) NOT NULL,
    min_window int4 NOT NULL,
    max_window int4 NOT NULL,
    max_join_for int4 NOT NULL,
    claim_for int4 NOT NULL,
    open_for int4 NOT NULL,
    maturity int4 NOT NULL,
    fee_bps int4 NOT NULL,
    miss_bps int4 NOT NULL,
    burn_bps int4 NOT NULL,
    max_misses int2 NOT NULL,
    max_attempts int2 NOT NULL,
    max_participants int2 NOT NULL,
    added_block int8 NOT NULL,
    updated_block int8 NOT NULL
);
COMMENT ON TABLE session_parameters IS 'Parameter versions of learning sessions; a version never changes.';
COMMENT ON COLUMN session_parameters.params_id IS 'Version.';
COMMENT ON COLUMN session_parameters.tip IS 'Base units to whoever ends a phase past its deadline.';
COMMENT ON COLUMN session_parameters.min_window IS 'Least blocks of train_for and reveal_for.';
COMMENT ON COLUMN session_parameters.max_window IS 'Most blocks of them.';
COMMENT ON COLUMN session_parameters.max_join_for IS 'Most blocks between creation and join_by.';
COMMENT ON COLUMN session_parameters.claim_for IS 'Blocks in which an aggregation''s seats may be claimed.';
COMMENT ON COLUMN session_parameters.open_for IS 'Blocks for ordering an aggregation, and again for opening its result.';
COMMENT ON COLUMN session_parameters.maturity IS 'Blocks a runner must be registered before the draw.';
COMMENT ON COLUMN session_parameters.fee_bps IS 'Basis points of each pay, to the treasury.';
COMMENT ON COLUMN session_parameters.miss_bps IS 'Basis points of the bond lost by each silence.';
COMMENT ON COLUMN session_parameters.burn_bps IS 'Basis points of each slash, burnt.';
COMMENT ON COLUMN session_parameters.max_misses IS 'Silences after which a participant is out.';
COMMENT ON COLUMN session_parameters.max_attempts IS 'Attempts of a round, after which the session fails.';
COMMENT ON COLUMN session_parameters.max_participants IS 'Most slots of a session.';
COMMENT ON COLUMN session_parameters.added_block IS 'Block that added the version.';
COMMENT ON COLUMN session_parameters.updated_block IS 'The same: a version never changes.';

CREATE TABLE fl_events (
    session_id bytea NOT NULL,
    block_number int8 NOT NULL,
    tx_index int4 NOT NULL,
    log_index int4 NOT NULL,
    tx_hash bytea NOT NULL,
    block_time timestamptz NOT NULL,
    name text NOT NULL,
    node bytea,
    data jsonb NOT NULL
);
COMMENT ON TABLE fl_events IS 'A session''s timeline, and the bulletin board of its participants: its events in the order of the chain.';
COMMENT ON COLUMN fl_events.session_id IS 'The session.';
COMMENT ON COLUMN fl_events.block_number IS 'Height.';
COMMENT ON COLUMN fl_events.tx_index IS 'Position of the transaction in its block.';
COMMENT ON COLUMN fl_events.log_index IS 'Position of the event, as the node counts it.';
COMMENT ON COLUMN fl_events.tx_hash IS 'Transaction hash.';
COMMENT ON COLUMN fl_events.block_time IS 'Time of the block.';
COMMENT ON COLUMN fl_events.name IS 'Event name as in FederatedLearning.';
COMMENT ON COLUMN fl_events.node IS 'The participant''s node key, where the event names one.';
COMMENT ON COLUMN fl_events.data IS 'The other arguments by name: integers as decimal strings, bytes and addresses as 0x hex, phases as words.';
CREATE TABLE monitoring_epochs (
    round bytea PRIMARY KEY,
    epoch int8,
    seed_block int8 NOT NULL,
    seed bytea NOT NULL,
    active int8 NOT NULL,
    opened_block int8 NOT NULL,
    opened_at timestamptz NOT NULL,
    updated_block int8 NOT NULL
);
COMMENT ON TABLE monitoring_epochs IS 'Monitoring rounds that were opened: epochs, and the judges'' rounds of challenges. Who watches whom follows from seed and active.';
COMMENT ON COLUMN monitoring_epochs.round IS 'Id of the round, a number as 32 bytes.';
COMMENT ON COLUMN monitoring_epochs.epoch IS 'Number of the epoch; null for a judges'' round.';
COMMENT ON COLUMN monitoring_epochs.seed_block IS 'Block whose beacon value is the seed.';
COMMENT ON COLUMN monitoring_epochs.seed IS 'Lowest 224 bits of the beacon value, as 32 bytes.';
COMMENT ON COLUMN monitoring_epochs.active IS 'Active runners when it was opened.';
COMMENT ON COLUMN monitoring_epochs.opened_block IS 'Block of the opening.';
COMMENT ON COLUMN monitoring_epochs.opened_at IS 'Time of that block.';
COMMENT ON COLUMN monitoring_epochs.updated_block IS 'Last block that changed the row.';

CREATE TABLE monitoring_assignments (
    round bytea NOT NULL,
    monitor bytea NOT NULL,
    commitment bytea,
    committed_block int8,
    committed_tx bytea,
    revealed_block int8,
    revealed_tx bytea,
    reports int4 NOT NULL,
    mark text,
    mark_target bytea,
    mark_block int8,
    updated_block int8 NOT NULL,
    PRIMARY KEY (round, monitor)
) WITH (fillfactor = 80);
COMMENT ON TABLE monitoring_assignments IS 'Monitors and judges of which something was heard in a round, or whose silence was reported.';
COMMENT ON COLUMN monitoring_assignments.round IS 'The round.';
COMMENT ON COLUMN monitoring_assignments.monitor IS 'Node key of the monitor.';
COMMENT ON COLUMN monitoring_assignments.commitment IS 'What it committed to; null when it did not.';
COMMENT ON COLUMN monitoring_assignments.committed_block IS 'Block of the commitment; null without one.';
COMMENT ON COLUMN monitoring_assignments.committed_tx IS 'Transaction of the commitment; null without one.';
COMMENT ON COLUMN monitoring_assignments.revealed_block IS 'Block of the reveal; null before.';
COMMENT ON COLUMN monitoring_assignments.revealed_tx IS 'Transaction of the reveal; null before.';
COMMENT ON COLUMN monitoring_assignments.reports IS 'Reports that it revealed.';
COMMENT ON COLUMN monitoring_assignments.mark IS 'silent or lying, when somebody reported it; null otherwise.';
COMMENT ON COLUMN monitoring_assignments.mark_target IS 'Runner about which it was silent or lied; null otherwise.';
COMMENT ON COLUMN monitoring_assignments.mark_block IS 'Block of the mark; null without one.';
COMMENT ON COLUMN monitoring_assignments.updated_block IS 'Last block that changed the row.';

CREATE TABLE monitoring_reports (
    round bytea NOT NULL,
    target bytea NOT NULL,
    monitor bytea NOT NULL,
    kind text NOT NULL,
    evidence bytea NOT NULL,
    counted bool NOT NULL,
    revealed_block int8 NOT NULL,
    revealed_tx bytea NOT NULL,
    revealed_at timestamptz NOT NULL,
    updated_block int8 NOT NULL,
    PRIMARY KEY (round, target, monitor)
);
COMMENT ON TABLE monitoring_reports IS 'What monitors and judges said about runners.';
COMMENT ON COLUMN monitoring_reports.round IS 'The round.';
COMMENT ON COLUMN monitoring_reports.target IS 'The runner that it is about.';
COMMENT ON COLUMN monitoring_reports.monitor IS 'Who said it.';
COMMENT ON COLUMN monitoring_reports.kind IS 'good_behavior, poor_performance, suspicious_activity, malicious_behavior, offline or resource_abuse.';
COMMENT ON COLUMN monitoring_reports.evidence IS 'SHA-256 digest of a document on IPFS; zero when there is none.';
COMMENT ON COLUMN monitoring_reports.counted IS 'False when another runner of the same owner had reported before, or the target was gone.';
COMMENT ON COLUMN monitoring_reports.revealed_block IS 'Block of the reveal.';
COMMENT ON COLUMN monitoring_reports.revealed_tx IS 'Transaction of the reveal.';
COMMENT ON COLUMN monitoring_reports.revealed_at IS 'Time of that block.';
COMMENT ON COLUMN monitoring_reports.updated_block IS 'Last block that changed the row.';

CREATE TABLE monitoring_verdicts (
    round bytea NOT NULL,
    target bytea NOT NULL,
    epoch int8 NOT NULL,
    ruling text NOT NULL,
    kind text NOT NULL,
    agreeing int4 NOT NULL,
    reports int4 NOT NULL,
    concluded_block int8 NOT NULL,
    concluded_at timestamptz NOT NULL,
    challenge_round bytea,
    challenger bytea,
    challenged_block int8,
    judged_kind text,
    judged_agreeing int4,
    judged_reports int4,
    resolved_block int8,
    updated_block int8 NOT NULL,
    PRIMARY KEY (round, target)
) WITH (fillfactor = 80);
COMMENT ON TABLE monitoring_verdicts IS 'What became of an epoch''s reports about a runner.';
COMMENT ON COLUMN monitoring_verdicts.round IS 'The epoch''s round.';
COMMENT ON COLUMN monitoring_verdicts.target IS 'The runner.';
COMMENT ON COLUMN monitoring_verdicts.epoch IS 'Number of the epoch.';
COMMENT ON COLUMN monitoring_verdicts.ruling IS 'split, agreed, challenged, upheld, overturned or undecided; the last two are undone.';
COMMENT ON COLUMN monitoring_verdicts.kind IS 'What most monitors said; see monitoring_reports.';
COMMENT ON COLUMN monitoring_verdicts.agreeing IS 'Reports of that kind.';
COMMENT ON COLUMN monitoring_verdicts.reports IS 'Reports that counted.';
COMMENT ON COLUMN monitoring_verdicts.concluded_block IS 'Block of the conclusion.';
COMMENT ON COLUMN monitoring_verdicts.concluded_at IS 'Time of that block.';
COMMENT ON COLUMN monitoring_verdicts.challenge_round IS 'Round of the judges; null unless challenged.';
COMMENT ON COLUMN monitoring_verdicts.challenger IS 'Who posted the bond; null unless challenged.';
COMMENT ON COLUMN monitoring_verdicts.challenged_block IS 'Block of the challenge; null without one.';
COMMENT ON COLUMN monitoring_verdicts.judged_kind IS 'What most judges said; null until resolved, and when none spoke.';
COMMENT ON COLUMN monitoring_verdicts.judged_agreeing IS 'Judges that said so; null until resolved.';
COMMENT ON COLUMN monitoring_verdicts.judged_reports IS 'Judges that spoke; null until resolved.';
COMMENT ON COLUMN monitoring_verdicts.resolved_block IS 'Block of the resolution; null until then.';
COMMENT ON COLUMN monitoring_verdicts.updated_block IS 'Last block that changed the row.';
CREATE TABLE audit_rules (
    params_id int4 PRIMARY KEY,
    min_bond numeric(78) NOT NULL,
    min_audit_bps int4 NOT NULL,
    max_audit_bps int4 NOT NULL,
    audit_fee_bps int4 NOT NULL,
    risk_multiple int4 NOT NULL,
    appeal_size int2 NOT NULL,
    added_block int8 NOT NULL,
    updated_block int8 NOT NULL
);
COMMENT ON TABLE audit_rules IS 'Rules of audits under a parameter version; never changed.';
COMMENT ON COLUMN audit_rules.params_id IS 'The parameter version.';
COMMENT ON COLUMN audit_rules.min_bond IS 'Least bond of an audited order, base units.';
COMMENT ON COLUMN audit_rules.min_audit_bps IS 'Chance of an audit for the best record, basis points.';
COMMENT ON COLUMN audit_rules.max_audit_bps IS 'Chance of an audit for a new runner or after a failure, basis points.';
COMMENT ON COLUMN audit_rules.audit_fee_bps IS 'Wages of a whole first panel, basis points of the runner''s pay.';
COMMENT ON COLUMN audit_rules.risk_multiple IS 'Most bonds that the reward of an audited order may be worth.';
COMMENT ON COLUMN audit_rules.appeal_size IS 'Seats of an appeal''s panel.';
COMMENT ON COLUMN audit_rules.added_block IS 'Block that added them.';
COMMENT ON COLUMN audit_rules.updated_block IS 'The same.';

CREATE TABLE audits (
    task_id bytea PRIMARY KEY,
    node bytea NOT NULL,
    rate_bps int4 NOT NULL,
    draw_block int8 NOT NULL,
    stage text NOT NULL,
    deadline int8 NOT NULL,
    audited bool,
    challenger bytea,
    appellant bytea,
    bond numeric(78) NOT NULL,
    valid bool,
    fees numeric(78) NOT NULL,
    opened_block int8 NOT NULL,
    closed_block int8,
    updated_block int8 NOT NULL
) WITH (fillfactor = 80);
COMMENT ON TABLE audits IS 'Audited tasks from their reveal on: what the beacon drew, who challenged and appealed, and what was decided.';
COMMENT ON COLUMN audits.task_id IS 'The task.';
COMMENT ON COLUMN audits.node IS 'Node key of the runner whose answer it is.';
COMMENT ON COLUMN audits.rate_bps IS 'Chance of an audit, fixed at the reveal, basis points.';
COMMENT ON COLUMN audits.draw_block IS 'Block whose beacon value decides.';
COMMENT ON COLUMN audits.stage IS 'open, cleared (spared by the beacon), voting, revealing, appealable or closed.';
COMMENT ON COLUMN audits.deadline IS 'Last block of the current stage; 0 when closed.';
COMMENT ON COLUMN audits.audited IS 'What the beacon drew; null until somebody asked, or when a challenge came first.';
COMMENT ON COLUMN audits.challenger IS 'Who forced a panel with a bond; null when nobody did.';
COMMENT ON COLUMN audits.appellant IS 'Who took the verdict to a second panel; null when nobody did.';
COMMENT ON COLUMN audits.bond IS 'Bond of the runner, of each auditor, of a challenge and of an appeal, base units.';
COMMENT ON COLUMN audits.valid IS 'The final verdict; null until closed.';
COMMENT ON COLUMN audits.fees IS 'Paid to auditors out of the runner''s pay, base units.';
COMMENT ON COLUMN audits.opened_block IS 'Block of the reveal.';
COMMENT ON COLUMN audits.closed_block IS 'Block of the end; null until then.';
COMMENT ON COLUMN audits.updated_block IS 'Last block that changed the row.';

CREATE TABLE audit_panels (
    task_id bytea NOT NULL,
    round int2 NOT NULL,
    size int2 NOT NULL,
    seed_block int8 NOT NULL,
    seated int2 NOT NULL,
    opened int2 NOT NULL,
    valid bool,
    carried bool,
    convened_block int8 NOT NULL,
    updated_block int8 NOT NULL,
    PRIMARY KEY (task_id, round)
) WITH (fillfactor = 80);
COMMENT ON TABLE audit_panels IS 'Panels that vote about audited tasks: the first, and that of an appeal.';
COMMENT ON COLUMN audit_panels.task_id IS 'The task.';
COMMENT ON COLUMN audit_panels.round IS '0 for the first panel, 1 for the appeal''s.';
COMMENT ON COLUMN audit_panels.size IS 'Seats.';
COMMENT ON COLUMN audit_panels.seed_block IS 'Block whose beacon value opens its lottery.';
COMMENT ON COLUMN audit_panels.seated IS 'Seats taken, each with a sealed vote.';
COMMENT ON COLUMN audit_panels.opened IS 'Votes opened.';
COMMENT ON COLUMN audit_panels.valid IS 'Its verdict; null until there is one.';
COMMENT ON COLUMN audit_panels.carried IS 'Whether a majority of all its seats said so; null until there is a verdict.';
COMMENT ON COLUMN audit_panels.convened_block IS 'Block that convened it.';
COMMENT ON COLUMN audit_panels.updated_block IS 'Last block that changed the row.';

CREATE TABLE audit_votes (
    task_id bytea NOT NULL,
    round int2 NOT NULL,
    seat int2 NOT NULL,
    node bytea NOT NULL,
    owner bytea NOT NULL,
    commitment bytea NOT NULL,
    valid bool,
    evidence bytea,
    outcome text,
    paid numeric(78) NOT NULL,
    slashed numeric(78) NOT NULL,
    sealed_block int8 NOT NULL,
    opened_block int8,
    updated_block int8 NOT NULL,
    PRIMARY KEY (task_id, round, seat)
) WITH (fillfactor = 80);
COMMENT ON TABLE audit_votes IS 'Auditors'' seats and votes.';
COMMENT ON COLUMN audit_votes.task_id IS 'The task.';
COMMENT ON COLUMN audit_votes.round IS 'The panel.';
COMMENT ON COLUMN audit_votes.seat IS 'Number of the seat, from 0.';
COMMENT ON COLUMN audit_votes.node IS 'The auditor''s node key.';
COMMENT ON COLUMN audit_votes.owner IS 'The auditor''s owner, whose stake is locked and who is paid.';
COMMENT ON COLUMN audit_votes.commitment IS 'The sealed vote.';
COMMENT ON COLUMN audit_votes.valid IS 'The vote; null until it is opened.';
COMMENT ON COLUMN audit_votes.evidence IS 'SHA-256 digest of a document that gives reasons; null when there is none.';
COMMENT ON COLUMN audit_votes.outcome IS 'right, wrong, missed or neutral; null until the case is closed.';
COMMENT ON COLUMN audit_votes.paid IS 'Paid to the owner in the task''s own settlement, base units; forfeited bonds pay wages besides.';
COMMENT ON COLUMN audit_votes.slashed IS 'Stake lost by the owner, base units.';
COMMENT ON COLUMN audit_votes.sealed_block IS 'Block in which the seat was taken.';
COMMENT ON COLUMN audit_votes.opened_block IS 'Block in which the vote was opened; null until then.';
COMMENT ON COLUMN audit_votes.updated_block IS 'Last block that changed the row.';

CREATE TABLE vouchers (
    channel_id bytea NOT NULL,
    payer bytea NOT NULL,
    node bytea NOT NULL,
    owner bytea NOT NULL,
    amount numeric(78) NOT NULL,
    cumulative numeric(78) NOT NULL,
    block_number int8 NOT NULL,
    tx_index int4 NOT NULL,
    log_index int4 NOT NULL,
    place int4 NOT NULL,
    tx_hash bytea NOT NULL,
    block_time timestamptz NOT NULL
);
COMMENT ON TABLE vouchers IS 'Vouchers of payment channels that were redeemed. One that was not is known to payer and payee alone.';
COMMENT ON COLUMN vouchers.channel_id IS 'The channel.';
COMMENT ON COLUMN vouchers.payer IS 'Who signed it.';
COMMENT ON COLUMN vouchers.node IS 'Node key of the runner that it was given to.';
COMMENT ON COLUMN vouchers.owner IS 'Who was paid.';
COMMENT ON COLUMN vouchers.amount IS 'What redeeming it paid, base units: what it says less what earlier ones had said.';
COMMENT ON COLUMN vouchers.cumulative IS 'What it says: all that the channel has paid with it, base units.';
COMMENT ON COLUMN vouchers.block_number IS 'Height.';
COMMENT ON COLUMN vouchers.tx_index IS 'Position of the transaction in its block.';
COMMENT ON COLUMN vouchers.log_index IS 'Position of the event, as the node counts it.';
COMMENT ON COLUMN vouchers.place IS 'Place among the vouchers that were redeemed together, from 0.';
COMMENT ON COLUMN vouchers.tx_hash IS 'Transaction hash.';
COMMENT ON COLUMN vouchers.block_time IS 'Time of the block.';

CREATE TABLE proposal_events (
    proposal_id numeric(78) NOT NULL,
    block_number int8 NOT NULL,
    tx_index int4 NOT NULL,
    log_index int4 NOT NULL,
    tx_hash bytea NOT NULL,
    block_time timestamptz NOT NULL,
    name text NOT NULL,
    data jsonb NOT NULL
);
COMMENT ON TABLE proposal_events IS 'What became of each proposal, besides the votes. Its state now is the governor''s to say, since that depends on the time.';
COMMENT ON COLUMN proposal_events.proposal_id IS 'The proposal, as the governor numbers it: a hash of what it does.';
COMMENT ON COLUMN proposal_events.block_number IS 'Height.';
COMMENT ON COLUMN proposal_events.tx_index IS 'Position of the transaction in its block.';
COMMENT ON COLUMN proposal_events.log_index IS 'Position of the event, as the node counts it.';
COMMENT ON COLUMN proposal_events.tx_hash IS 'Transaction hash.';
COMMENT ON COLUMN proposal_events.block_time IS 'Time of the block.';
COMMENT ON COLUMN proposal_events.name IS 'Event name as in ParityGovernor: ProposalCreated, ProposalExtended, ProposalQueued, ProposalExecuted or ProposalCanceled.';
COMMENT ON COLUMN proposal_events.data IS 'The other arguments by name, but for the calls, which the governor itself keeps: integers as decimal strings, addresses as 0x hex. Bytes of the description that are no text are replaced by U+FFFD.';

CREATE TABLE proposal_votes (
    proposal_id numeric(78) NOT NULL,
    voter bytea NOT NULL,
    support text NOT NULL,
    weight numeric(78) NOT NULL,
    reason text NOT NULL,
    params bytea NOT NULL,
    block_number int8 NOT NULL,
    tx_index int4 NOT NULL,
    log_index int4 NOT NULL,
    tx_hash bytea NOT NULL,
    block_time timestamptz NOT NULL
);
COMMENT ON TABLE proposal_votes IS 'Votes on proposals. Nobody can vote twice on one, nor take a vote back.';
COMMENT ON COLUMN proposal_votes.proposal_id IS 'The proposal.';
COMMENT ON COLUMN proposal_votes.voter IS 'Who voted.';
COMMENT ON COLUMN proposal_votes.support IS 'for, against or abstain.';
COMMENT ON COLUMN proposal_votes.weight IS 'Votes that the voter had when voting opened, base units of ParityToken; anybody may vote with none.';
COMMENT ON COLUMN proposal_votes.reason IS 'What the voter said about it; empty for nothing. Bytes that are no text are replaced by U+FFFD.';
COMMENT ON COLUMN proposal_votes.params IS 'Parameters of the vote, of which ParityGovernor makes nothing; mostly empty.';
COMMENT ON COLUMN proposal_votes.block_number IS 'Height.';
COMMENT ON COLUMN proposal_votes.tx_index IS 'Position of the transaction in its block.';
COMMENT ON COLUMN proposal_votes.log_index IS 'Position of the event, as the node counts it.';
COMMENT ON COLUMN proposal_votes.tx_hash IS 'Transaction hash.';
COMMENT ON COLUMN proposal_votes.block_time IS 'Time of the block.';

CREATE TABLE balances_history (
    account bytea NOT NULL,
    free numeric(78) NOT NULL,
    escrowed numeric(78) NOT NULL,
    bonded numeric(78) NOT NULL,
    locked numeric(78) NOT NULL,
    unbonding numeric(78) NOT NULL,
    release_block int8 NOT NULL,
    block_number int8 NOT NULL
);
COMMENT ON TABLE balances_history IS 'Balances at the end of each block that changed it, for reads as of a block: balances_at(block) gives the rows of balances as they were.';
COMMENT ON COLUMN balances_history.account IS 'Address.';
COMMENT ON COLUMN balances_history.free IS 'Spendable, base units.';
COMMENT ON COLUMN balances_history.escrowed IS 'Held for running tasks that the account pays, base units.';
COMMENT ON COLUMN balances_history.bonded IS 'Stake, base units.';
COMMENT ON COLUMN balances_history.locked IS 'Part of the stake that backs seats in running tasks, base units.';
COMMENT ON COLUMN balances_history.unbonding IS 'Stake on its way out, base units; slashable until release_block.';
COMMENT ON COLUMN balances_history.release_block IS 'Block from which unbonding may be completed; 0 when nothing is unbonding.';
COMMENT ON COLUMN balances_history.block_number IS 'Block at whose end the row was so.';

CREATE TABLE tasks_history (
    task_id bytea NOT NULL,
    status text NOT NULL,
    deadline int8 NOT NULL,
    claimed int2 NOT NULL,
    committed int2 NOT NULL,
    revealed int2 NOT NULL,
    result bytea,
    winners int2,
    paid numeric(78) NOT NULL,
    fee numeric(78) NOT NULL,
    returned numeric(78) NOT NULL,
    slashed numeric(78) NOT NULL,
    settled_block int8,
    settled_tx bytea,
    settled_at timestamptz,
    block_number int8 NOT NULL
);
COMMENT ON TABLE tasks_history IS 'What can change of a task at the end of each block that changed it, for reads as of a block: tasks_at(block) gives the rows of tasks as they were.';
COMMENT ON COLUMN tasks_history.task_id IS 'EIP-712 digest of the order.';
COMMENT ON COLUMN tasks_history.status IS 'open, committing, revealing, challengeable, disputed, final, failed or cancelled.';
COMMENT ON COLUMN tasks_history.deadline IS 'Last block of the current phase; 0 in a terminal one, and in a dispute (see audits).';
COMMENT ON COLUMN tasks_history.claimed IS 'Seats claimed.';
COMMENT ON COLUMN tasks_history.committed IS 'Seats that committed.';
COMMENT ON COLUMN tasks_history.revealed IS 'Seats that revealed.';
COMMENT ON COLUMN tasks_history.result IS 'SHA-256 digest of the agreed result; null until final.';
COMMENT ON COLUMN tasks_history.winners IS 'Bit i is set when seat i was paid; null until final.';
COMMENT ON COLUMN tasks_history.paid IS 'Paid to seat owners after the fee, base units.';
COMMENT ON COLUMN tasks_history.fee IS 'Paid to the treasury from the reward, base units.';
COMMENT ON COLUMN tasks_history.returned IS 'Part of the reward given back to the payer, base units; without compensation from slashes.';
COMMENT ON COLUMN tasks_history.slashed IS 'Stake that seat owners lost, base units.';
COMMENT ON COLUMN tasks_history.settled_block IS 'Block that ended the task (final, failed or cancelled); null while it runs.';
COMMENT ON COLUMN tasks_history.settled_tx IS 'Transaction that ended the task; null while it runs.';
COMMENT ON COLUMN tasks_history.settled_at IS 'Time of that block; null while it runs.';
COMMENT ON COLUMN tasks_history.block_number IS 'Block at whose end the row was so.';

CREATE TABLE task_seats_history (
    task_id bytea NOT NULL,
    seat int2 NOT NULL,
    state text NOT NULL,
    commitment bytea,
    result bytea,
    fingerprint bytea,
    input_tokens int8,
    output_tokens int8,
    outcome text,
    paid numeric(78) NOT NULL,
    slashed numeric(78) NOT NULL,
    committed_tx bytea,
    revealed_tx bytea,
    block_number int8 NOT NULL
);
COMMENT ON TABLE task_seats_history IS 'What can change of a seat at the end of each block that changed it, for reads as of a block: task_seats_at(block) gives the rows of task_seats as they were.';
COMMENT ON COLUMN task_seats_history.task_id IS 'The task.';
COMMENT ON COLUMN task_seats_history.seat IS 'Number of the seat, from 0.';
COMMENT ON COLUMN task_seats_history.state IS 'claimed, committed or revealed.';
COMMENT ON COLUMN task_seats_history.commitment IS 'What the seat committed to; null before.';
COMMENT ON COLUMN task_seats_history.result IS 'Revealed result digest; null before.';
COMMENT ON COLUMN task_seats_history.fingerprint IS 'Revealed Merkle root of the logprob fingerprint, or 32 zero bytes; null before.';
COMMENT ON COLUMN task_seats_history.input_tokens IS 'Revealed input tokens; null before.';
COMMENT ON COLUMN task_seats_history.output_tokens IS 'Revealed output tokens; null before.';
COMMENT ON COLUMN task_seats_history.outcome IS 'right, wrong, missed or neutral; null until the task is settled.';
COMMENT ON COLUMN task_seats_history.paid IS 'Paid to the owner, base units.';
COMMENT ON COLUMN task_seats_history.slashed IS 'Stake lost by the owner, base units.';
COMMENT ON COLUMN task_seats_history.committed_tx IS 'Transaction of the commitment; null before.';
COMMENT ON COLUMN task_seats_history.revealed_tx IS 'Transaction of the reveal; null before.';
COMMENT ON COLUMN task_seats_history.block_number IS 'Block at whose end the row was so.';

CREATE TABLE runners_history (
    node bytea NOT NULL,
    owner bytea NOT NULL,
    label bytea NOT NULL,
    profile bytea NOT NULL,
    status text NOT NULL,
    registered_block int8 NOT NULL,
    banned_until int8 NOT NULL,
    suspended_until int8 NOT NULL,
    strikes int2 NOT NULL,
    block_number int8 NOT NULL
);
COMMENT ON TABLE runners_history IS 'Runners at the end of each block that changed it, for reads as of a block: runners_at(block) gives the rows of runners as they were.';
COMMENT ON COLUMN runners_history.node IS 'Address of the node (hot) key: the runner''s id.';
COMMENT ON COLUMN runners_history.owner IS 'Address that stakes and is paid.';
COMMENT ON COLUMN runners_history.label IS 'The owner''s name for the device, 32 bytes, right-padded UTF-8.';
COMMENT ON COLUMN runners_history.profile IS 'SHA-256 digest of the profile document (models, prices) on IPFS.';
COMMENT ON COLUMN runners_history.status IS 'active or retired.';
COMMENT ON COLUMN runners_history.registered_block IS 'Block of the (last) registration.';
COMMENT ON COLUMN runners_history.banned_until IS 'Block at which the (last) ban ends or ended; 0 when never banned.';
COMMENT ON COLUMN runners_history.suspended_until IS 'Block at which the (last) suspension for being offline ends or ended; 0 when never suspended.';
COMMENT ON COLUMN runners_history.strikes IS 'Bans so far, without those that were undone.';
COMMENT ON COLUMN runners_history.block_number IS 'Block at whose end the row was so.';

CREATE TABLE runner_reputation_history (
    node bytea NOT NULL,
    score int4 NOT NULL,
    "right" int8 NOT NULL,
    wrong int8 NOT NULL,
    missed int8 NOT NULL,
    monitor_missed int8 NOT NULL,
    wrong_streak int4 NOT NULL,
    block_number int8 NOT NULL
);
COMMENT ON TABLE runner_reputation_history IS 'Records at the end of each block that changed it, for reads as of a block: runner_reputation_at(block) gives the rows of runner_reputation as they were.';
COMMENT ON COLUMN runner_reputation_history.node IS 'The runner.';
COMMENT ON COLUMN runner_reputation_history.score IS 'Millionths, 0 to 1,000,000, as of updated_block, before decay.';
COMMENT ON COLUMN runner_reputation_history."right" IS 'Seats with a right result.';
COMMENT ON COLUMN runner_reputation_history.wrong IS 'Seats with a wrong result.';
COMMENT ON COLUMN runner_reputation_history.missed IS 'Seats that did not commit, or did not reveal where no quorum was found.';
COMMENT ON COLUMN runner_reputation_history.monitor_missed IS 'Monitoring rounds in which it was silent or lied.';
COMMENT ON COLUMN runner_reputation_history.wrong_streak IS 'Wrong results since the last right one or ban.';
COMMENT ON COLUMN runner_reputation_history.block_number IS 'Block at whose end the row was so.';

CREATE TABLE channels_history (
    channel_id bytea NOT NULL,
    deposited numeric(78) NOT NULL,
    redeemed numeric(78) NOT NULL,
    returned numeric(78) NOT NULL,
    status text NOT NULL,
    closes_at int8,
    closed_block int8,
    closed_tx bytea,
    closed_at timestamptz,
    block_number int8 NOT NULL
);
COMMENT ON TABLE channels_history IS 'What can change of a channel at the end of each block that changed it, for reads as of a block: channels_at(block) gives the rows of channels as they were.';
COMMENT ON COLUMN channels_history.channel_id IS 'EIP-712 digest of the terms.';
COMMENT ON COLUMN channels_history.deposited IS 'Opening deposit and top-ups, base units.';
COMMENT ON COLUMN channels_history.redeemed IS 'Paid to the owner by vouchers so far, base units.';
COMMENT ON COLUMN channels_history.returned IS 'Returned to the payer at the close, base units; 0 until then.';
COMMENT ON COLUMN channels_history.status IS 'open, closing (the payer asked for the close) or closed.';
COMMENT ON COLUMN channels_history.closes_at IS 'Block from which anybody may close it; null unless the payer asked.';
COMMENT ON COLUMN channels_history.closed_block IS 'Block of the close; null until then.';
COMMENT ON COLUMN channels_history.closed_tx IS 'Transaction of the close; null until then.';
COMMENT ON COLUMN channels_history.closed_at IS 'Time of the closing block; null until then.';
COMMENT ON COLUMN channels_history.block_number IS 'Block at whose end the row was so.';

CREATE TABLE totals (
    name text PRIMARY KEY,
    amount numeric(78) NOT NULL
) WITH (fillfactor = 50);
COMMENT ON TABLE totals IS 'Counts and sums over whole tables, so that nobody has to scan them. Kept by triggers from the end of the backfill on; exact after every change, undone ones too.';
COMMENT ON COLUMN totals.name IS 'tasks.<status> and runners.<status> count rows; paid, fee, returned and slashed sum over tasks; free, escrowed, bonded, locked and unbonding sum over balances.';
COMMENT ON COLUMN totals.amount IS 'The count, or the sum in base units.';

-- section: indexes

CREATE UNIQUE INDEX IF NOT EXISTS task_events_order ON task_events (task_id, block_number, tx_index, log_index);

CREATE INDEX IF NOT EXISTS task_events_block ON task_events (block_number);

CREATE INDEX IF NOT EXISTS task_seats_node ON task_seats (node, claimed_block, task_id);
CREATE INDEX IF NOT EXISTS task_seats_owner ON task_seats (owner, claimed_block, task_id);

CREATE INDEX IF NOT EXISTS tasks_created ON tasks (created_block, task_id);
CREATE INDEX IF NOT EXISTS tasks_settled ON tasks (settled_block, task_id);
CREATE INDEX IF NOT EXISTS tasks_reward ON tasks (reward, task_id);
CREATE INDEX IF NOT EXISTS tasks_client ON tasks (client, created_block, task_id);
CREATE INDEX IF NOT EXISTS tasks_payer ON tasks (payer, created_block, task_id);
CREATE INDEX IF NOT EXISTS tasks_status ON tasks (status, created_block, task_id);
CREATE INDEX IF NOT EXISTS tasks_spec ON tasks (spec);

CREATE UNIQUE INDEX IF NOT EXISTS reputation_events_order ON reputation_events (node, block_number, tx_index, log_index);
CREATE INDEX IF NOT EXISTS reputation_events_block ON reputation_events (block_number);
CREATE INDEX IF NOT EXISTS reputation_events_ref ON reputation_events (ref);

CREATE UNIQUE INDEX IF NOT EXISTS balances_history_order ON balances_history (account, block_number);

CREATE UNIQUE INDEX IF NOT EXISTS tasks_history_order ON tasks_history (task_id, block_number);
CREATE UNIQUE INDEX IF NOT EXISTS task_seats_history_order ON task_seats_history (task_id, seat, block_number);
CREATE UNIQUE INDEX IF NOT EXISTS runners_history_order ON runners_history (node, block_number);
CREATE UNIQUE INDEX IF NOT EXISTS runner_reputation_history_order ON runner_reputation_history (node, block_number);
CREATE UNIQUE INDEX IF NOT EXISTS channels_history_order ON channels_history (channel_id, block_number);

-- Totals: each changed row adds its pairs of name and amount (given to the trigger as SQL over `r`), and its former self
-- takes its own away. By statement, so that a batch costs one; made and filled here, so that a backfill costs nothing.
CREATE OR REPLACE FUNCTION keep_totals() RETURNS trigger LANGUAGE plpgsql AS $function$
DECLARE
    added text := format('SELECT v.name, v.amount FROM added r CROSS JOIN LATERAL (VALUES %s) v (name, amount)', TG_ARGV[0]);
    taken text := format('SELECT v.name, -v.amount FROM taken r CROSS JOIN LATERAL (VALUES %s) v (name, amount)', TG_ARGV[0]);
BEGIN
    -- An upsert fires the triggers of inserts and of updates, whichever it did.
    IF TG_OP <> 'DELETE' THEN
        IF NOT EXISTS (SELECT FROM added) THEN
            RETURN NULL;
        END IF;
    END IF;
    EXECUTE format(
        'INSERT INTO %I.totals AS t (name, amount) SELECT name, sum(amount) FROM (%s) d (name, amount) GROUP BY name HAVING sum(amount) <> 0'
        ' ON CONFLICT (name) DO UPDATE SET amount = t.amount + EXCLUDED.amount',
        TG_TABLE_SCHEMA,
        CASE TG_OP WHEN 'INSERT' THEN added WHEN 'DELETE' THEN taken ELSE added || ' UNION ALL ' || taken END
    );
    RETURN NULL;
END
$function$;
CREATE OR REPLACE TRIGGER totals_insert AFTER INSERT ON tasks REFERENCING NEW TABLE AS added FOR EACH STATEMENT
    EXECUTE FUNCTION keep_totals('(''tasks.'' || r.status, 1), (''paid'', r.paid), (''fee'', r.fee), (''returned'', r.returned), (''slashed'', r.slashed)');
CREATE OR REPLACE TRIGGER totals_update AFTER UPDATE ON tasks REFERENCING NEW TABLE AS added OLD TABLE AS taken FOR EACH STATEMENT
    EXECUTE FUNCTION keep_totals('(''tasks.'' || r.status, 1), (''paid'', r.paid), (''fee'', r.fee), (''returned'', r.returned), (''slashed'', r.slashed)');
CREATE OR REPLACE TRIGGER totals_delete AFTER DELETE ON tasks REFERENCING OLD TABLE AS taken FOR EACH STATEMENT
    EXECUTE FUNCTION keep_totals('(''tasks.'' || r.status, 1), (''paid'', r.paid), (''fee'', r.fee), (''returned'', r.returned), (''slashed'', r.slashed)');
CREATE OR REPLACE TRIGGER totals_insert AFTER INSERT ON runners REFERENCING NEW TABLE AS added FOR EACH STATEMENT
    EXECUTE FUNCTION keep_totals('(''runners.'' || r.status, 1)');
CREATE OR REPLACE TRIGGER totals_update AFTER UPDATE ON runners REFERENCING NEW TABLE AS added OLD TABLE AS taken FOR EACH STATEMENT
    EXECUTE FUNCTION keep_totals('(''runners.'' || r.status, 1)');
CREATE OR REPLACE TRIGGER totals_delete AFTER DELETE ON runners REFERENCING OLD TABLE AS taken FOR EACH STATEMENT
    EXECUTE FUNCTION keep_totals('(''runners.'' || r.status, 1)');
CREATE OR REPLACE TRIGGER totals_insert AFTER INSERT ON balances REFERENCING NEW TABLE AS added FOR EACH STATEMENT
    EXECUTE FUNCTION keep_totals('(''free'', r.free), (''escrowed'', r.escrowed), (''bonded'', r.bonded), (''locked'', r.locked), (''unbonding'', r.unbonding)');
CREATE OR REPLACE TRIGGER totals_update AFTER UPDATE ON balances REFERENCING NEW TABLE AS added OLD TABLE AS taken FOR EACH STATEMENT
    EXECUTE FUNCTION keep_totals('(''free'', r.free), (''escrowed'', r.escrowed), (''bonded'', r.bonded), (''locked'', r.locked), (''unbonding'', r.unbonding)');
CREATE OR REPLACE TRIGGER totals_delete AFTER DELETE ON balances REFERENCING OLD TABLE AS taken FOR EACH STATEMENT
    EXECUTE FUNCTION keep_totals('(''free'', r.free), (''escrowed'', r.escrowed), (''bonded'', r.bonded), (''locked'', r.locked), (''unbonding'', r.unbonding)');
TRUNCATE totals;
INSERT INTO totals (name, amount) SELECT name, sum(amount) FROM (
    SELECT v.name, v.amount FROM tasks r CROSS JOIN LATERAL (VALUES ('tasks.' || r.status, 1), ('paid', r.paid), ('fee', r.fee), ('returned', r.returned), ('slashed', r.slashed)) v (name, amount)
    UNION ALL
    SELECT v.name, v.amount FROM runners r CROSS JOIN LATERAL (VALUES ('runners.' || r.status, 1)) v (name, amount)
    UNION ALL
    SELECT v.name, v.amount FROM balances r CROSS JOIN LATERAL (VALUES ('free', r.free), ('escrowed', r.escrowed), ('bonded', r.bonded), ('locked', r.locked), ('unbonding', r.unbonding)) v (name, amount)
) AS counted GROUP BY name;

CREATE INDEX IF NOT EXISTS undo_block ON undo (block_number);
CREATE INDEX IF NOT EXISTS runners_owner ON runners (owner, node);
CREATE INDEX IF NOT EXISTS runners_registered ON runners (registered_block, node);
CREATE INDEX IF NOT EXISTS runners_status ON runners (status, node);
CREATE INDEX IF NOT EXISTS runner_reputation_score ON runner_reputation (score, node);
CREATE INDEX IF NOT EXISTS channels_opened ON channels (opened_block, channel_id);
CREATE INDEX IF NOT EXISTS channels_status ON channels (status, opened_block, channel_id);
CREATE INDEX IF NOT EXISTS channels_payer ON channels (payer, opened_block, channel_id);
CREATE INDEX IF NOT EXISTS channels_owner ON channels (owner, opened_block, channel_id);
CREATE INDEX IF NOT EXISTS channels_node ON channels (node, opened_block, channel_id);

CREATE INDEX IF NOT EXISTS monitoring_epochs_epoch ON monitoring_epochs (epoch);
CREATE INDEX IF NOT EXISTS monitoring_assignments_heard ON monitoring_assignments (updated_block, round, monitor);
CREATE INDEX IF NOT EXISTS monitoring_assignments_monitor ON monitoring_assignments (monitor, updated_block);
CREATE INDEX IF NOT EXISTS monitoring_reports_target ON monitoring_reports (target, revealed_block);
CREATE INDEX IF NOT EXISTS monitoring_reports_monitor ON monitoring_reports (monitor, revealed_block);
CREATE INDEX IF NOT EXISTS monitoring_reports_revealed ON monitoring_reports (revealed_block, round, target, monitor);
CREATE INDEX IF NOT EXISTS monitoring_verdicts_concluded ON monitoring_verdicts (concluded_block, round, target);
CREATE INDEX IF NOT EXISTS monitoring_verdicts_target ON monitoring_verdicts (target, epoch);
CREATE INDEX IF NOT EXISTS monitoring_verdicts_challenge ON monitoring_verdicts (challenge_round);

CREATE INDEX IF NOT EXISTS sessions_created ON federated_learning_sessions (created_block, session_id);
CREATE INDEX IF NOT EXISTS sessions_creator ON federated_learning_sessions (creator, created_block, session_id);
CREATE INDEX IF NOT EXISTS sessions_phase ON federated_learning_sessions (phase, created_block, session_id);
CREATE INDEX IF NOT EXISTS sessions_purse ON federated_learning_sessions (purse);
CREATE INDEX IF NOT EXISTS fl_rounds_task ON fl_rounds (task_id);
CREATE INDEX IF NOT EXISTS fl_participants_node ON fl_participants (node, joined_block, session_id);
CREATE INDEX IF NOT EXISTS fl_participants_owner ON fl_participants (owner, joined_block, session_id);
CREATE UNIQUE INDEX IF NOT EXISTS fl_events_order ON fl_events (session_id, block_number, tx_index, log_index);
CREATE INDEX IF NOT EXISTS fl_events_block ON fl_events (block_number);

CREATE UNIQUE INDEX IF NOT EXISTS vouchers_order ON vouchers (block_number, tx_index, log_index, place);
CREATE INDEX IF NOT EXISTS vouchers_channel ON vouchers (channel_id, block_number, tx_index, log_index, place);
CREATE INDEX IF NOT EXISTS vouchers_payer ON vouchers (payer, block_number, tx_index, log_index, place);
CREATE INDEX IF NOT EXISTS vouchers_node ON vouchers (node, block_number, tx_index, log_index, place);
CREATE INDEX IF NOT EXISTS vouchers_owner ON vouchers (owner, block_number, tx_index, log_index, place);
CREATE UNIQUE INDEX IF NOT EXISTS proposal_events_order ON proposal_events (proposal_id, block_number, tx_index, log_index);
CREATE INDEX IF NOT EXISTS proposal_events_block ON proposal_events (block_number);
CREATE UNIQUE INDEX IF NOT EXISTS proposal_votes_voter ON proposal_votes (proposal_id, voter);
CREATE INDEX IF NOT EXISTS proposal_votes_of_voter ON proposal_votes (voter, block_number, tx_index, log_index);
CREATE INDEX IF NOT EXISTS proposal_votes_order ON proposal_votes (block_number, tx_index, log_index);
CREATE INDEX IF NOT EXISTS proposal_votes_cast ON proposal_votes (proposal_id, block_number, tx_index, log_index);
CREATE INDEX IF NOT EXISTS proposal_votes_weight ON proposal_votes (proposal_id, weight, block_number, tx_index, log_index);
CREATE INDEX IF NOT EXISTS proposal_votes_heaviest ON proposal_votes (weight, block_number, tx_index, log_index);

CREATE INDEX IF NOT EXISTS audits_stage ON audits (stage, task_id);
CREATE INDEX IF NOT EXISTS audits_opened ON audits (opened_block, task_id);
CREATE INDEX IF NOT EXISTS audits_node ON audits (node, opened_block, task_id);
CREATE INDEX IF NOT EXISTS audit_votes_node ON audit_votes (node, sealed_block, task_id);
CREATE INDEX IF NOT EXISTS audit_votes_owner ON audit_votes (owner, sealed_block, task_id);

-- section: views

CREATE VIEW documents AS SELECT digest, kind, content, size, status, error, attempts, fetched_at FROM content.documents;
COMMENT ON VIEW documents IS 'Documents fetched from IPFS (content.documents).';
COMMENT ON COLUMN documents.digest IS 'SHA-256 of the content; with the raw codec it is the CIDv1.';
COMMENT ON COLUMN documents.kind IS 'What the chain refers to it as: spec, result, profile, session or model-card.';
COMMENT ON COLUMN documents.content IS 'The parsed document; null unless status is stored.';
COMMENT ON COLUMN documents.size IS 'Bytes of the content; null until it was fetched.';
COMMENT ON COLUMN documents.status IS 'pending, unavailable, stored, mismatch, too_large or invalid; see content.documents.';
COMMENT ON COLUMN documents.error IS 'Why it is not stored; null when it is.';
COMMENT ON COLUMN documents.attempts IS 'Fetches tried so far.';
COMMENT ON COLUMN documents.fetched_at IS 'When the content arrived; null until then.';

CREATE VIEW task_results AS
SELECT t.task_id, t.result, d.content AS document, coalesce(d.status, 'pending') AS document_status, t.settled_block, t.settled_at
FROM tasks t LEFT JOIN content.documents d ON d.digest = t.result
WHERE t.status = 'final';
COMMENT ON VIEW task_results IS 'Agreed results of final tasks, with their documents.';
COMMENT ON COLUMN task_results.task_id IS 'The task.';
COMMENT ON COLUMN task_results.result IS 'SHA-256 digest of the result document.';
COMMENT ON COLUMN task_results.document IS 'The result document; null until it was fetched.';
COMMENT ON COLUMN task_results.document_status IS 'Status of the document; see documents.';
COMMENT ON COLUMN task_results.settled_block IS 'Block of settlement.';
COMMENT ON COLUMN task_results.settled_at IS 'Time of that block.';

CREATE VIEW prompt_requests AS
SELECT
    t.task_id,
    t.client AS creator,
    s.content ->> 'clientId' AS client_id,
    s.content ->> 'model' AS model,
    s.content ->> 'prompt' AS prompt,
    t.status,
    r.content ->> 'output' AS output,
    (r.content ->> 'inputTokens')::int8 AS input_tokens,
    (r.content ->> 'outputTokens')::int8 AS output_tokens,
    t.paid + t.fee AS cost,
    t.created_at,
    t.settled_at AS completed_at
FROM tasks t
JOIN content.documents s ON s.digest = t.spec AND s.content ->> 'kind' = 'llm'
LEFT JOIN content.documents r ON r.digest = t.result AND r.content ->> 'kind' = 'llm-result';
COMMENT ON VIEW prompt_requests IS 'Tasks whose specification is a prompt for a language model.';
COMMENT ON COLUMN prompt_requests.task_id IS 'The task.';
COMMENT ON COLUMN prompt_requests.creator IS 'Address that signed the order.';
COMMENT ON COLUMN prompt_requests.client_id IS 'Name of the application, for billing; null when it gave none.';
COMMENT ON COLUMN prompt_requests.model IS 'Model as name@sha256:digest.';
COMMENT ON COLUMN prompt_requests.prompt IS 'The prompt.';
COMMENT ON COLUMN prompt_requests.status IS 'Status of the task; see tasks.';
COMMENT ON COLUMN prompt_requests.output IS 'The agreed answer; null until settled and fetched.';
COMMENT ON COLUMN prompt_requests.input_tokens IS 'Tokens of the prompt, as the result document states them.';
COMMENT ON COLUMN prompt_requests.output_tokens IS 'Tokens of the answer, as the result document states them.';
COMMENT ON COLUMN prompt_requests.cost IS 'What the payer paid, fee included, base units.';
COMMENT ON COLUMN prompt_requests.created_at IS 'Time of submission.';
COMMENT ON COLUMN prompt_requests.completed_at IS 'Time of settlement; null while it runs.';

CREATE VIEW model_capabilities AS
SELECT
    r.node,
    m ->> 'name' AS model,
    m ->> 'digest' AS digest,
    (m ->> 'context')::int8 AS context,
    (m ->> 'inputPrice')::numeric(78) AS input_price,
    (m ->> 'outputPrice')::numeric(78) AS output_price
FROM runners r
JOIN content.documents d ON d.digest = r.profile AND d.content ->> 'kind' = 'runner-profile'
CROSS JOIN LATERAL jsonb_array_elements(d.content -> 'models') AS m
WHERE r.status = 'active';
COMMENT ON VIEW model_capabilities IS 'Models that active runners offer, from their profile documents.';
COMMENT ON COLUMN model_capabilities.node IS 'The runner.';
COMMENT ON COLUMN model_capabilities.model IS 'Name of the model.';
COMMENT ON COLUMN model_capabilities.digest IS 'SHA-256 of the model''s weights, hex.';
COMMENT ON COLUMN model_capabilities.context IS 'Longest context, tokens.';
COMMENT ON COLUMN model_capabilities.input_price IS 'Asked base units per 1,000 input tokens.';
COMMENT ON COLUMN model_capabilities.output_price IS 'Asked base units per 1,000 output tokens.';

CREATE VIEW billing_metrics AS
SELECT
    client_id,
    creator,
    model,
    (created_at AT TIME ZONE 'UTC')::date AS day,
    count(*) AS requests,
    coalesce(sum(input_tokens), 0)::int8 AS input_tokens,
    coalesce(sum(output_tokens), 0)::int8 AS output_tokens,
    sum(cost)::numeric(78) AS cost
FROM prompt_requests
GROUP BY client_id, creator, model, (created_at AT TIME ZONE 'UTC')::date;
COMMENT ON VIEW billing_metrics IS 'Use and cost by application, creator, model and day.';
COMMENT ON COLUMN billing_metrics.client_id IS 'Name of the application; null when it gave none.';
COMMENT ON COLUMN billing_metrics.creator IS 'Address that signed the orders.';
COMMENT ON COLUMN billing_metrics.model IS 'Model as name@sha256:digest.';
COMMENT ON COLUMN billing_metrics.day IS 'UTC day of submission.';
COMMENT ON COLUMN billing_metrics.requests IS 'Prompts submitted.';
COMMENT ON COLUMN billing_metrics.input_tokens IS 'Tokens of settled prompts.';
COMMENT ON COLUMN billing_metrics.output_tokens IS 'Tokens of settled answers.';
COMMENT ON COLUMN billing_metrics.cost IS 'Paid, fees included, base units.';
