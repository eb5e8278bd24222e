import { LineChart } from "../charts/line";
import { Usdfc } from "../components/amount";
import { Account, Hash, TaskLink } from "../components/identity";
import { Fact, Facts, Figure, Figures, Heading, Panel } from "../components/layout";
import { Moment } from "../components/moment";
import { Pill } from "../components/pill";
import { Empty, Failure, Loaded } from "../components/states";
import { Table } from "../components/table";
import { isAddress, shorten } from "../format/hex";
import { count, score } from "../format/number";
import { Problem } from "../live/problem";
import { useQuery } from "../live/useQuery";
import runnerQuery from "../queries/runner.graphql?raw";
import { type AuditRow, AuditTable, type Duty, DutyTable, type Verdict, VerdictTable } from "./judging";
import { type Offer, OfferTable } from "./offers";
import { standing } from "./runners";
import { type TaskRow, TaskTable, withTaskRow } from "./task-rows";

interface ScoreChange {
  ref: string;
  outcome: string;
  score: number;
  blockNumber: number;
  logIndex: number;
  timestamp: string;
}

interface Heartbeat {
  version: string;
  slots: number;
  busy: number;
  receivedAt: string;
}

interface RunnerDetail {
  node: string;
  owner: string;
  name: string;
  status: string;
  registeredBlock: number;
  bannedUntil: number;
  strikes: number;
  score: number;
  right: number;
  wrong: number;
  missed: number;
  monitorMissed: number;
  wrongStreak: number;
  profileCid: string;
  profileDocument: { status: string };
  heartbeat: Heartbeat | null;
  stake: { free: string; bonded: string; locked: string; unbonding: string; releaseBlock: number };
  models: Offer[];
}

interface RunnerAnswer {
  runner: RunnerDetail | null;
  reputationEvents: { nodes: ScoreChange[] };
  tasks: { nodes: TaskRow[] };
  monitoringVerdicts: { nodes: Verdict[] };
  monitoringAssignments: { nodes: Duty[] };
  audits: { nodes: AuditRow[] };
  status: { indexedBlock: number };
}

const START = 500_000;
const WHOLE = 1_000_000;

export function RunnerPage({ node }: { node: string }) {
  if (!isAddress(node)) {
    return (
      <>
        <Heading title="Runner" />
        <Failure problem={new Problem(`${node} is no runner's address`, "It has 0x and 40 hex digits.")} />
      </>
    );
  }
  return <Known node={node} />;
}

function Known({ node }: { node: string }) {
  const query = useQuery<RunnerAnswer>(withTaskRow(runnerQuery), { node });
  const runner = query.data?.runner;
  return (
    <>
      <Heading title={runner?.name || `Runner ${shorten(node)}`} lead={<Account value={node} head={10} />}>
        {runner && <Pill state={standing(runner, query.data?.status.indexedBlock ?? 0)} />}
      </Heading>
      <Loaded query={query} rows={8}>
        {(data) =>
          data.runner ? (
            <>
              <Profile runner={data.runner} changes={data.reputationEvents.nodes} tasks={data.tasks.nodes} />
              <Judging answer={data} />
            </>
          ) : (
            <Empty title="No runner has this node key">
              <a href="/runners">All runners</a>
            </Empty>
          )
        }
      </Loaded>
    </>
  );
}

function Judging({ answer }: { answer: RunnerAnswer }) {
  const { monitoringVerdicts, monitoringAssignments, audits } = answer;
  return (
    <>
      <div class="columns">
        <Panel title="What others report of it">
          <VerdictTable verdicts={monitoringVerdicts.nodes} />
        </Panel>
        <Panel title="Its own monitoring duties">
          <DutyTable duties={monitoringAssignments.nodes} />
        </Panel>
      </div>
      {audits.nodes.length > 0 && (
        <Panel title="Audits of its answers">
          <AuditTable audits={audits.nodes} />
        </Panel>
      )}
    </>
  );
}

interface ProfileProps {
  runner: RunnerDetail;
  changes: readonly ScoreChange[];
  tasks: readonly TaskRow[];
}

