// The same fold as Parity's, written as Ponder's documentation writes handlers.
import { ponder } from "ponder:registry";
import {
  balances,
  reputationEvents,
  runnerReputation,
  runners,
  taskEvents,
  tasks,
  taskSeats,
} from "ponder:schema";

const FINAL = 6;
const SEAT = { claimed: 1, committed: 2, revealed: 3 };

async function change(context, event, account, by) {
  const none = { free: 0n, escrowed: 0n, bonded: 0n, locked: 0n, unbonding: 0n };
  await context.db
    .insert(balances)
    .values({ account, ...none, ...by, updatedBlock: event.block.number })
    .onConflictDoUpdate((row) => {
      const after = { updatedBlock: event.block.number };
      for (const part of Object.keys(by)) after[part] = row[part] + by[part];
      return after;
    });
}

async function remember(context, event, taskId, name, node, data) {
  await context.db.insert(taskEvents).values({
    taskId,
    blockNumber: event.block.number,
    logIndex: event.log.logIndex,
    txHash: event.transaction.hash,
    blockTime: event.block.timestamp,
    name,
    node,
    data,
  });
}

ponder.on("StakeWallet:Deposited", async ({ event, context }) => {
  await change(context, event, event.args.account, { free: event.args.amount });
});

ponder.on("StakeWallet:Bonded", async ({ event, context }) => {
  const { owner, amount } = event.args;
  await change(context, event, owner, { free: -amount, bonded: amount });
});

ponder.on("StakeWallet:Escrowed", async ({ event, context }) => {
  const { payer, amount } = event.args;
  await change(context, event, payer, { free: -amount, escrowed: amount });
});

ponder.on("StakeWallet:BondLocked", async ({ event, context }) => {
  await change(context, event, event.args.owner, { locked: event.args.amount });
});

ponder.on("StakeWallet:Settled", async ({ event, context }) => {
  const { ref, payer, released } = event.args;
  await change(context, event, payer, { escrowed: -released });
  await context.db
    .update(tasks, { taskId: ref })
    .set((row) => ({ returned: row.returned + released, updatedBlock: event.block.number }));
  await remember(context, event, ref, "Settled", null, { payer, released: released.toString() });
});

ponder.on("StakeWallet:Moved", async ({ event, context }) => {
  const { ref, who, pay, unlock, slash } = event.args;
  await change(context, event, who, { free: pay, locked: -unlock, bonded: -slash });
  await remember(context, event, ref, "Moved", null, {
    who,
    pay: pay.toString(),
    unlock: unlock.toString(),
    slash: slash.toString(),
  });
  const task = await context.db.find(tasks, { taskId: ref });
  if (task === null) return;
  for (let seat = 0; seat < task.claimed; seat++) {
    const row = await context.db.find(taskSeats, { taskId: ref, seat });
    if (row === null || row.owner !== who) continue;
    await context.db.update(taskSeats, { taskId: ref, seat }).set({
      paid: row.paid + pay,
      slashed: row.slashed + slash,
      updatedBlock: event.block.number,
    });
    await context.db.update(tasks, { taskId: ref }).set({
      paid: task.paid + pay,
      returned: task.returned - pay,
      slashed: task.slashed + slash,
      updatedBlock: event.block.number,
    });
    return;
  }
});

ponder.on("RunnerReputation:RunnerRegistered", async ({ event, context }) => {
  const { node, owner, label, profile } = event.args;
  const block = event.block.number;
  await context.db.insert(runners).values({ node, owner, label, profile, registeredBlock: block, updatedBlock: block });
  await context.db
    .insert(runnerReputation)
    .values({ node, score: 500_000, right: 0, wrong: 0, missed: 0, updatedBlock: block });
});

ponder.on("RunnerReputation:ScoreChanged", async ({ event, context }) => {
  const { node, ref, outcome, newScore } = event.args;
  await context.db.update(runnerReputation, { node }).set((row) => ({
    score: newScore,
    right: row.right + (outcome === 0 ? 1 : 0),
    wrong: row.wrong + (outcome === 1 ? 1 : 0),
    missed: row.missed + (outcome === 2 ? 1 : 0),
    updatedBlock: event.block.number,
  }));
  await context.db.insert(reputationEvents).values({
    node,
    ref,
    outcome,
    score: newScore,
    blockNumber: event.block.number,
    logIndex: event.log.logIndex,
    txHash: event.transaction.hash,
    blockTime: event.block.timestamp,
  });
  await remember(context, event, ref, "ScoreChanged", node, { outcome, newScore });
  const task = await context.db.find(tasks, { taskId: ref });
  for (let seat = 0; seat < (task?.claimed ?? 0); seat++) {
    const row = await context.db.find(taskSeats, { taskId: ref, seat });
    if (row?.node !== node) continue;
    await context.db.update(taskSeats, { taskId: ref, seat }).set({ outcome, updatedBlock: event.block.number });
    return;
  }
});

