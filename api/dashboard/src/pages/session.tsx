import { useEffect } from "preact/hooks";
import { Usdfc } from "../components/amount";
import { Account, Hash, RunnerLink, TaskLink } from "../components/identity";
import { Fact, Facts, Figure, Figures, Heading, Panel } from "../components/layout";
import { Moment } from "../components/moment";
import { Pill } from "../components/pill";
import { Empty, Failure, Loaded } from "../components/states";
import { Table } from "../components/table";
import { isHash, shorten } from "../format/hex";
import { count, plural, words } from "../format/number";
import { useStatus } from "../live/network";
import { Problem } from "../live/problem";
import { subscribe } from "../live/socket";
import { useQuery } from "../live/useQuery";
import sessionQuery from "../queries/session.graphql?raw";
import progressQuery from "../queries/session-progress.graphql?raw";
import { SessionCharts } from "./session-charts";
import { type ConfigDocument, detailOf, nameOf } from "./session-config";

export interface RoundRow {
  round: number;
  status: string;
  attempts: number;
  contributions: number;
  acceptedCount: number;
  taskId: string | null;
  pay: string;
  stop: boolean;
  startedAt: string;
  settledAt: string | null;
  manifestDocument: { content: { loss?: string; metrics?: Record<string, string> } | null } | null;
}

interface ParticipantRow {
  slot: number;
  node: string;
  status: string;
  samples: number | null;
  contributions: number;
  accepted: number;
  missed: number;
  paid: string;
  slashed: string;
  runner: { name: string } | null;
}

interface SessionDetail {
  id: string;
  creator: string;
  payer: string;
  phase: string;
  budget: string;
  reward: string;
  bond: string;
  rounds: number;
  finished: number;
  round: number;
  minParticipants: number;
  maxParticipants: number;
  members: number;
  secure: boolean;
  privateData: boolean;
  joinBy: number;
  deadline: number;
  config: string;
  model: string | null;
  paid: string;
  fees: string;
  slashed: string;
  returned: string;
  createdAt: string;
  endedAt: string | null;
  configDocument: (ConfigDocument & { cid: string; status: string }) | null;
  roundList: RoundRow[];
  participants: ParticipantRow[];
}

const PLAIN = ["training", "revealing", "aggregating"];
const SECURE = ["keys", "shares", "masking", "unmasking", "aggregating"];
const ENDS = new Set(["finished", "failed", "cancelled"]);

export function SessionPage({ id }: { id: string }) {
  if (!isHash(id)) {
    return (
      <>
        <Heading title="Session" />
        <Failure problem={new Problem(`${id} is no session's id`, "It has 0x and 64 hex digits.")} />
      </>
    );
  }
  return <Known id={id} />;
}

function Known({ id }: { id: string }) {
  const query = useQuery<{ session: SessionDetail | null }>(sessionQuery, { id });
  const { reload } = query;
  useEffect(() => subscribe(progressQuery, { id }, reload), [id, reload]);
  const session = query.data?.session;
  const name = nameOf(session?.configDocument ?? null);
  return (
    <>
      <Heading title={name ?? `Session ${shorten(id, 8)}`} lead={<Hash value={id} kind="session id" />}>
        {session && <Pill state={session.phase.toUpperCase()} />}
      </Heading>
      <Loaded query={query} rows={8}>
        {(data) =>
          data.session ? (
            <Detail session={data.session} />
          ) : (
            <Empty title="The index knows no such session">
              If it was only just created, it appears here with its block.{" "}
              <a href="/sessions">All sessions</a>
            </Empty>
          )
        }
      </Loaded>
    </>
  );
}

function Detail({ session }: { session: SessionDetail }) {
  return (
    <>
      <Phases session={session} />
      <Figures>
        <Figure label="Rounds" note={`${count(session.finished)} settled`}>
          {session.round ? `${session.round} of ${session.rounds}` : `${count(session.rounds)} to come`}
        </Figure>
        <Figure label="Participants" note={`at least ${session.minParticipants}`}>
          {`${session.members} of ${session.maxParticipants}`}
        </Figure>
        <Figure
          label="Paid"
          note={
            <>
              of <Usdfc value={session.budget} />
            </>
          }
        >
          <Usdfc value={session.paid} />
        </Figure>
        <Figure label="Slashed">
          <Usdfc value={session.slashed} />
        </Figure>
      </Figures>
      <SessionCharts rounds={session.roundList} />
      <Panel title="Rounds">
        <Rounds rounds={session.roundList} />
      </Panel>
      <Panel title="Participants">
        <Participants participants={session.participants} />
      </Panel>
      <Panel title="Order">
        <Terms session={session} />
      </Panel>
    </>
  );
}

