import routes from "../routes.json";
import { Store } from "./live/store";

export type RouteName = keyof typeof routes;

export interface Place {
  name: RouteName | undefined;
  path: string;
  params: Record<string, string>;
  search: URLSearchParams;
}

const patterns = Object.entries(routes).map(([name, path]) => ({
  name: name as RouteName,
  expression: new RegExp(`^${path.replaceAll(/\{(\w+)\}/g, "(?<$1>[^/]+)")}/?$`),
}));

export const place = new Store<Place>(read());

function read(): Place {
  const path = decodeURI(location.pathname);
  const search = new URLSearchParams(location.search);
  for (const { name, expression } of patterns) {
    const found = expression.exec(path);
    if (found) return { name, path, params: { ...found.groups }, search };
  }
  return { name: undefined, path, params: {}, search };
}

/** Go to an address of this page without loading it anew. */
export function navigate(to: string, { replace = false } = {}): void {
  const samePage = new URL(to, location.href).pathname === location.pathname;
  history[replace ? "replaceState" : "pushState"]({}, "", to);
  place.set(read());
  if (!samePage) {
    window.scrollTo(0, 0);
    document.getElementById("main")?.focus({ preventScroll: true });
  }
}

/** Change parts of the query string; empty values leave it. */
export function refine(changes: Record<string, string>): void {
  const search = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(changes)) {
    if (value) search.set(name, value);
    else search.delete(name);
  }
  const text = search.toString();
  navigate(location.pathname + (text ? `?${text}` : ""), { replace: true });
}

/** Keep clicks on our own links and the browser's back and forward inside the page. */
export function startRouter(): void {
  window.addEventListener("popstate", () => place.set(read()));
  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey)
      return;
    const link = (event.target as Element).closest?.("a");
    if (!link || link.target || link.hasAttribute("download") || link.origin !== location.origin) return;
    if (link.getAttribute("href")?.startsWith("#")) return;
    if (!patterns.some(({ expression }) => expression.test(decodeURI(link.pathname)))) return;
    event.preventDefault();
    navigate(link.pathname + link.search);
  });
}
