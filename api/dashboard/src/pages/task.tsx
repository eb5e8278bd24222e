import { useEffect } from "preact/hooks";
import { Usdfc } from "../components/amount";
import { Account, Hash, RunnerLink } from "../components/identity";
import { Fact, Facts, Figure, Figures, Heading, Panel } from "../components/layout";
import { Moment } from "../components/moment";
import { Pill } from "../components/pill";
import { Empty, Failure, Loaded } from "../components/states";
import { Table } from "../components/table";
import { isHash, shorten } from "../format/hex";
import { count, words } from "../format/number";
import { Problem } from "../live/problem";
import { subscribe } from "../live/socket";
import { useQuery } from "../live/useQuery";
import taskQuery from "../queries/task.graphql?raw";
import progressQuery from "../queries/task-progress.graphql?raw";
import { Audit, type TaskAudit } from "./audit";
import { PhaseSteps } from "./phases";
import { Timeline, type TimelineEvent } from "./timeline";

interface Seat {
  seat: number;
  node: string;
  owner: string;
  state: string;
  outcome: string | null;
  paid: string;
  slashed: string;
  outputTokens: number | null;
  resultCid: string | null;
  runner: { name: string } | null;
}

interface Prompt {
  clientId: string | null;
  model: string;
  prompt: string;
  output: string | null;
  inputTokens: number | null;
  outputTokens: number | null;
}

export interface TaskDetail {
  id: string;
  status: string;
  mode: string;
  client: string;
  payer: string;
  reward: string;
  bond: string;
  inputPrice: string;
  outputPrice: string;
  paramsId: number;
  replicas: number;
  quorum: number;
  claimBy: number;
  seedBlock: number;
  deadline: number;
  claimed: number;
  committed: number;
  revealed: number;
  paid: string;
  fee: string;
  returned: string;
  slashed: string;
  createdBlock: number;
  createdAt: string;
  settledBlock: number | null;
  settledAt: string | null;
  specCid: string;
  resultCid: string | null;
  specDocument: { status: string; error: string | null };
  resultDocument: { status: string; error: string | null } | null;
  prompt: Prompt | null;
  seats: Seat[];
  audit: TaskAudit | null;
  timeline: TimelineEvent[];
}

export function TaskPage({ id }: { id: string }) {
  if (!isHash(id)) {
    return (
      <>
        <Heading title="Task" />
        <Failure problem={new Problem(`${id} is no task's id`, "It has 0x and 64 hex digits.")} />
      </>
    );
  }
  return <Known id={id} />;
}

function Known({ id }: { id: string }) {
  const query = useQuery<{ task: TaskDetail | null }>(taskQuery, { id });
  const { reload } = query;
  useEffect(() => subscribe(progressQuery, { id }, reload), [id, reload]);
  const task = query.data?.task;
  return (
    <>
      <Heading title={`Task ${shorten(id, 8)}`} lead={<Hash value={id} kind="task id" />}>
        {task && <Pill state={task.status} />}
      </Heading>
      <Loaded query={query} rows={8}>
        {(data) =>
          data.task ? (
            <Detail task={data.task} />
          ) : (
            <Empty title="The index knows no such task" command={`parity-client task get ${id}`}>
              If it was only just sent, it appears here with its block.
            </Empty>
          )
        }
      </Loaded>
    </>
  );
}

function Detail({ task }: { task: TaskDetail }) {
  const names = new Map(task.seats.map((seat) => [seat.node, seat.runner?.name ?? ""]));
  const spent = BigInt(task.paid) + BigInt(task.fee);
  return (
    <>
      <PhaseSteps task={task} />
      {task.prompt ? <Conversation task={task} prompt={task.prompt} /> : <NoPrompt task={task} />}
      <Figures>
        <Figure label="Reward" note="at most, for all seats">
          <Usdfc value={task.reward} />
        </Figure>
        <Figure label="Paid" note="fee included">
          <Usdfc value={spent} />
        </Figure>
        <Figure label="Returned">
          <Usdfc value={task.returned} />
        </Figure>
        <Figure label="Slashed">
          <Usdfc value={task.slashed} />
        </Figure>
      </Figures>
      <Panel title="Seats" side={<span class="faint">{seatsOf(task)}</span>}>
        <Seats seats={task.seats} />
      </Panel>
      {task.audit && <Audit audit={task.audit} />}
      <Panel title="Timeline">
        <Timeline events={task.timeline} names={names} />
      </Panel>
      <Panel title="Order">
        <Terms task={task} />
      </Panel>
    </>
  );
}