ponder.on("TaskEscrow:TaskSubmitted", async ({ event, context }) => {
  const { taskId, client, payer, order, seedBlock } = event.args;
  await context.db.insert(tasks).values({
    taskId,
    client,
    payer,
    reward: order.reward,
    bond: order.bond,
    inputPrice: order.inputPrice,
    outputPrice: order.outputPrice,
    paramsId: order.paramsId,
    replicas: order.replicas,
    quorum: order.quorum,
    mode: order.mode,
    status: 1,
    claimBy: BigInt(order.claimBy),
    retention: BigInt(order.retention),
    clientEpoch: order.clientEpoch,
    spec: order.spec,
    salt: order.salt,
    seedBlock,
    deadline: BigInt(order.claimBy),
    claimed: 0,
    committed: 0,
    revealed: 0,
    paid: 0n,
    fee: 0n,
    returned: 0n,
    slashed: 0n,
    createdBlock: event.block.number,
    createdTx: event.transaction.hash,
    createdAt: event.block.timestamp,
    updatedBlock: event.block.number,
  });
  await remember(context, event, taskId, "TaskSubmitted", null, {
    client,
    payer,
    reward: order.reward.toString(),
    seedBlock: seedBlock.toString(),
  });
});

ponder.on("TaskEscrow:SeatClaimed", async ({ event, context }) => {
  const { taskId, node, owner, seat } = event.args;
  await context.db.insert(taskSeats).values({
    taskId,
    seat,
    node,
    owner,
    state: SEAT.claimed,
    paid: 0n,
    slashed: 0n,
    claimedBlock: event.block.number,
    claimedTx: event.transaction.hash,
    updatedBlock: event.block.number,
  });
  await context.db
    .update(tasks, { taskId })
    .set((row) => ({ claimed: row.claimed + 1, updatedBlock: event.block.number }));
  await remember(context, event, taskId, "SeatClaimed", node, { owner, seat });
});

ponder.on("TaskEscrow:SeatCommitted", async ({ event, context }) => {
  const { taskId, node, seat, commitment } = event.args;
  await context.db.update(taskSeats, { taskId, seat }).set({
    state: SEAT.committed,
    commitment,
    committedTx: event.transaction.hash,
    updatedBlock: event.block.number,
  });
  await context.db
    .update(tasks, { taskId })
    .set((row) => ({ committed: row.committed + 1, updatedBlock: event.block.number }));
  await remember(context, event, taskId, "SeatCommitted", node, { seat, commitment });
});

ponder.on("TaskEscrow:SeatRevealed", async ({ event, context }) => {
  const { taskId, node, seat, result, fingerprint, inputTokens, outputTokens } = event.args;
  await context.db.update(taskSeats, { taskId, seat }).set({
    state: SEAT.revealed,
    result,
    fingerprint,
    inputTokens,
    outputTokens,
    revealedTx: event.transaction.hash,
    updatedBlock: event.block.number,
  });
  await context.db
    .update(tasks, { taskId })
    .set((row) => ({ revealed: row.revealed + 1, updatedBlock: event.block.number }));
  await remember(context, event, taskId, "SeatRevealed", node, { seat, result, fingerprint, inputTokens, outputTokens });
});

ponder.on("TaskEscrow:PhaseChanged", async ({ event, context }) => {
  const { taskId, status, deadline } = event.args;
  const settled =
    status >= FINAL
      ? {
          settledBlock: event.block.number,
          settledTx: event.transaction.hash,
          settledAt: event.block.timestamp,
        }
      : {};
  await context.db
    .update(tasks, { taskId })
    .set({ status, deadline, ...settled, updatedBlock: event.block.number });
  await remember(context, event, taskId, "PhaseChanged", null, { status, deadline: deadline.toString() });
});

ponder.on("TaskEscrow:TaskFinalized", async ({ event, context }) => {
  const { taskId, winners, fee } = event.args;
  const seat = 31 - Math.clz32(winners & -winners);
  const result = (await context.db.find(taskSeats, { taskId, seat }))?.result;
  await context.db
    .update(tasks, { taskId })
    .set((row) => ({ result, winners, fee, returned: row.returned - fee, updatedBlock: event.block.number }));
  await remember(context, event, taskId, "TaskFinalized", null, { result, winners, fee: fee.toString() });
});
