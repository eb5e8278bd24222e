import type { ComponentChildren } from "preact";
import type { Problem } from "../live/problem";
import type { Query } from "../live/useQuery";
import { Command } from "./copy";

/** What is shown where nothing is: why, and the command that changes it. */
export function Empty({
  title,
  command,
  children,
}: {
  title: string;
  command?: string;
  children?: ComponentChildren;
}) {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      {children && <p>{children}</p>}
      {command && <Command>{command}</Command>}
    </div>
  );
}

export function Failure({ problem, onRetry }: { problem: Problem; onRetry?: () => void }) {
  return (
    <div class="notice bad" role="alert">
      <p>
        <strong>{problem.message.replace(/\.$/, "")}.</strong> {problem.hint}
      </p>
      {onRetry && (
        <button type="button" class="button small" onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  );
}

export function Loading({ rows = 4 }: { rows?: number }) {
  return (
    <div class="loading" role="status" aria-label="Loading">
      {Array.from({ length: rows }, (_, row) => (
        <span class="bone" key={row} />
      ))}
    </div>
  );
}

/** A query's content, or what stands in for it; content once shown stays while a refresh fails. */
export function Loaded<T>({
  query,
  rows,
  children,
}: {
  query: Query<T>;
  rows?: number;
  children: (data: T) => ComponentChildren;
}) {
  return (
    <>
      {query.problem && <Failure problem={query.problem} onRetry={query.reload} />}
      {query.data !== undefined && children(query.data)}
      {query.data === undefined && !query.problem && <Loading {...(rows ? { rows } : {})} />}
    </>
  );
}
