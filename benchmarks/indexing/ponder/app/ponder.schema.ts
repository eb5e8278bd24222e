// The rows that Parity's indexer folds from the same events.
import { index, onchainTable, primaryKey } from "ponder";

export const tasks = onchainTable(
  "tasks",
  (t) => ({
    taskId: t.hex().primaryKey(),
    client: t.hex().notNull(),
    payer: t.hex().notNull(),
    reward: t.bigint().notNull(),
    bond: t.bigint().notNull(),
    inputPrice: t.bigint().notNull(),
    outputPrice: t.bigint().notNull(),
    paramsId: t.integer().notNull(),
    replicas: t.integer().notNull(),
    quorum: t.integer().notNull(),
    mode: t.integer().notNull(),
    status: t.integer().notNull(),
    claimBy: t.bigint().notNull(),
    retention: t.bigint().notNull(),
    clientEpoch: t.bigint().notNull(),
    spec: t.hex().notNull(),
    salt: t.hex().notNull(),
    seedBlock: t.bigint().notNull(),
    deadline: t.bigint().notNull(),
    claimed: t.integer().notNull(),
    committed: t.integer().notNull(),
    revealed: t.integer().notNull(),
    result: t.hex(),
    winners: t.integer(),
    paid: t.bigint().notNull(),
    fee: t.bigint().notNull(),
    returned: t.bigint().notNull(),
    slashed: t.bigint().notNull(),
    createdBlock: t.bigint().notNull(),
    createdTx: t.hex().notNull(),
    createdAt: t.bigint().notNull(),
    settledBlock: t.bigint(),
    settledTx: t.hex(),
    settledAt: t.bigint(),
    updatedBlock: t.bigint().notNull(),
  }),
  (table) => ({
    created: index().on(table.createdBlock),
    clients: index().on(table.client),
    statuses: index().on(table.status),
  }),
);

export const taskSeats = onchainTable(
  "task_seats",
  (t) => ({
    taskId: t.hex().notNull(),
    seat: t.integer().notNull(),
    node: t.hex().notNull(),
    owner: t.hex().notNull(),
    state: t.integer().notNull(),
    commitment: t.hex(),
    result: t.hex(),
    fingerprint: t.hex(),
    inputTokens: t.integer(),
    outputTokens: t.integer(),
    outcome: t.integer(),
    paid: t.bigint().notNull(),
    slashed: t.bigint().notNull(),
    claimedBlock: t.bigint().notNull(),
    claimedTx: t.hex().notNull(),
    committedTx: t.hex(),
    revealedTx: t.hex(),
    updatedBlock: t.bigint().notNull(),
  }),
  (table) => ({
    pk: primaryKey({ columns: [table.taskId, table.seat] }),
    nodes: index().on(table.node),
  }),
);

export const taskEvents = onchainTable(
  "task_events",
  (t) => ({
    taskId: t.hex().notNull(),
    blockNumber: t.bigint().notNull(),
    logIndex: t.integer().notNull(),
    txHash: t.hex().notNull(),
    blockTime: t.bigint().notNull(),
    name: t.text().notNull(),
    node: t.hex(),
    data: t.json().notNull(),
  }),
  (table) => ({
    pk: primaryKey({ columns: [table.taskId, table.blockNumber, table.logIndex] }),
  }),
);

export const runners = onchainTable("runners", (t) => ({
  node: t.hex().primaryKey(),
  owner: t.hex().notNull(),
  label: t.hex().notNull(),
  profile: t.hex().notNull(),
  registeredBlock: t.bigint().notNull(),
  updatedBlock: t.bigint().notNull(),
}));

export const runnerReputation = onchainTable("runner_reputation", (t) => ({
  node: t.hex().primaryKey(),
  score: t.integer().notNull(),
  right: t.integer().notNull(),
  wrong: t.integer().notNull(),
  missed: t.integer().notNull(),
  updatedBlock: t.bigint().notNull(),
}));

export const reputationEvents = onchainTable(
  "reputation_events",
  (t) => ({
    node: t.hex().notNull(),
    ref: t.hex().notNull(),
    outcome: t.integer().notNull(),
    score: t.integer().notNull(),
    blockNumber: t.bigint().notNull(),
    logIndex: t.integer().notNull(),
    txHash: t.hex().notNull(),
    blockTime: t.bigint().notNull(),
  }),
  (table) => ({
    pk: primaryKey({ columns: [table.node, table.blockNumber, table.logIndex] }),
  }),
);

export const balances = onchainTable("balances", (t) => ({
  account: t.hex().primaryKey(),
  free: t.bigint().notNull(),
  escrowed: t.bigint().notNull(),
  bonded: t.bigint().notNull(),
  locked: t.bigint().notNull(),
  unbonding: t.bigint().notNull(),
  updatedBlock: t.bigint().notNull(),
}));
