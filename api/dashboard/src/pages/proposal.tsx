import { Account, Hash } from "../components/identity";
import { Fact, Facts, Heading, Panel } from "../components/layout";
import { Moment } from "../components/moment";
import { Pill } from "../components/pill";
import { Empty, Failure, Loaded } from "../components/states";
import { shorten } from "../format/hex";
import { count } from "../format/number";
import { Problem } from "../live/problem";
import { useQuery } from "../live/useQuery";
import proposalQuery from "../queries/proposal.graphql?raw";
import { VotePanel } from "../wallet/vote";
import { Ballots } from "./ballots";
import { isPast, When } from "./proposals";
import { type Proposal, titleOf, VoteBar } from "./votes";

interface Whole extends Proposal {
  timeline: { name: string; blockNumber: number; logIndex: number; txHash: string; timestamp: string }[];
}

/** Parameters of tasks by name, newest version first. */
type Rules = Record<string, number>;

const UNDECIDED = new Set(["PENDING", "ACTIVE", "SUCCEEDED", "QUEUED"]);

const HAPPENED: Record<string, string> = {
  ProposalCreated: "Proposed",
  ProposalExtended: "Vote kept open, as it reached its quorum late",
  ProposalQueued: "Queued in the timelock",
  ProposalExecuted: "Executed",
  ProposalCanceled: "Cancelled",
};

export function ProposalPage({ id, search }: { id: string; search: URLSearchParams }) {
  if (!/^\d{1,78}$/.test(id)) {
    return (
      <>
        <Heading title="Proposal" />
        <Failure problem={new Problem(`${id} is no proposal's number`, "It is a whole number.")} />
      </>
    );
  }
  return <Known id={id} search={search} />;
}

function Known({ id, search }: { id: string; search: URLSearchParams }) {
  const query = useQuery<{ proposal: Whole | null; parameters: Rules[] }>(proposalQuery, { id });
  const proposal = query.data?.proposal;
  return (
    <>
      <Heading
        title={proposal ? titleOf(proposal) : `Proposal ${shorten(id, 4)}`}
        lead={<Hash value={id} kind="proposal number" />}
      >
        {proposal && <Pill state={proposal.state} />}
      </Heading>
      <Loaded query={query} rows={6}>
        {(data) =>
          data.proposal ? (
            <Detail
              proposal={data.proposal}
              rules={UNDECIDED.has(data.proposal.state) ? data.parameters[0] : undefined}
              search={search}
              onVoted={query.reload}
            />
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

function Detail({
  proposal,
  rules,
  search,
  onVoted,
}: {
  proposal: Whole;
  /** Those that hold now, while the proposal may still change them. */
  rules: Rules | undefined;
  search: URLSearchParams;
  onVoted: () => void;
}) {
  const [, ...body] = (proposal.description ?? "").trim().split("\n");
  return (
    <>
      <Panel title="Votes">
        <VoteBar proposal={proposal} />
      </Panel>
      <VotePanel proposal={proposal} onVoted={onVoted} />
      {body.length > 0 && (
        <Panel title="What its proposer says">
          <p class="prose">{body.join("\n").trim()}</p>
        </Panel>
      )}
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
                <Value value={value} now={isTaskRules(call) ? rules?.[name] : undefined} />
              </Fact>
            ))}
          </Facts>
        ))}
      </Panel>
      <Ballots id={proposal.id} search={search} />
      <Panel title="Schedule">
        <Facts>
          <Fact name="Proposed by">
            <Account value={proposal.proposer} />
          </Fact>
          <Fact name={isPast(proposal.opensAt) ? "Vote opened" : "Vote opens"}>
            <When iso={proposal.opensAt} />
          </Fact>
          <Fact name={isPast(proposal.closesAt) ? "Vote closed" : "Vote closes"}>
            <When iso={proposal.closesAt} />
          </Fact>
          <Fact name="May be executed">
            {proposal.executableAt ? <When iso={proposal.executableAt} /> : "once it is queued"}
          </Fact>
        </Facts>
      </Panel>
      {proposal.timeline.length > 0 && (
        <Panel title="What happened">
          <ol class="timeline">
            {proposal.timeline.map((event) => (
              <li key={`${event.blockNumber}-${event.logIndex}`}>
                <div class="step-when">
                  <Moment iso={event.timestamp} />
                  <span class="faint">block {count(event.blockNumber)}</span>
                </div>
                <div>{HAPPENED[event.name] ?? event.name}</div>
                <div class="step-tx">
                  <Hash value={event.txHash} kind="transaction hash" />
                </div>
              </li>
            ))}
          </ol>
        </Panel>
      )}
    </>
  );
}

function isTaskRules(call: Proposal["calls"][number]): boolean {
  return call.contract === "TaskEscrow" && call.function === "addParams";
}

/** An argument, and what it would change. */
function Value({ value, now }: { value: string; now: number | undefined }) {
  if (now === undefined || String(now) === value) return <span class="mono">{value}</span>;
  return (
    <>
      <strong class="mono">{value}</strong> <span class="change">instead of {now}</span>
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
