import { place, refine } from "../router";

export interface PageInfo {
  hasNextPage: boolean;
  hasPreviousPage: boolean;
  startCursor: string | null;
  endCursor: string | null;
}

/** The page that the address asks for, as a connection's arguments. */
export function pageArguments(search: URLSearchParams, size: number): Record<string, unknown> {
  const before = search.get("before");
  if (before) return { last: size, before };
  const after = search.get("after");
  return { first: size, ...(after ? { after } : {}) };
}

/** Steps through a connection; where one is, is in the address. */
export function Pager({ info, what }: { info: PageInfo; what: string }) {
  const first = !info.hasPreviousPage && !place.value.search.has("after");
  if (first && !info.hasNextPage) return null;
  return (
    <nav class="pager" aria-label={`Pages of ${what}`}>
      <button
        type="button"
        class="button small"
        disabled={first}
        onClick={() => refine({ after: "", before: "" })}
      >
        First
      </button>
      <button
        type="button"
        class="button small"
        disabled={!info.hasPreviousPage}
        onClick={() => refine({ after: "", before: info.startCursor ?? "" })}
      >
        ← Newer
      </button>
      <button
        type="button"
        class="button small"
        disabled={!info.hasNextPage}
        onClick={() => refine({ before: "", after: info.endCursor ?? "" })}
      >
        Older →
      </button>
    </nav>
  );
}
