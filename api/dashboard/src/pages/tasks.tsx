import { Choice, Field } from "../components/field";
import { Heading, Panel } from "../components/layout";
import { type PageInfo, Pager, pageArguments } from "../components/pager";
import { Empty, Loaded } from "../components/states";
import { isAddress } from "../format/hex";
import { words } from "../format/number";
import { useQuery } from "../live/useQuery";
import tasksQuery from "../queries/tasks.graphql?raw";
import { refine } from "../router";
import { type TaskRow, TaskTable, withTaskRow } from "./task-rows";

const PAGE = 25;
const STATUSES = [
  "OPEN",
  "COMMITTING",
  "REVEALING",
  "CHALLENGEABLE",
  "DISPUTED",
  "FINAL",
  "FAILED",
  "CANCELLED",
];
const ORDERS = [
  ["", "Newest first"],
  ["CREATED_ASC", "Oldest first"],
  ["REWARD_DESC", "Highest reward first"],
  ["REWARD_ASC", "Lowest reward first"],
] as const;

interface TasksAnswer {
  tasks: { nodes: TaskRow[]; pageInfo: PageInfo };
}

export function Tasks({ search }: { search: URLSearchParams }) {
  const query = useQuery<TasksAnswer>(withTaskRow(tasksQuery), {
    ...pageArguments(search, PAGE),
    where: filterOf(search),
    orderBy: ORDERS.some(([order]) => order && order === search.get("order"))
      ? search.get("order")
      : "CREATED_DESC",
  });
  const filtered = ["status", "client", "node"].some((name) => search.has(name));
  return (
    <>
      <Heading title="Tasks" lead="Every order that was submitted, with the state of its life." />
      <Filters search={search} />
      <Panel>
        <Loaded query={query} rows={10}>
          {({ tasks }) =>
            tasks.nodes.length ? (
              <>
                <TaskTable tasks={tasks.nodes} caption="Tasks" />
                <Pager info={tasks.pageInfo} what="tasks" />
              </>
            ) : filtered ? (
              <Empty title="No task matches">
                <a href="/tasks">Show all tasks</a>
              </Empty>
            ) : (
              <Empty
                title="No task yet"
                command={
                  'parity-client llm submit --prompt "What is the capital of France?" --model smollm2:135m --wait'
                }
              >
                Ask the network something from a terminal, or <a href="/submit">submit a prompt here</a>.
              </Empty>
            )
          }
        </Loaded>
      </Panel>
    </>
  );
}

function filterOf(search: URLSearchParams): Record<string, unknown> {
  const where: Record<string, unknown> = {};
  const status = search.get("status");
  if (status && STATUSES.includes(status)) where["status"] = { eq: status };
  for (const party of ["client", "node"]) {
    const address = search.get(party) ?? "";
    if (isAddress(address)) where[party] = { eq: address };
  }
  return where;
}

function Filters({ search }: { search: URLSearchParams }) {
  const change = (name: string) => (value: string) => refine({ [name]: value, after: "", before: "" });
  return (
    <search class="filters" aria-label="Filter tasks">
      <Choice
        label="Status"
        value={search.get("status") ?? ""}
        options={[["", "Any"], ...STATUSES.map((status) => [status, words(status)] as const)]}
        onChange={change("status")}
      />
      <Choice label="Order" value={search.get("order") ?? ""} options={ORDERS} onChange={change("order")} />
      <PartyField label="Client" name="client" search={search} onChange={change("client")} />
      <PartyField label="Runner" name="node" search={search} onChange={change("node")} />
    </search>
  );
}

interface PartyFieldProps {
  label: string;
  name: string;
  search: URLSearchParams;
  onChange: (value: string) => void;
}

function PartyField({ label, name, search, onChange }: PartyFieldProps) {
  const value = search.get(name) ?? "";
  const wrong = value && !isAddress(value) ? "An address has 0x and 40 hex digits" : undefined;
  return <Field label={label} value={value} onChange={onChange} placeholder="0x…" problem={wrong} />;
}
