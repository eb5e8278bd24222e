import { Usdfc } from "../components/amount";
import { Choice } from "../components/field";
import { RunnerLink } from "../components/identity";
import { Heading, Panel } from "../components/layout";
import { Meter } from "../components/meter";
import { type PageInfo, Pager, pageArguments } from "../components/pager";
import { Pill } from "../components/pill";
import { Empty, Loaded } from "../components/states";
import { type Column, Table } from "../components/table";
import { count } from "../format/number";
import { useQuery } from "../live/useQuery";
import runnersQuery from "../queries/runners.graphql?raw";
import { refine } from "../router";

const PAGE = 25;
const ORDERS = [
  ["", "Best score first"],
  ["REGISTERED_DESC", "Newest first"],
  ["REGISTERED_ASC", "Oldest first"],
] as const;

interface RunnerRow {
  node: string;
  owner: string;
  name: string;
  status: string;
  score: number;
  right: number;
  wrong: number;
  missed: number;
  bannedUntil: number;
  stake: { bonded: string; locked: string };
  models: { model: string }[];
}

interface RunnersAnswer {
  runners: { nodes: RunnerRow[]; pageInfo: PageInfo };
  status: { indexedBlock: number };
}

/** A runner's state, in which a ban counts. */
export function standing(runner: { status: string; bannedUntil: number }, block: number): string {
  return runner.status === "ACTIVE" && runner.bannedUntil >= block && runner.bannedUntil > 0
    ? "BANNED"
    : runner.status;
}

function columns(block: number): readonly Column<RunnerRow>[] {
  return [
    { title: "Runner", cell: (runner) => <RunnerLink node={runner.node} name={runner.name} /> },
    { title: "Score", cell: (runner) => <Meter score={runner.score} /> },
    { title: "Standing", cell: (runner) => <Pill state={standing(runner, block)} /> },
    { title: "Right", cell: (runner) => count(runner.right), numeric: true, wide: true },
    { title: "Wrong", cell: (runner) => count(runner.wrong), numeric: true, wide: true },
    { title: "Missed", cell: (runner) => count(runner.missed), numeric: true, wide: true },
    {
      title: "Owner's stake",
      cell: (runner) => <Usdfc value={runner.stake.bonded} />,
      numeric: true,
      wide: true,
    },
    {
      title: "Models",
      cell: (runner) => runner.models.map((offer) => offer.model).join(", ") || "–",
      wide: true,
    },
  ];
}

export function Runners({ search }: { search: URLSearchParams }) {
  const status = search.get("status");
  const model = search.get("model");
  const query = useQuery<RunnersAnswer>(runnersQuery, {
    ...pageArguments(search, PAGE),
    where: {
      ...(status === "ACTIVE" || status === "RETIRED" ? { status: { eq: status } } : {}),
      ...(model ? { model: { eq: model } } : {}),
    },
    orderBy: ORDERS.some(([order]) => order && order === search.get("order"))
      ? search.get("order")
      : "SCORE_DESC",
  });
  const change = (name: string) => (value: string) => refine({ [name]: value, after: "", before: "" });
  return (
    <>
      <Heading
        title="Runners"
        lead={
          model ? (
            <>Runners that offer {model}.</>
          ) : (
            "Who does the work, by the record that the chain keeps of them."
          )
        }
      />
      <search class="filters" aria-label="Filter runners">
        <Choice
          label="Standing"
          value={status ?? ""}
          options={[
            ["", "Any"],
            ["ACTIVE", "Active"],
            ["RETIRED", "Retired"],
          ]}
          onChange={change("status")}
        />
        <Choice label="Order" value={search.get("order") ?? ""} options={ORDERS} onChange={change("order")} />
      </search>
      <Panel>
        <Loaded query={query} rows={8}>
          {(data) =>
            data.runners.nodes.length ? (
              <>
                <Table
                  caption="Runners"
                  columns={columns(data.status.indexedBlock)}
                  rows={data.runners.nodes}
                  rowKey={(runner) => runner.node}
                />
                <Pager info={data.runners.pageInfo} what="runners" />
              </>
            ) : (
              <Empty
                title={status || model ? "No runner matches" : "No runner yet"}
                command="parity-runner register"
              >
                A runner stakes, registers its node key, and takes seats in tasks.
              </Empty>
            )
          }
        </Loaded>
      </Panel>
    </>
  );
}
