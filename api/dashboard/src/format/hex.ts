/** Shorten an address, a hash or a CID to what the eye compares: both ends. */
export function shorten(text: string, head = 6, tail = 4): string {
  return text.length <= head + tail + 1 ? text : `${text.slice(0, head)}…${text.slice(-tail)}`;
}

export function isAddress(text: string): boolean {
  return /^0x[0-9a-fA-F]{40}$/.test(text);
}

export function isHash(text: string): boolean {
  return /^0x[0-9a-fA-F]{64}$/.test(text);
}
