import { Store } from "../live/store";

export type Theme = "light" | "dark";

const KEY = "parity-theme";
const system = matchMedia("(prefers-color-scheme: dark)");

function current(): Theme {
  const chosen = document.documentElement.dataset["theme"];
  if (chosen === "light" || chosen === "dark") return chosen;
  return system.matches ? "dark" : "light";
}

export const theme = new Store<Theme>(current());
system.addEventListener("change", () => theme.set(current()));

/** Use the other theme, and remember it; choosing what the system has anyway forgets the choice. */
export function toggleTheme(): void {
  const next: Theme = current() === "dark" ? "light" : "dark";
  const follows = next === (system.matches ? "dark" : "light");
  if (follows) delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = next;
  try {
    if (follows) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, next);
  } catch {
    // Storage may be forbidden: the choice lasts as long as the page.
  }
  theme.set(next);
}
