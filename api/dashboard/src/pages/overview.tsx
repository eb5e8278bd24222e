import { Bars, Split } from "../charts/bars";
import { Usdfc } from "../components/amount";
import { RunnerLink } from "../components/identity";
import { Figure, Figures, Heading, Panel } from "../components/layout";
import { Meter } from "../components/meter";
import { Empty, Loaded } from "../components/states";
import { Table } from "../components/table";
import { compact, count, plural, share, words } from "../format/number";
import { useStatus } from "../live/network";
import { useQuery } from "../live/useQuery";
import overviewQuery from "../queries/overview.graphql?raw";
import { type TaskRow, TaskTable, withTaskRow } from "./task-rows";

interface Stats {
  activeRunners: number;
  owners: number;
  bonded: string;
  locked: string;
  escrowed: string;
  free: string;
  paid: string;
  tasks: { status: string; tasks: number }[];
}

interface RunnerBrief {
  node: string;
  name: string;
  score: number;
  right: number;
  wrong: number;
  missed: number;
}

interface Overview {
  networkStats: Stats;
  throughput: { start: string; submitted: number; settled: number }[];
  tasks: { nodes: TaskRow[] };
  runners: { nodes: RunnerBrief[] };
}

const RUNNING = new Set(["OPEN", "COMMITTING", "REVEALING", "CHALLENGEABLE", "DISPUTED"]);
const TONES: Record<string, string> = {
  FINAL: "good",
  FAILED: "bad",
  CANCELLED: "quiet",
  DISPUTED: "warn",
  OPEN: "info",
};

export function Overview() {
  const query = useQuery<Overview>(withTaskRow(overviewQuery));
  return (
    <>
      <Heading title="Network" lead="What the network does now, as the chain tells it." />
      <Loaded query={query} rows={8}>
        {(data) => (
          <>
            <KeyFigures stats={data.networkStats} />
            <div class="columns">
              <Throughput minutes={data.throughput} />
              <Phases stats={data.networkStats} />
            </div>
            <Panel title="Newest tasks" side={<a href="/tasks">All tasks</a>}>
              {data.tasks.nodes.length ? (
                <TaskTable tasks={data.tasks.nodes} caption="Newest tasks" />
              ) : (
                <Empty
                  title="No task yet"
                  command={
                    'parity-client llm submit --prompt "What is the capital of France?" --model smollm2:135m --wait'
                  }
                >
                  Ask the network something from a terminal, or <a href="/submit">submit a prompt here</a>.
                </Empty>
              )}
            </Panel>
            <Panel title="Best runners" side={<a href="/runners">Leaderboard</a>}>
              <BestRunners runners={data.runners.nodes} />
            </Panel>
          </>
        )}
      </Loaded>
    </>
  );
}

function KeyFigures({ stats }: { stats: Stats }) {
  const status = useStatus().data?.status;
  const running = stats.tasks
    .filter((one) => RUNNING.has(one.status))
    .reduce((sum, one) => sum + one.tasks, 0);
  const all = stats.tasks.reduce((sum, one) => sum + one.tasks, 0);
  return (
    <Figures>
      <Figure label="Active runners" note={`of ${plural(stats.owners, "owner")}`}>
        {count(stats.activeRunners)}
      </Figure>
      <Figure
        label="Stake"
        note={
          <>
            <Usdfc value={stats.locked} /> backs running tasks
          </>
        }
      >
        <Usdfc value={stats.bonded} />
      </Figure>
      <Figure label="Tasks" note={`${count(running)} running`}>
        {compact(all)}
      </Figure>
      <Figure
        label="Paid for work"
        note={
          <>
            <Usdfc value={stats.escrowed} /> in escrow
          </>
        }
      >
        <Usdfc value={stats.paid} />
      </Figure>
      {status && (
        <Figure label="Index" note={`final to block ${count(status.finalizedBlock)}`}>
          {status.lagBlocks === 0 ? "Up to date" : `${plural(status.lagBlocks, "block")} behind`}
        </Figure>
      )}
    </Figures>
  );
}

function Throughput({ minutes }: { minutes: Overview["throughput"] }) {
  const settled = minutes.reduce((sum, minute) => sum + minute.settled, 0);
  const submitted = minutes.reduce((sum, minute) => sum + minute.submitted, 0);
  return (
    <Panel
      title="Settled a minute"
      side={<span class="faint">{plural(settled, "task")} in the last hour</span>}
    >
      <Bars
        label={`Tasks settled in each of the last 60 minutes: ${settled} in all, at most ${Math.max(0, ...minutes.map((m) => m.settled))} a minute`}
        values={minutes.map((minute) => minute.settled)}
        from="1 hour ago"
        to={`now · ${count(submitted)} submitted`}
      />
    </Panel>
  );
}

function Phases({ stats }: { stats: Stats }) {
  const all = stats.tasks.reduce((sum, one) => sum + one.tasks, 0);
  const parts = stats.tasks.map((one) => ({
    name: words(one.status),
    value: one.tasks,
    text: count(one.tasks),
    tone: TONES[one.status] ?? "busy",
  }));
  const final = stats.tasks.find((one) => one.status === "FINAL")?.tasks ?? 0;
  return (
    <Panel title="Tasks by state" side={all > 0 && <span class="faint">{share(final / all)} final</span>}>
      {all ? <Split parts={parts} /> : <p class="faint pad">No task yet.</p>}
    </Panel>
  );
}

function BestRunners({ runners }: { runners: readonly RunnerBrief[] }) {
  if (!runners.length) {
    return (
      <Empty title="No active runner" command="parity-runner register">
        Nobody can take a task until a runner has staked and registered.
      </Empty>
    );
  }
  return (
    <Table
      caption="Best runners"
      rows={runners}
      rowKey={(runner) => runner.node}
      columns={[
        { title: "Runner", cell: (runner) => <RunnerLink node={runner.node} name={runner.name} /> },
        { title: "Score", cell: (runner) => <Meter score={runner.score} /> },
        { title: "Right", cell: (runner) => count(runner.right), numeric: true },
        { title: "Wrong", cell: (runner) => count(runner.wrong), numeric: true, wide: true },
        { title: "Missed", cell: (runner) => count(runner.missed), numeric: true, wide: true },
      ]}
    />
  );
}
