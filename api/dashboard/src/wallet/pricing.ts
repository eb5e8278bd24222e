/** What a prompt should cost, from what runners ask: the rule of parity-client. An order's reward is a cap. */

const BYTES_PER_TOKEN = 3;
const TEMPLATE_TOKENS = 32;
const TOKENS_PER_PRICE = 1000n;
const HEADROOM_PERCENT = 150n;
const USDFC = 10n ** 18n;
const MIN_REWARD = USDFC / 1000n;
const MIN_BOND = USDFC / 10n;

export interface Asked {
  inputPrice: bigint;
  outputPrice: bigint;
}

export interface Estimate {
  inputPrice: bigint;
  outputPrice: bigint;
  /** For all seats together, base units. */
  expected: bigint;
  reward: bigint;
  /** Stake that each seat has to put up; a runner's, not the client's. */
  bond: bigint;
}

/** Price a prompt so that at least half of the model's runners, and enough for all seats, would take it. */
export function estimate(
  prompt: string,
  offers: readonly Asked[],
  terms: { replicas: number; maxTokens: number },
): Estimate {
  const cheapest = [...offers].sort((a, b) =>
    Number(a.inputPrice + a.outputPrice - b.inputPrice - b.outputPrice),
  );
  const wanted = cheapest.slice(0, Math.max(terms.replicas, Math.ceil(offers.length / 2)));
  const inputPrice = most(wanted.map((offer) => offer.inputPrice));
  const outputPrice = most(wanted.map((offer) => offer.outputPrice));
  const bytes = new TextEncoder().encode(prompt).length;
  const inputTokens = BigInt(TEMPLATE_TOKENS + Math.ceil(bytes / BYTES_PER_TOKEN));
  const cost = (inputTokens * inputPrice + BigInt(terms.maxTokens) * outputPrice) / TOKENS_PER_PRICE;
  const capped = (cost * HEADROOM_PERCENT + 99n) / 100n;
  const cap = capped > MIN_REWARD ? capped : MIN_REWARD;
  return {
    inputPrice,
    outputPrice,
    expected: cost * BigInt(terms.replicas),
    reward: cap * BigInt(terms.replicas),
    bond: cap > MIN_BOND ? cap : MIN_BOND,
  };
}

/** Two prices of 0 would mean a fixed price to the contract, so a free offer is met with the smallest price there is. */
function most(prices: readonly bigint[]): bigint {
  let highest = 1n;
  for (const price of prices) {
    if (price > highest) highest = price;
  }
  return highest;
}
