import { createClient } from "graphql-ws";
import { dataOf, type GraphqlAnswer, type Variables } from "./graphql";
import { Store } from "./store";

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15_000;

export type Connection = "connecting" | "live" | "lost";

export interface BlockNotice {
  number: number;
  hash: string;
  seenAtMs: number;
}

export const connection = new Store<Connection>("connecting");
export const newestBlock = new Store<BlockNotice | undefined>(undefined);

const scheme = location.protocol === "https:" ? "wss:" : "ws:";

const client = createClient({
  url: `${scheme}//${location.host}/graphql`,
  retryAttempts: Number.POSITIVE_INFINITY,
  shouldRetry: () => true,
  retryWait: async (tried) => {
    const pause = Math.min(FIRST_PAUSE_MS * 2 ** tried, LONGEST_PAUSE_MS);
    await new Promise((resolve) => setTimeout(resolve, pause * (0.75 + Math.random() / 2)));
  },
  on: {
    connected: () => connection.set("live"),
    closed: () => connection.set("lost"),
    error: () => connection.set("lost"),
  },
});

/** Call `onData` with each event until the returned function is called. Errors end it; the pages still read by queries. */
export function subscribe<T>(query: string, variables: Variables, onData: (data: T) => void): () => void {
  return client.subscribe<T>(
    { query, variables },
    {
      next: (answer) => onData(dataOf(answer as GraphqlAnswer<T>)),
      error: () => undefined,
      complete: () => undefined,
    },
  );
}

/** Follow the chain for as long as the page is open. */
export function followBlocks(): void {
  subscribe<{ block: { number: number; hash: string } }>(
    "subscription { block { number hash } }",
    {},
    ({ block }) => newestBlock.set({ ...block, seenAtMs: Date.now() }),
  );
}
