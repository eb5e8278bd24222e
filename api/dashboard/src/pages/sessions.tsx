import { Usdfc } from "../components/amount";
import { Choice, Field } from "../components/field";
import { Account, SessionLink } from "../components/identity";
import { Heading, Panel } from "../components/layout";
import { Moment } from "../components/moment";
import { type PageInfo, Pager, pageArguments } from "../components/pager";
import { Pill } from "../components/pill";
import { Empty, Loaded } from "../components/states";
import { type Column, Table } from "../components/table";
import { isAddress } from "../format/hex";
import { words } from "../format/number";
import { useQuery } from "../live/useQuery";
import sessionsQuery from "../queries/sessions.graphql?raw";
import { refine } from "../router";
import { type ConfigDocument, nameOf } from "./session-config";

const PAGE = 25;
const PHASES = [
  "joining",
  "training",
  "revealing",
  "keys",
  "shares",
  "masking",
  "unmasking",
  "aggregating",
  "finished",
  "failed",
  "cancelled",
];

interface SessionRow {
  id: string;
  phase: string;
  creator: string;
  rounds: number;
  finished: number;
  members: number;
  maxParticipants: number;
  secure: boolean;
  budget: string;
  paid: string;
  createdAt: string;
  configDocument: ConfigDocument | null;
}

const COLUMNS: readonly Column<SessionRow>[] = [
  {
    title: "Session",
    cell: (session) => <SessionLink id={session.id} name={nameOf(session.configDocument)} />,
  },
  { title: "Phase", cell: (session) => <Pill state={session.phase.toUpperCase()} /> },
  {
    title: "Participants",
    cell: (session) => `${session.members} of ${session.maxParticipants}`,
    numeric: true,
    wide: true,
  },
  { title: "Creator", cell: (session) => <Account value={session.creator} />, wide: true },
  {
    title: "Paid",
    cell: (session) => <Usdfc value={session.paid} unit={false} />,
    numeric: true,
    wide: true,
  },
  { title: "Budget", cell: (session) => <Usdfc value={session.budget} />, numeric: true, wide: true },
  { title: "Created", cell: (session) => <Moment iso={session.createdAt} />, numeric: true, wide: true },
  { title: "Rounds", cell: (session) => `${session.finished} of ${session.rounds}`, numeric: true },
];

export function Sessions({ search }: { search: URLSearchParams }) {
  const phase = PHASES.find((one) => one === search.get("phase"));
  const creator = search.get("creator") ?? "";
  const query = useQuery<{ sessions: { nodes: SessionRow[]; pageInfo: PageInfo } }>(sessionsQuery, {
    ...pageArguments(search, PAGE),
    where: {
      ...(phase ? { phase: { eq: phase } } : {}),
      ...(isAddress(creator) ? { creator: { eq: creator } } : {}),
    },
  });
  const change = (name: string) => (value: string) => refine({ [name]: value, after: "", before: "" });
  return (
    <>
      <Heading
        title="Learning"
        lead="Federated sessions: models trained by many runners on data that stays with them."
      />
      <search class="filters" aria-label="Filter sessions">
        <Choice
          label="Phase"
          value={phase ?? ""}
          options={[["", "Any"], ...PHASES.map((one) => [one, words(one)] as const)]}
          onChange={change("phase")}
        />
        <Field
          label="Creator"
          value={creator}
          onChange={change("creator")}
          placeholder="0x…"
          problem={creator && !isAddress(creator) ? "An address has 0x and 40 hex digits" : undefined}
        />
      </search>
      <Panel>
        <Loaded query={query} rows={6}>
          {({ sessions }) =>
            sessions.nodes.length ? (
              <>
                <Table
                  caption="Learning sessions"
                  columns={COLUMNS}
                  rows={sessions.nodes}
                  rowKey={(session) => session.id}
                />
                <Pager info={sessions.pageInfo} what="sessions" />
              </>
            ) : (
              <Empty title={phase || creator ? "No session matches" : "No federated session yet"}>
                A session appears here with its rounds once one is created on the chain.
              </Empty>
            )
          }
        </Loaded>
      </Panel>
    </>
  );
}