/** Where the session is: joining, the phases of its running round, and its end. */
function Phases({ session }: { session: SessionDetail }) {
  const head = useStatus().data?.status.indexedBlock;
  const ended = ENDS.has(session.phase);
  const steps = ["joining", ...(session.secure ? SECURE : PLAIN), ended ? session.phase : "finished"];
  const at = steps.indexOf(session.phase);
  const left = head !== undefined && session.deadline > head ? session.deadline - head : undefined;
  return (
    <ol class="phases" aria-label="Phases">
      {steps.map((step, index) => (
        <li
          key={step}
          class={`${index < at || ended ? "done" : ""} ${step === "failed" || step === "cancelled" ? "bad" : ""}`}
          aria-current={index === at ? "step" : undefined}
        >
          <span class="phase-name">{words(step)}</span>
          <span class="phase-note">{index === at && !ended && noteOf(session.round, left)}</span>
        </li>
      ))}
    </ol>
  );
}

function noteOf(round: number, left: number | undefined): string {
  const parts = [
    round > 0 && `round ${round}`,
    left !== undefined && `at most ${plural(left, "block")} more`,
  ];
  return parts.filter(Boolean).join(" · ");
}

function Rounds({ rounds }: { rounds: readonly RoundRow[] }) {
  if (!rounds.length)
    return <Empty title="No round yet">The first begins once enough participants have joined.</Empty>;
  return (
    <Table
      caption="Rounds"
      rows={[...rounds].reverse()}
      rowKey={(round) => String(round.round)}
      columns={[
        { title: "Round", cell: (round) => count(round.round) },
        { title: "Status", cell: (round) => <Pill state={round.status.toUpperCase()} /> },
        {
          title: "Accepted",
          cell: (round) =>
            round.settledAt
              ? `${round.acceptedCount} of ${round.contributions}`
              : `${round.contributions} came`,
          numeric: true,
        },
        {
          title: "Aggregation",
          cell: (round) => (round.taskId ? <TaskLink id={round.taskId} /> : "–"),
          wide: true,
        },
        {
          title: "Paid each",
          cell: (round) => (round.settledAt ? <Usdfc value={round.pay} /> : "–"),
          numeric: true,
          wide: true,
        },
        {
          title: "Settled",
          cell: (round) => (round.settledAt ? <Moment iso={round.settledAt} /> : "–"),
          numeric: true,
          wide: true,
        },
        {
          title: "Loss",
          cell: (round) => round.manifestDocument?.content?.loss ?? "–",
          numeric: true,
        },
      ]}
    />
  );
}

function Participants({ participants }: { participants: readonly ParticipantRow[] }) {
  if (!participants.length)
    return <Empty title="Nobody has joined yet">Runners whose ticket admits them join by themselves.</Empty>;
  return (
    <Table
      caption="Participants"
      rows={participants}
      rowKey={(one) => String(one.slot)}
      columns={[
        { title: "Runner", cell: (one) => <RunnerLink node={one.node} name={one.runner?.name} /> },
        { title: "Status", cell: (one) => <Pill state={one.status.toUpperCase()} /> },
        { title: "Accepted", cell: (one) => `${one.accepted} of ${one.contributions}`, numeric: true },
        { title: "Samples", cell: (one) => one.samples ?? "–", numeric: true, wide: true },
        { title: "Missed", cell: (one) => count(one.missed), numeric: true, wide: true },
        {
          title: "Slashed",
          cell: (one) => <Usdfc value={one.slashed} unit={false} />,
          numeric: true,
          wide: true,
        },
        { title: "Paid", cell: (one) => <Usdfc value={one.paid} unit={false} />, numeric: true },
      ]}
    />
  );
}

function Terms({ session }: { session: SessionDetail }) {
  const config = session.configDocument;
  return (
    <Facts>
      <Fact name="Creator">
        <Account value={session.creator} href={`/sessions?creator=${session.creator}`} />
      </Fact>
      <Fact name="Payer">
        <Account value={session.payer} />
      </Fact>
      <Fact name="Created">
        <Moment iso={session.createdAt} full />
      </Fact>
      {session.endedAt && (
        <Fact name="Ended">
          <Moment iso={session.endedAt} full />
        </Fact>
      )}
      <Fact name="Aggregation">
        {detailOf(config, "aggregation", "method") ?? "–"}
        {session.secure && ", secure"}
      </Fact>
      <Fact name="Data">
        {session.privateData ? "the participants' own" : "given with the configuration"}
      </Fact>
      <Fact name="Each contribution">
        <Usdfc value={session.reward} />
      </Fact>
      <Fact name="Bond each">
        <Usdfc value={session.bond} />
      </Fact>
      <Fact name="Joining until">block {count(session.joinBy)}</Fact>
      <Fact name="Fees">
        <Usdfc value={session.fees} />
      </Fact>
      <Fact name="Configuration">
        <Hash value={config?.cid ?? session.config} kind={config ? "CID" : "digest"} />
        {config && config.status !== "STORED" && <span class="faint"> not fetched yet</span>}
      </Fact>
      <Fact name="Model">{session.model ? <Hash value={session.model} kind="digest" /> : "–"}</Fact>
    </Facts>
  );
}