function seatsOf(task: TaskDetail): string {
  const taken = `${task.claimed} of ${task.replicas} taken`;
  return task.mode === "AUDITED" ? `${taken}, checked by audit` : `${taken}, ${task.quorum} alike settle`;
}

function Conversation({ task, prompt }: { task: TaskDetail; prompt: Prompt }) {
  return (
    <Panel
      title="Prompt"
      side={
        <span class="mono faint" title={prompt.model}>
          {prompt.model.split("@")[0]}
        </span>
      }
    >
      <div class="conversation">
        <p class="asked">{prompt.prompt}</p>
        {prompt.output === null ? (
          <p class="answer waiting">{waiting(task)}</p>
        ) : (
          <p class="answer">{prompt.output || "The answer is empty."}</p>
        )}
        {prompt.outputTokens !== null && (
          <p class="faint small">
            {prompt.inputTokens} tokens in, {prompt.outputTokens} out
            {prompt.clientId && (
              <>
                {" · "}
                <a href={`/billing?client=${encodeURIComponent(prompt.clientId)}`}>{prompt.clientId}</a>
              </>
            )}
          </p>
        )}
      </div>
    </Panel>
  );
}

function waiting(task: TaskDetail): string {
  if (task.status === "FAILED") return "No answer: too few runners agreed. The reward went back.";
  if (task.status === "CANCELLED") return "No answer: the order was cancelled. The reward went back.";
  if (task.status === "FINAL") return "Settled; the answer is being fetched from IPFS.";
  return "Runners are at work. The answer appears here when they agree.";
}

function NoPrompt({ task }: { task: TaskDetail }) {
  const { status, error } = task.specDocument;
  if (status === "STORED") return null;
  return (
    <p class="notice warn">
      The task's specification is not at hand: {words(status).toLowerCase()}
      {error && ` (${error})`}. Its CID is below.
    </p>
  );
}

function Seats({ seats }: { seats: readonly Seat[] }) {
  if (!seats.length)
    return <Empty title="No seat is taken yet">Runners draw lots; the widest draw comes last.</Empty>;
  return (
    <Table
      caption="Seats"
      rows={seats}
      rowKey={(seat) => String(seat.seat)}
      columns={[
        { title: "Seat", cell: (seat) => <RunnerLink node={seat.node} name={seat.runner?.name} /> },
        { title: "State", cell: (seat) => <Pill state={seat.outcome ?? seat.state} /> },
        {
          title: "Result",
          cell: (seat) => (seat.resultCid ? <Hash value={seat.resultCid} kind="CID" /> : "–"),
          wide: true,
        },
        { title: "Tokens out", cell: (seat) => seat.outputTokens ?? "–", numeric: true, wide: true },
        {
          title: "Slashed",
          cell: (seat) => <Usdfc value={seat.slashed} unit={false} />,
          numeric: true,
          wide: true,
        },
        { title: "Paid", cell: (seat) => <Usdfc value={seat.paid} />, numeric: true },
      ]}
    />
  );
}

function Terms({ task }: { task: TaskDetail }) {
  return (
    <Facts>
      <Fact name="Client">
        <Account value={task.client} href={`/tasks?client=${task.client}`} />
      </Fact>
      <Fact name="Payer">
        <Account value={task.payer} />
      </Fact>
      <Fact name="Submitted">
        <Moment iso={task.createdAt} full />
      </Fact>
      {task.settledAt && (
        <Fact name="Ended">
          <Moment iso={task.settledAt} full />
        </Fact>
      )}
      <Fact name="Check">
        {task.mode === "AUDITED" ? "audit" : `quorum, ${task.quorum} of ${task.replicas}`}
      </Fact>
      <Fact name="Bond a seat">
        <Usdfc value={task.bond} />
      </Fact>
      <Fact name="Price of 1,000 tokens">
        {task.inputPrice === "0" && task.outputPrice === "0" ? (
          "fixed: the reward, shared"
        ) : (
          <>
            <Usdfc value={task.inputPrice} unit={false} /> in, <Usdfc value={task.outputPrice} /> out
          </>
        )}
      </Fact>
      <Fact name="Claims until">block {count(task.claimBy)}</Fact>
      <Fact name="Rules">version {task.paramsId}</Fact>
      <Fact name="Specification">
        <Hash value={task.specCid} kind="CID" />
      </Fact>
      <Fact name="Result">{task.resultCid ? <Hash value={task.resultCid} kind="CID" /> : "–"}</Fact>
    </Facts>
  );
}