function Profile({ runner, changes, tasks }: ProfileProps) {
  return (
    <>
      <Figures>
        <Figure label="Score">{score(runner.score)}</Figure>
        <Figure label="Right">{count(runner.right)}</Figure>
        <Figure label="Wrong" {...(runner.wrongStreak ? { note: `${runner.wrongStreak} in a row` } : {})}>
          {count(runner.wrong)}
        </Figure>
        <Figure
          label="Missed"
          {...(runner.monitorMissed ? { note: `and ${runner.monitorMissed} monitoring duties` } : {})}
        >
          {count(runner.missed)}
        </Figure>
        <Figure
          label="Owner's stake"
          note={
            <>
              <Usdfc value={runner.stake.locked} /> locked
            </>
          }
        >
          <Usdfc value={runner.stake.bonded} />
        </Figure>
      </Figures>
      <div class="columns">
        <Panel title="Score history">
          <ScoreHistory changes={changes} registered={runner.registeredBlock} />
        </Panel>
        <Panel title="Registration">
          <Registration runner={runner} />
        </Panel>
      </div>
      <Panel title="Models on offer">
        <OfferTable offers={runner.models} />
      </Panel>
      <Panel title="Latest outcomes">
        <Outcomes changes={changes.slice(0, 10)} />
      </Panel>
      <Panel title="Latest tasks" side={<a href={`/tasks?node=${runner.node}`}>All its tasks</a>}>
        {tasks.length ? (
          <TaskTable tasks={tasks} caption="Latest tasks" />
        ) : (
          <Empty title="No seat yet">It takes one when a task's lottery admits it.</Empty>
        )}
      </Panel>
    </>
  );
}

function ScoreHistory({ changes, registered }: { changes: readonly ScoreChange[]; registered: number }) {
  if (!changes.length)
    return <Empty title="No outcome yet">The score changes with the first settled task.</Empty>;
  const points = changes.map((change) => ({ x: change.blockNumber, y: change.score })).reverse();
  const complete = changes.length < 100;
  return (
    <LineChart
      label={`Score over blocks, from ${score(points[0]?.y ?? START)} to ${score(points.at(-1)?.y ?? START)}`}
      points={complete ? [{ x: registered, y: START }, ...points] : points}
      stepped
      bounds={[0, WHOLE]}
      formatX={(block) => `block ${count(Math.round(block))}`}
      formatY={(value) => `${Math.round(value / 10_000)} %`}
    />
  );
}

function Registration({ runner }: { runner: RunnerDetail }) {
  return (
    <Facts>
      <Fact name="Owner">
        <Account value={runner.owner} />
      </Fact>
      <Fact name="Registered">block {count(runner.registeredBlock)}</Fact>
      <Fact name="Bans">
        {runner.strikes ? `${runner.strikes}, the last until block ${count(runner.bannedUntil)}` : "none"}
      </Fact>
      <Fact name="Unbonding">
        <Usdfc value={runner.stake.unbonding} />
        {runner.stake.releaseBlock > 0 && ` from block ${count(runner.stake.releaseBlock)}`}
      </Fact>
      <Fact name="Earned, free">
        <Usdfc value={runner.stake.free} />
      </Fact>
      <Fact name="Profile">
        <Hash value={runner.profileCid} kind="CID" />
        {runner.profileDocument.status !== "STORED" && <span class="faint"> not fetched yet</span>}
      </Fact>
      <Fact name="Last heartbeat">{runner.heartbeat ? <Beat beat={runner.heartbeat} /> : "none here"}</Fact>
    </Facts>
  );
}

/** What the runner says of itself to this server; the chain knows nothing of it. */
function Beat({ beat }: { beat: Heartbeat }) {
  return (
    <>
      <Moment iso={beat.receivedAt} />, {count(beat.busy)} of {count(beat.slots)} slots busy,{" "}
      <span class="faint">version {beat.version}</span>
    </>
  );
}

function Outcomes({ changes }: { changes: readonly ScoreChange[] }) {
  if (!changes.length) return <Empty title="No outcome yet" />;
  return (
    <Table
      caption="Latest outcomes"
      rows={changes}
      rowKey={(change) => `${change.blockNumber}-${change.logIndex}`}
      columns={[
        { title: "Task", cell: (change) => <TaskLink id={change.ref} /> },
        { title: "Outcome", cell: (change) => <Pill state={change.outcome} /> },
        { title: "Score after", cell: (change) => score(change.score), numeric: true, wide: true },
        { title: "Block", cell: (change) => count(change.blockNumber), numeric: true, wide: true },
        { title: "When", cell: (change) => <Moment iso={change.timestamp} />, numeric: true },
      ]}
    />
  );
}
