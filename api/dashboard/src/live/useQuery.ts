import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { ask, type Variables } from "./graphql";
import { Problem } from "./problem";
import { connection, newestBlock } from "./socket";

const LEAST_PAUSE_MS = 1500;
const RETRY_MS = 4000;
const UNWATCHED_MS = 10_000;

export interface Query<T> {
  data: T | undefined;
  problem: Problem | undefined;
  reload: () => void;
}

interface Answer<T> {
  key: string;
  data: T | undefined;
  problem: Problem | undefined;
}

/** Run a query now and again after new blocks, no more often than `LEAST_PAUSE_MS` and only while the page is in view. */
export function useQuery<T>(query: string, variables: Variables = {}): Query<T> {
  const key = query + JSON.stringify(variables);
  const [answer, setAnswer] = useState<Answer<T>>({ key, data: undefined, problem: undefined });
  const run = useRef<() => void>(() => undefined);

  useEffect(() => {
    const refresher = new Refresher(async (signal) => {
      try {
        const data = await ask<T>(query, variables, signal);
        setAnswer({ key, data, problem: undefined });
      } catch (error) {
        if (signal.aborted) return false;
        const problem = error instanceof Problem ? error : new Problem(String(error));
        setAnswer((before) => ({ key, data: before.key === key ? before.data : undefined, problem }));
        return false;
      }
      return true;
    });
    run.current = () => refresher.now();
    return () => refresher.stop();
  }, [key]);

  const reload = useCallback(() => run.current(), []);
  const current = answer.key === key;
  return { data: current ? answer.data : undefined, problem: current ? answer.problem : undefined, reload };
}

/** Decides when to read again: after blocks, after failures, and now and then should the socket be lost. */
class Refresher {
  readonly #read: (signal: AbortSignal) => Promise<boolean>;
  readonly #abort = new AbortController();
  readonly #unwatch: (() => void)[];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #busy = false;
  #stale = false;
  #lastMs = 0;

  constructor(read: (signal: AbortSignal) => Promise<boolean>) {
    this.#read = read;
    this.#unwatch = [newestBlock.watch(() => this.#soon()), connection.watch(() => this.#soon())];
    document.addEventListener("visibilitychange", this.#onVisibility);
    this.now();
  }

  now(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#busy) {
      this.#stale = true;
      return;
    }
    void this.#run();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#abort.abort();
    for (const end of this.#unwatch) end();
    document.removeEventListener("visibilitychange", this.#onVisibility);
  }

  readonly #onVisibility = (): void => {
    if (!document.hidden) this.#soon();
  };

  #soon(): void {
    if (this.#timer !== undefined && !this.#resting) return;
    this.#after(Math.max(0, this.#lastMs + LEAST_PAUSE_MS - Date.now()));
  }

  #resting = false;

  #after(pauseMs: number, resting = false): void {
    clearTimeout(this.#timer);
    this.#resting = resting;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (!document.hidden) this.now();
    }, pauseMs);
  }

  async #run(): Promise<void> {
    this.#busy = true;
    this.#stale = false;
    const done = await this.#read(this.#abort.signal);
    this.#busy = false;
    this.#lastMs = Date.now();
    if (this.#abort.signal.aborted) return;
    if (this.#stale) this.#soon();
    else this.#after(done ? UNWATCHED_MS : RETRY_MS, true);
  }
}
