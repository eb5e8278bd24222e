import { useEffect, useState } from "preact/hooks";
import { Panel } from "../components/layout";
import { usdfc } from "../format/money";
import { addressOf, type Deployment } from "../live/deployment";
import type { Proposal } from "../pages/votes";
import { Connected } from "./connect";
import { GOVERNOR } from "./contracts";
import type { Session } from "./session";
import { type Review, StepView, useSteps } from "./steps";
import { encode, price, read, send } from "./transaction";

const SUPPORT = [
  { name: "For", value: 1 },
  { name: "Against", value: 0 },
  { name: "Abstain", value: 2 },
] as const;

interface VotePanelProps {
  proposal: Proposal;
  onVoted: () => void;
}

/** The buttons to vote with, while the vote is open. */
export function VotePanel({ proposal, onVoted }: VotePanelProps) {
  if (proposal.state !== "ACTIVE") return null;
  return (
    <Connected>
      {(current, where) => <Ballot current={current} where={where} proposal={proposal} onVoted={onVoted} />}
    </Connected>
  );
}

interface Standing {
  votes: bigint;
  voted: boolean;
}

function Ballot({
  current,
  where,
  proposal,
  onVoted,
}: VotePanelProps & { current: Session; where: Deployment }) {
  const [standing, setStanding] = useState<Standing | undefined>(undefined);
  const steps = useSteps();
  const voted = steps.stage.at === "done";
  useEffect(() => {
    standingOf(current, where, proposal).then(setStanding, () => setStanding(undefined));
  }, [current.account, proposal.id, voted]);
  if (!standing) return null;
  const vote = (support: (typeof SUPPORT)[number]) =>
    steps.prepare(() => review(current, where, { proposal, support, votes: standing.votes, onVoted }));
  return (
    <Panel title="Your vote">
      <div class="form">
        {standing.voted && steps.stage.at !== "done" ? (
          <p>This account has voted.</p>
        ) : (
          <>
            <p class="faint">
              {standing.votes > 0n
                ? `Your account has ${usdfc(standing.votes, 2)} votes on this proposal.`
                : "Your account had no votes when this vote opened: votes count for whom their holder had delegated to."}
            </p>
            {steps.stage.at === "idle" && (
              <div class="form-actions">
                {SUPPORT.map((support) => (
                  <button
                    type="button"
                    class="button"
                    key={support.name}
                    disabled={standing.votes === 0n}
                    onClick={() => vote(support)}
                  >
                    {support.name}
                  </button>
                ))}
              </div>
            )}
          </>
        )}
        <StepView steps={steps} />
      </div>
    </Panel>
  );
}

async function standingOf(current: Session, where: Deployment, proposal: Proposal): Promise<Standing> {
  const governor = { address: addressOf(where, "governor"), abi: GOVERNOR };
  const id = BigInt(proposal.id);
  const opened = BigInt(Math.floor(Date.parse(proposal.opensAt) / 1000));
  const [votes, voted] = await Promise.all([
    read<bigint>(current, { ...governor, functionName: "getVotes", args: [current.account, opened] }),
    read<boolean>(current, { ...governor, functionName: "hasVoted", args: [id, current.account] }),
  ]);
  return { votes, voted };
}

interface Cast {
  proposal: Proposal;
  support: (typeof SUPPORT)[number];
  votes: bigint;
  onVoted: () => void;
}

async function review(
  current: Session,
  where: Deployment,
  { proposal, support, votes, onVoted }: Cast,
): Promise<Review> {
  const transaction = encode({
    address: addressOf(where, "governor"),
    abi: GOVERNOR,
    functionName: "castVote",
    args: [BigInt(proposal.id), support.value],
  });
  const priced = await price(current, transaction);
  return {
    title: `Vote: ${support.name.toLowerCase()}`,
    facts: [["Votes", usdfc(votes, 2)]],
    price: 0n,
    atRisk: "nothing; a vote cannot be changed",
    fee: priced.fee,
    coin: where.nativeSymbol,
    act: async () => {
      await send(current, priced);
      onVoted();
      return `Voted: ${support.name.toLowerCase()}.`;
    },
  };
}
