import { Store } from "./store";

const PERIOD_MS = 1000;

/** Now, in milliseconds, once a second while the page is in view. */
export const clock = new Store(Date.now());

setInterval(() => {
  if (!document.hidden) clock.set(Date.now());
}, PERIOD_MS);
document.addEventListener("visibilitychange", () => clock.set(Date.now()));
