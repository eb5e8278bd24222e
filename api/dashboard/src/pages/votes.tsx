import { Split } from "../charts/bars";
import { shorten } from "../format/hex";
import { usdfc } from "../format/money";
import { share } from "../format/number";

export interface Proposal {
  id: string;
  number: number;
  state: string;
  proposer: string;
  description: string | null;
  votesFor: string;
  votesAgainst: string;
  votesAbstain: string;
  quorum: string | null;
  opensAt: string;
  closesAt: string;
  executableAt: string | null;
  calls: {
    target: string;
    contract: string | null;
    function: string | null;
    arguments: Record<string, unknown> | null;
    data?: string;
  }[];
}

const SCALE = 10n ** 14n;

/** Votes as a number that a bar can be drawn of: ten-thousandths. */
function drawn(votes: string): number {
  return Number(BigInt(votes) / SCALE);
}

/** For, against and abstaining in one bar, and how much of the quorum is there. */
export function VoteBar({ proposal }: { proposal: Proposal }) {
  const counted = drawn(proposal.votesFor) + drawn(proposal.votesAbstain);
  const needed = proposal.quorum === null ? undefined : drawn(proposal.quorum);
  return (
    <>
      <Split
        parts={[
          { name: "For", value: drawn(proposal.votesFor), text: usdfc(proposal.votesFor, 2), tone: "good" },
          {
            name: "Against",
            value: drawn(proposal.votesAgainst),
            text: usdfc(proposal.votesAgainst, 2),
            tone: "bad",
          },
          {
            name: "Abstain",
            value: drawn(proposal.votesAbstain),
            text: usdfc(proposal.votesAbstain, 2),
            tone: "quiet",
          },
        ]}
      />
      <p class="faint small pad">
        {needed === undefined
          ? "The quorum is settled when the vote opens."
          : `Quorum ${usdfc(proposal.quorum ?? "0", 2)} votes, ${share(needed ? Math.min(1, counted / needed) : 1)} reached.`}
      </p>
    </>
  );
}

/** The first line of what its proposer says of it; its number where that is nothing. */
export function titleOf(proposal: Proposal): string {
  const line = proposal.description
    ?.trim()
    .split("\n", 1)[0]
    ?.replace(/^#+\s*/, "");
  return line || `Proposal ${shorten(proposal.id, 4)}`;
}

/** What a proposal does, in a line. */
export function purpose(proposal: Proposal): string {
  const calls = proposal.calls.map((call) =>
    call.function ? `${call.contract}.${call.function}` : "a call to another contract",
  );
  return calls.join(", ") || "nothing";
}
