/** Amounts are base units of USDFC, 10^-18, as the API's decimal strings. */

const DECIMALS = 18;
const SCALE = 10n ** 18n;

/** Write base units as USDFC with thousands separated; below a millionth as `< 0.000001`. */
export function usdfc(base: string | bigint, places = 6): string {
  const amount = BigInt(base);
  const negative = amount < 0n;
  const size = negative ? -amount : amount;
  const step = 10n ** BigInt(DECIMALS - places);
  if (size > 0n && size < step) return `${negative ? "> −" : "< "}0.${"0".repeat(places - 1)}1`;
  const rounded = ((size + step / 2n) / step) * step;
  const whole = (rounded / SCALE).toString().replace(/\B(?=(\d{3})+$)/g, ",");
  const fraction = (rounded % SCALE).toString().padStart(DECIMALS, "0").replace(/0+$/, "");
  return `${negative ? "−" : ""}${whole}${fraction ? `.${fraction}` : ""}`;
}

/** Write base units exactly. */
export function exactUsdfc(base: string | bigint): string {
  return usdfc(base, DECIMALS);
}

/** Read USDFC as a person types it; undefined if it is no amount. */
export function parseUsdfc(text: string): bigint | undefined {
  const found = /^(\d{1,12})(?:\.(\d{1,18}))?$/.exec(text.trim().replaceAll(",", ""));
  if (!found) return undefined;
  return BigInt(found[1] ?? "0") * SCALE + BigInt((found[2] ?? "").padEnd(DECIMALS, "0"));
}
