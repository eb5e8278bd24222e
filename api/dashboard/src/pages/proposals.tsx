import { Account } from "../components/identity";
import { Heading, Panel } from "../components/layout";
import { Moment } from "../components/moment";
import { Pill } from "../components/pill";
import { Empty, Loaded } from "../components/states";
import { useQuery } from "../live/useQuery";
import proposalsQuery from "../queries/proposals.graphql?raw";
import { type Proposal, purpose, titleOf, VoteBar } from "./votes";

const PAGE = 10;

export function Proposals({ search }: { search: URLSearchParams }) {
  const asked = Number(search.get("skip"));
  const skip = Number.isSafeInteger(asked) && asked > 0 ? asked : 0;
  const query = useQuery<{ proposalCount: number; proposals: Proposal[] }>(proposalsQuery, {
    first: PAGE,
    skip,
  });
  return (
    <>
      <Heading
        title="Proposals"
        lead="Changes of the rules, voted on by the holders of ParityToken. Read from the governor itself."
      />
      <Loaded query={query} rows={6}>
        {({ proposals, proposalCount }) =>
          proposals.length ? (
            <>
              {proposals.map((proposal) => (
                <Card proposal={proposal} key={proposal.id} />
              ))}
              <Steps skip={skip} count={proposalCount} />
            </>
          ) : (
            <Panel>
              <Empty
                title="No proposal yet"
                command={
                  'ape run propose --fee-bps 300 --description "Raise the fee to 3%" --network http://127.0.0.1:8545 --account TEST::0'
                }
              >
                Whoever holds enough votes may propose one.
              </Empty>
            </Panel>
          )
        }
      </Loaded>
    </>
  );
}

function Card({ proposal }: { proposal: Proposal }) {
  return (
    <Panel
      title={<a href={`/proposals/${proposal.id}`}>{titleOf(proposal)}</a>}
      side={<Pill state={proposal.state} />}
    >
      <p class="pad">
        Calls <code>{purpose(proposal)}</code>. Proposed by <Account value={proposal.proposer} />; the vote{" "}
        {isPast(proposal.closesAt) ? "closed" : "closes"} <When iso={proposal.closesAt} />.
      </p>
      <VoteBar proposal={proposal} />
    </Panel>
  );
}

export function isPast(iso: string): boolean {
  return Date.parse(iso) <= Date.now();
}

/** A moment that may be still to come. */
export function When({ iso }: { iso: string }) {
  return isPast(iso) ? <Moment iso={iso} /> : <>on {new Date(iso).toUTCString().replace("GMT", "UTC")}</>;
}

function Steps({ skip, count }: { skip: number; count: number }) {
  if (count <= PAGE) return null;
  const before = Math.max(0, skip - PAGE);
  return (
    <nav class="pager" aria-label="Pages of proposals">
      {skip > 0 && <a href={before ? `/proposals?skip=${before}` : "/proposals"}>← Newer</a>}
      {skip + PAGE < count && <a href={`/proposals?skip=${skip + PAGE}`}>Older →</a>}
    </nav>
  );
}
