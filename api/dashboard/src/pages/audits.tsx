import { Usdfc } from "../components/amount";
import { Choice, Field } from "../components/field";
import { Account, RunnerLink, TaskLink } from "../components/identity";
import { Heading, Panel } from "../components/layout";
import { type PageInfo, Pager, pageArguments } from "../components/pager";
import { Pill } from "../components/pill";
import { Empty, Loaded } from "../components/states";
import { type Column, Table } from "../components/table";
import { isAddress } from "../format/hex";
import { count, words } from "../format/number";
import { useQuery } from "../live/useQuery";
import auditsQuery from "../queries/audits.graphql?raw";
import { refine } from "../router";
import { type AuditRow, VerdictPill } from "./judging";

const PAGE = 25;
const STAGES = ["OPEN", "CLEARED", "VOTING", "REVEALING", "APPEALABLE", "CLOSED"];
const VERDICTS: Record<string, boolean> = { RIGHT: true, WRONG: false };
const FILTERS = ["stage", "verdict", "challenged", "node", "auditor"];

interface ListedAudit extends AuditRow {
  node: string;
  challenger: string | null;
  appellant: string | null;
  bond: string;
  runner: { name: string } | null;
}

const COLUMNS: readonly Column<ListedAudit>[] = [
  { title: "Task", cell: (audit) => <TaskLink id={audit.taskId} /> },
  { title: "Stage", cell: (audit) => <Pill state={audit.stage} /> },
  {
    title: "Runner",
    cell: (audit) => <RunnerLink node={audit.node} name={audit.runner?.name} />,
    wide: true,
  },
  { title: "Draw", cell: drawOf, wide: true },
  {
    title: "Challenged by",
    cell: (audit) => (audit.challenger ? <Account value={audit.challenger} /> : "nobody"),
    wide: true,
  },
  {
    title: "Appealed by",
    cell: (audit) => (audit.appellant ? <Account value={audit.appellant} /> : "nobody"),
    wide: true,
  },
  { title: "Bond", cell: (audit) => <Usdfc value={audit.bond} />, numeric: true, wide: true },
  { title: "Block", cell: (audit) => count(audit.openedBlock), numeric: true, wide: true },
  { title: "Verdict", cell: (audit) => <VerdictPill audit={audit} />, numeric: true },
];

/** Every check of an answer, whether the beacon drew it or somebody forced it with a bond. */
export function Audits({ search }: { search: URLSearchParams }) {
  const query = useQuery<{ audits: { nodes: ListedAudit[]; pageInfo: PageInfo } }>(auditsQuery, {
    ...pageArguments(search, PAGE),
    where: filterOf(search),
  });
  return (
    <>
      <Heading
        title="Audits"
        lead="Answers that auditors may check: drawn by the beacon, or challenged by anybody with a bond."
      />
      <Filters search={search} />
      <Panel>
        <Loaded query={query} rows={6}>
          {({ audits }) =>
            audits.nodes.length ? (
              <>
                <Table
                  caption="Audits"
                  columns={COLUMNS}
                  rows={audits.nodes}
                  rowKey={(audit) => audit.taskId}
                />
                <Pager info={audits.pageInfo} what="audits" />
              </>
            ) : FILTERS.some((name) => search.has(name)) ? (
              <Empty title="No audit matches">
                <a href="/audits">Show all audits</a>
              </Empty>
            ) : (
              <Empty
                title="No audit yet"
                command={
                  'parity-client llm submit --prompt "What is the capital of France?" --model smollm2:135m --mode audited'
                }
              >
                A task in audited mode comes here when its runner reveals the answer.
              </Empty>
            )
          }
        </Loaded>
      </Panel>
    </>
  );
}

function drawOf(audit: ListedAudit): string {
  const chance = `${audit.rateBps / 100} %`;
  if (audit.audited === null) return `not yet, a chance of ${chance}`;
  return `${audit.audited ? "drawn" : "not drawn"} at ${chance}`;
}

function filterOf(search: URLSearchParams): Record<string, unknown> {
  const where: Record<string, unknown> = {};
  const stage = search.get("stage") ?? "";
  if (STAGES.includes(stage)) where["stage"] = { eq: stage };
  const valid = VERDICTS[search.get("verdict") ?? ""];
  if (valid !== undefined) where["valid"] = { eq: valid };
  const challenged = search.get("challenged");
  if (challenged) where["challenged"] = { eq: challenged === "yes" };
  for (const party of ["node", "auditor"]) {
    const address = search.get(party) ?? "";
    if (isAddress(address)) where[party] = { eq: address };
  }
  return where;
}

function Filters({ search }: { search: URLSearchParams }) {
  const choice = (name: string) => ({
    value: search.get(name) ?? "",
    onChange: (value: string) => refine({ [name]: value, after: "", before: "" }),
  });
  const party = (name: string) => {
    const chosen = choice(name);
    const wrong = chosen.value && !isAddress(chosen.value);
    return { ...chosen, problem: wrong ? "An address has 0x and 40 hex digits" : undefined };
  };
  return (
    <search class="filters" aria-label="Filter audits">
      <Choice
        label="Stage"
        options={[["", "Any"], ...STAGES.map((stage) => [stage, words(stage)] as const)]}
        {...choice("stage")}
      />
      <Choice
        label="Verdict"
        options={[["", "Any"], ...Object.keys(VERDICTS).map((verdict) => [verdict, words(verdict)] as const)]}
        {...choice("verdict")}
      />
      <Choice
        label="Challenged"
        options={[
          ["", "Any"],
          ["yes", "By somebody"],
          ["no", "By nobody"],
        ]}
        {...choice("challenged")}
      />
      <Field label="Runner" placeholder="0x…" {...party("node")} />
      <Field label="Auditor" placeholder="0x…" {...party("auditor")} />
    </search>
  );
}
