import { Account, Hash } from "../components/identity";
import { Fact, Facts, Heading, Panel } from "../components/layout";
import { Pill } from "../components/pill";
import { Empty, Failure, Loaded } from "../components/states";
import { shorten } from "../format/hex";
import { Problem } from "../live/problem";
import { useQuery } from "../live/useQuery";
import proposalQuery from "../queries/proposal.graphql?raw";
import { VotePanel } from "../wallet/vote";
import { When } from "./proposals";
import { type Proposal, VoteBar } from "./votes";

export function ProposalPage({ id }: { id: string }) {
  if (!/^\d{1,78}$/.test(id)) {
    return (
      <>
        <Heading title="Proposal" />
        <Failure problem={new Problem(`${id} is no proposal's number`, "It is a whole number.")} />
      </>
    );
  }
  return <Known id={id} />;
}

function Known({ id }: { id: string }) {
  const query = useQuery<{ proposal: Proposal | null }>(proposalQuery, { id });
  const proposal = query.data?.proposal;
  return (
    <>
      <Heading title={`Proposal ${shorten(id, 4)}`} lead={<Hash value={id} kind="proposal number" />}>
        {proposal && <Pill state={proposal.state} />}
      </Heading>
      <Loaded query={query} rows={6}>
        {(data) =>
          data.proposal ? (
            <Detail proposal={data.proposal} onVoted={query.reload} />
          ) : (
            <Empty title="The governor knows no such proposal">
              <a href="/proposals">All proposals</a>
            </Empty>
          )
        }
      </Loaded>
    </>
  );
}

function Detail({ proposal, onVoted }: { proposal: Proposal; onVoted: () => void }) {
  return (
    <>
      <Panel title="Votes">
        <VoteBar proposal={proposal} />
      </Panel>
      <VotePanel proposal={proposal} onVoted={onVoted} />
      <Panel title="What it does">
        {proposal.calls.map((call, index) => (
          <Facts key={`${call.target}-${index}`}>
            <Fact name="Contract">
              {call.contract ?? "unknown"} <Account value={call.target} />
            </Fact>
            <Fact name="Function">
              {call.function ?? <Hash value={call.data ?? "0x"} kind="call data" />}
            </Fact>
            {flattened(call.arguments).map(([name, value]) => (
              <Fact name={name} key={name}>
                <span class="mono">{value}</span>
              </Fact>
            ))}
          </Facts>
        ))}
      </Panel>
      <Panel title="Schedule">
        <Facts>
          <Fact name="Proposed by">
            <Account value={proposal.proposer} />
          </Fact>
          <Fact name="Vote opens">
            <When iso={proposal.opensAt} />
          </Fact>
          <Fact name="Vote closes">
            <When iso={proposal.closesAt} />
          </Fact>
          <Fact name="May be executed">
            {proposal.executableAt ? <When iso={proposal.executableAt} /> : "once it is queued"}
          </Fact>
        </Facts>
      </Panel>
    </>
  );
}

/** Arguments, those inside structs too, as names and values. */
function flattened(value: unknown, name = ""): [string, string][] {
  if (value !== null && typeof value === "object") {
    return Object.entries(value).flatMap(([key, part]) => flattened(part, key));
  }
  return value === null || value === undefined ? [] : [[name, String(value)]];
}
