import type { Proposal } from "../pages/votes";

export function VotePanel(_: { proposal: Proposal; onVoted: () => void }) {
  return null;
}
