import { plural } from "../format/number";
import { duration } from "../format/time";
import { clock } from "../live/clock";
import { LAG_BLOCKS, SILENCE_MS, type Status } from "../live/network";
import type { Problem } from "../live/problem";
import { useStore } from "../live/store";

interface BannersProps {
  status: Status | undefined;
  problem: Problem | undefined;
}

/** What makes everything else on the page doubtful, said once and above it. */
export function Banners({ status, problem }: BannersProps) {
  const now = useStore(clock);
  const warning = problem ? undefined : status && warningOf(status, now);
  return (
    <div class="banners" aria-live="polite">
      {problem && (
        <p class="notice bad">
          <strong>{problem.message}.</strong> {problem.hint}
        </p>
      )}
      {warning && <p class="notice warn">{warning}</p>}
    </div>
  );
}

function warningOf(status: Status, nowMs: number): string | undefined {
  if (status.phase === "BACKFILL") {
    return `The index is being built: ${plural(status.lagBlocks, "block")} to go. Figures are of block ${status.indexedBlock}.`;
  }
  if (status.phase === "REFOLD") {
    return "The index is being folded anew after a deep reorganisation. Figures may be of before it.";
  }
  if (status.lagBlocks > LAG_BLOCKS) {
    return `The index is ${plural(status.lagBlocks, "block")} behind the chain. Figures are of block ${status.indexedBlock}.`;
  }
  const silence = nowMs - Date.parse(status.updatedAt);
  if (silence > SILENCE_MS) {
    return `The index has not moved for ${duration(silence / 1000)}. Do the chain's node and parity-indexer run?`;
  }
  return undefined;
}
