const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

/** Write a count with thousands separated. */
export function count(value: number): string {
  return whole.format(value);
}

/** Write a count in a few characters: 1.2K, 3.4M. */
export function compact(value: number): string {
  return value < 10_000 ? whole.format(value) : short.format(value);
}

/** Write a score of millionths as a percentage. */
export function score(millionths: number): string {
  return `${(millionths / 10_000).toFixed(1)} %`;
}

/** Write a share of 0 to 1 as a percentage. */
export function share(part: number): string {
  return `${(part * 100).toFixed(part > 0 && part < 0.1 ? 1 : 0)} %`;
}

/** `1 block`, `2 blocks`. */
export function plural(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? "" : "s"}`;
}

/** SOME_WORDS as `Some words`. */
export function words(constant: string): string {
  const text = constant.toLowerCase().replaceAll("_", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}
