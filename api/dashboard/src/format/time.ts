const UNITS: [number, string][] = [
  [86_400, "d"],
  [3_600, "h"],
  [60, "m"],
  [1, "s"],
];

const moment = new Intl.DateTimeFormat("en-GB", {
  dateStyle: "medium",
  timeStyle: "medium",
  timeZone: "UTC",
});

/** Write a length of time in its largest unit. */
export function duration(seconds: number): string {
  for (const [size, unit] of UNITS) {
    if (seconds >= size) return `${Math.floor(seconds / size)}${unit}`;
  }
  return "0s";
}

/** Write how long ago a moment was. */
export function ago(iso: string, nowMs: number): string {
  const seconds = Math.max(0, (nowMs - Date.parse(iso)) / 1000);
  return seconds < 2 ? "just now" : `${duration(seconds)} ago`;
}

/** Write a moment in full, UTC. */
export function absolute(iso: string): string {
  return `${moment.format(new Date(iso))} UTC`;
}
