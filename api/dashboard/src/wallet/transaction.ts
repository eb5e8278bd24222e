import { type Abi, decodeFunctionResult, encodeFunctionData } from "viem";
import { Problem } from "../live/problem";
import type { Session } from "./session";

const HEADROOM_PERCENT = 120n;
const POLL_MS = 700;
const PATIENCE_MS = 300_000;

export interface Transaction {
  to: `0x${string}`;
  data: `0x${string}`;
}

/** A transaction that was estimated: it would succeed now, and costs at most `fee` wei. */
export interface Priced extends Transaction {
  gas: bigint;
  fee: bigint;
}

interface Call {
  address: `0x${string}`;
  abi: Abi;
  functionName: string;
  args: readonly unknown[];
}

export function encode(call: Call): Transaction {
  return { to: call.address, data: encodeFunctionData(call) };
}

/** Read from a contract through the wallet's own node. */
export async function read<T>(current: Session, call: Call): Promise<T> {
  const { to, data } = encode(call);
  const answer = await current.wallet.provider.request({
    method: "eth_call",
    params: [{ to, data }, "latest"],
  });
  return decodeFunctionResult({ ...call, data: answer as `0x${string}` }) as T;
}

/** Estimate a transaction; a contract that would refuse it throws here, before anything is signed. */
export async function price(current: Session, transaction: Transaction): Promise<Priced> {
  const { provider } = current.wallet;
  const asked = { from: current.account, ...transaction };
  const [gas, gasPrice] = await Promise.all([
    provider.request({ method: "eth_estimateGas", params: [asked] }),
    provider.request({ method: "eth_gasPrice" }),
  ]);
  const units = (BigInt(gas as string) * HEADROOM_PERCENT) / 100n;
  return { ...transaction, gas: units, fee: units * BigInt(gasPrice as string) };
}

/** Have the wallet sign and send a transaction, and wait until a block holds it. */
export async function send(current: Session, transaction: Priced): Promise<string> {
  const { provider } = current.wallet;
  const { to, data, gas } = transaction;
  const hash = (await provider.request({
    method: "eth_sendTransaction",
    params: [{ from: current.account, to, data, gas: `0x${gas.toString(16)}` }],
  })) as string;
  await mined(current, hash);
  return hash;
}

async function mined(current: Session, hash: string): Promise<void> {
  const until = Date.now() + PATIENCE_MS;
  while (Date.now() < until) {
    const receipt = (await current.wallet.provider.request({
      method: "eth_getTransactionReceipt",
      params: [hash],
    })) as { status: string } | null;
    if (receipt?.status === "0x1") return;
    if (receipt) throw new Problem("The transaction was refused in its block", `Its hash is ${hash}.`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  throw new Problem(
    "No block holds the transaction yet",
    `Look for ${hash} in the wallet before you send another.`,
  );
}
