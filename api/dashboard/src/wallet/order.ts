import { type Hex, hashTypedData, parseSignature, sha256, stringToBytes } from "viem";
import { usdfc } from "../format/money";
import { addressOf, type Deployment } from "../live/deployment";
import { Problem, request } from "../live/problem";
import { ESCROW } from "./contracts";
import { signTypedData } from "./money";
import type { Estimate } from "./pricing";
import type { Session } from "./session";
import type { Review } from "./steps";
import { encode, price, send } from "./transaction";

export interface PromptTerms {
  model: string;
  prompt: string;
  clientId: string;
  maxTokens: number;
  replicas: number;
  estimate: Estimate;
  /** What the account has free in the StakeWallet, base units. */
  free: bigint;
}

interface TypedData {
  domain: { chainId: number; verifyingContract: string };
  types: Record<string, { name: string; type: string }[]>;
  primaryType: string;
  message: Record<string, string | number>;
}

interface OrderToSign {
  taskId: Hex;
  order: Record<string, string | number>;
  typedData: TypedData;
  authorizationTypedData: TypedData;
}

/** Store a prompt's specification and prepare its order. `onSent` gets the task's id once the order is on its way. */
export async function promptReview(
  current: Session,
  where: Deployment,
  terms: PromptTerms,
  onSent: (taskId: string) => void,
): Promise<Review> {
  const spec = await storedSpec(terms);
  const prepared = await preparedOrder(current, terms, spec);
  check(prepared, { current, where, terms, spec });
  const fromFree = terms.free >= terms.estimate.reward;
  const direct = where.relayer === null ? await price(current, submission(where, prepared)) : undefined;
  return {
    title: `Ask ${terms.model.split("@")[0]}, ${terms.replicas === 1 ? "one runner" : `${terms.replicas} runners`}`,
    facts: [
      ["Expected cost", `${usdfc(terms.estimate.expected)} USDFC; what is not used comes back`],
      [
        "Paid from",
        fromFree
          ? "your free balance in the StakeWallet"
          : "your account, by an authorization of exactly the price",
      ],
      ["Task", `${prepared.taskId.slice(0, 10)}…`],
    ],
    price: terms.estimate.reward,
    atRisk: "the price at most; all of it comes back if the runners do not agree. No stake of yours",
    fee: direct?.fee,
    coin: where.nativeSymbol,
    act: async () => {
      if (direct) await send(current, direct);
      else await relay(current, prepared, fromFree);
      onSent(prepared.taskId);
      return "The order is on its way.";
    },
  };
}

async function storedSpec(terms: PromptTerms): Promise<Hex> {
  const document = {
    kind: "llm",
    version: 1,
    model: terms.model,
    prompt: terms.prompt,
    options: { num_predict: terms.maxTokens },
    ...(terms.clientId ? { client_id: terms.clientId } : {}),
  };
  const stored = await request<{ digest: Hex; content: string }>("/api/v1/documents", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(document),
  });
  const told = JSON.parse(stored.content) as { prompt?: string; model?: string };
  // The order names a digest only: what it stands for is checked here, whoever runs the server.
  if (
    sha256(stringToBytes(stored.content)) !== stored.digest ||
    told.prompt !== terms.prompt ||
    told.model !== terms.model
  ) {
    throw new Problem("The server stored something else than this prompt", "Do not use this server.");
  }
  return stored.digest;
}

async function preparedOrder(current: Session, terms: PromptTerms, spec: Hex): Promise<OrderToSign> {
  const { estimate } = terms;
  const asked = new URLSearchParams({
    client: current.account,
    spec,
    reward: estimate.reward.toString(),
    bond: estimate.bond.toString(),
    inputPrice: estimate.inputPrice.toString(),
    outputPrice: estimate.outputPrice.toString(),
    replicas: String(terms.replicas),
    quorum: String(Math.floor(terms.replicas / 2) + 1),
  });
  return request<OrderToSign>(`/api/v1/intents/order?${asked}`);
}

interface Expected {
  current: Session;
  where: Deployment;
  terms: PromptTerms;
  spec: Hex;
}

/** Refuse to sign anything else than what was asked: the server is not trusted with an amount or an address. */
function check(prepared: OrderToSign, { current, where, terms, spec }: Expected): void {
  const { message, domain } = prepared.typedData;
  const pay = prepared.authorizationTypedData;
  const same = (a: unknown, b: unknown) => String(a).toLowerCase() === String(b).toLowerCase();
  const sound =
    same(message["client"], current.account) &&
    same(message["payer"], current.account) &&
    same(message["reward"], terms.estimate.reward) &&
    same(message["spec"], spec) &&
    domain.chainId === where.chainId &&
    same(domain.verifyingContract, addressOf(where, "task_escrow")) &&
    same(hashed(prepared.typedData), prepared.taskId) &&
    same(pay.message["to"], addressOf(where, "stake_wallet")) &&
    same(pay.message["value"], terms.estimate.reward) &&
    same(pay.message["nonce"], prepared.taskId) &&
    same(pay.domain.verifyingContract, addressOf(where, "usdfc"));
  if (!sound)
    throw new Problem(
      "The server prepared another order than the one asked for",
      "Do not sign. Do not use this server.",
    );
}

function hashed(document: TypedData): Hex {
  return hashTypedData(document as unknown as Parameters<typeof hashTypedData>[0]);
}

async function relay(current: Session, prepared: OrderToSign, fromFree: boolean): Promise<void> {
  const signature = await signTypedData(
    current,
    fromFree ? prepared.typedData : prepared.authorizationTypedData,
  );
  const { r, s, yParity } = parseSignature(signature);
  const { message } = prepared.authorizationTypedData;
  const authorization = {
    validAfter: Number(message["validAfter"]),
    validBefore: Number(message["validBefore"]),
    v: 27 + yParity,
    r,
    s,
  };
  await request("/api/v1/tasks", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      order: prepared.order,
      ...(fromFree ? { clientSignature: signature } : { authorization }),
    }),
  });
}

function submission(where: Deployment, prepared: OrderToSign) {
  return encode({
    address: addressOf(where, "task_escrow"),
    abi: ESCROW,
    functionName: "submit",
    args: [prepared.typedData.message],
  });
}
