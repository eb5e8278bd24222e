import statusQuery from "../queries/status.graphql?raw";
import { useQuery } from "./useQuery";

export interface Status {
  chainId: number;
  phase: "BACKFILL" | "LIVE" | "REFOLD";
  head: number;
  indexedBlock: number;
  indexedHash: string | null;
  finalizedBlock: number;
  lagBlocks: number;
  reorgs: number;
  lastReorgDepth: number | null;
  lastReorgAt: string | null;
  updatedAt: string;
}

/** How far the index is, kept current. */
export function useStatus() {
  return useQuery<{ status: Status }>(statusQuery);
}

/** Blocks behind the chain from which the page warns. */
export const LAG_BLOCKS = 20;
/** Milliseconds without any news of the index from which the page warns. */
export const SILENCE_MS = 120_000;
