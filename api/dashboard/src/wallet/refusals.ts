import { ask } from "../live/graphql";
import { Problem } from "../live/problem";
import explainQuery from "../queries/explain-revert.graphql?raw";

interface RpcError {
  code?: number;
  message?: string;
  data?: unknown;
}

const PLAIN: Record<number, [message: string, hint: string]> = {
  4001: ["You declined in the wallet", "Nothing was sent. Try again whenever you like."],
  4100: ["The wallet has not allowed this page to use the account", "Connect again and allow it."],
  4200: ["The wallet cannot do this", "Use another wallet, or parity-client."],
  4900: ["The wallet is not connected to any chain", "Check its network settings."],
  4901: ["The wallet is not connected to this chain", "Switch its network and try again."],
  4902: ["The wallet does not know this chain", "Add it in the wallet's settings and try again."],
  [-32002]: ["The wallet is waiting for an answer to an earlier question", "Open it and answer there."],
};

/** Put what a wallet answered into words; a contract's refusal by its own name. */
export async function inWords(error: unknown): Promise<Problem> {
  if (error instanceof Problem) return error;
  const refused = (error ?? {}) as RpcError;
  const known = refused.code === undefined ? undefined : PLAIN[refused.code];
  if (known) return new Problem(known[0], known[1], String(refused.code));
  const data = revertDataIn(error);
  if (data) return explained(data);
  const text = refused.message ?? String(error);
  if (/insufficient funds/i.test(text)) {
    return new Problem("The account cannot pay the network fee", "Send it some of the chain's coin.");
  }
  return new Problem(text.split("\n")[0]?.replace(/\.$/, "") || "The wallet failed", "Nothing was sent.");
}

async function explained(data: string): Promise<Problem> {
  const { explainRevert } = await ask<{ explainRevert: { name: string; message: string; hint: string } }>(
    explainQuery,
    { data },
  );
  return new Problem(explainRevert.message.replace(/\.$/, ""), explainRevert.hint, explainRevert.name);
}

/** Nodes and wallets put revert data at several depths. */
function revertDataIn(error: unknown, depth = 0): string | undefined {
  if (typeof error === "string") return /^0x([0-9a-f]{2}){4,}$/i.test(error) ? error : undefined;
  if (depth > 4 || error === null || typeof error !== "object") return undefined;
  for (const name of ["data", "originalError", "error", "cause"]) {
    const found = revertDataIn((error as Record<string, unknown>)[name], depth + 1);
    if (found) return found;
  }
  return undefined;
}
