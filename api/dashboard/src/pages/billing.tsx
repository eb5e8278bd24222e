import { Bars } from "../charts/bars";
import { Usdfc } from "../components/amount";
import { Choice, Field } from "../components/field";
import { Account } from "../components/identity";
import { Figure, Figures, Heading, Panel } from "../components/layout";
import { Empty, Loaded } from "../components/states";
import { type Column, Table } from "../components/table";
import { usdfc } from "../format/money";
import { count, plural } from "../format/number";
import { useQuery } from "../live/useQuery";
import billingQuery from "../queries/billing.graphql?raw";
import { refine } from "../router";

const PERIODS = [
  ["7", "7 days"],
  ["30", "30 days"],
  ["90", "90 days"],
  ["366", "A year"],
] as const;
const DEFAULT_DAYS = 30;
const DAY_MS = 86_400_000;

interface Line {
  clientId: string | null;
  creator: string;
  model: string;
  requests: number;
  inputTokens: number;
  outputTokens: number;
  cost: string;
}

interface Day {
  day: string;
  requests: number;
  cost: string;
}

const COLUMNS: readonly Column<Line>[] = [
  {
    title: "Client id",
    cell: (line) =>
      line.clientId === null ? (
        <span class="faint">none given</span>
      ) : (
        <a href={`/billing?client=${encodeURIComponent(line.clientId)}`}>{line.clientId}</a>
      ),
  },
  {
    title: "Creator",
    cell: (line) => <Account value={line.creator} href={`/tasks?client=${line.creator}`} />,
    wide: true,
  },
  { title: "Model", cell: (line) => <span title={line.model}>{line.model.split("@")[0]}</span>, wide: true },
  { title: "Prompts", cell: (line) => count(line.requests), numeric: true },
  { title: "Tokens in", cell: (line) => count(line.inputTokens), numeric: true, wide: true },
  { title: "Tokens out", cell: (line) => count(line.outputTokens), numeric: true, wide: true },
  { title: "Cost", cell: (line) => <Usdfc value={line.cost} />, numeric: true },
];

export function Billing({ search }: { search: URLSearchParams }) {
  const client = search.get("client") ?? "";
  const days = PERIODS.some(([value]) => value === search.get("days"))
    ? Number(search.get("days"))
    : DEFAULT_DAYS;
  const where = client ? { clientId: { eq: client } } : {};
  const query = useQuery<{ billing: Line[]; billingDays: Day[] }>(billingQuery, { where, days });
  return (
    <>
      <Heading
        title="Billing"
        lead="What prompts have cost, by the client id that their specification names. Anybody can name any: check the creator."
      />
      <search class="filters" aria-label="Filter billing">
        <Field
          label="Client id"
          value={client}
          onChange={(value) => refine({ client: value })}
          placeholder="any"
        />
        <Choice
          label="Period"
          value={String(days)}
          options={PERIODS}
          onChange={(value) => refine({ days: value === String(DEFAULT_DAYS) ? "" : value })}
        />
      </search>
      <Loaded query={query} rows={6}>
        {(data) =>
          data.billing.length ? (
            <Bill lines={data.billing} byDay={data.billingDays} days={days} />
          ) : (
            <Panel>
              <Empty
                title={client ? `No prompt of client id ${client}` : "No prompt in this period"}
                command={`parity-client llm submit --prompt "Hello" --model smollm2:135m --client-id ${client || "my-app"} --wait`}
              />
            </Panel>
          )
        }
      </Loaded>
    </>
  );
}

function Bill({ lines, byDay, days }: { lines: readonly Line[]; byDay: readonly Day[]; days: number }) {
  const total = lines.reduce((sum, line) => sum + BigInt(line.cost), 0n);
  const prompts = lines.reduce((sum, line) => sum + line.requests, 0);
  return (
    <>
      <Figures>
        <Figure label="Cost" note={`in ${days} days`}>
          <Usdfc value={total} />
        </Figure>
        <Figure label="Prompts">{count(prompts)}</Figure>
        <Figure label="Tokens in">{count(lines.reduce((sum, line) => sum + line.inputTokens, 0))}</Figure>
        <Figure label="Tokens out">{count(lines.reduce((sum, line) => sum + line.outputTokens, 0))}</Figure>
      </Figures>
      <Panel title="Prompts a day">
        <Bars
          label={`Prompts a day over ${days} days: ${plural(prompts, "prompt")}, ${usdfc(total)} USDFC in all`}
          values={filled(byDay, days)}
          from={`${days} days ago`}
          to="today"
        />
      </Panel>
      <Panel title="By client id">
        <Table
          caption="Billing by client id, creator and model"
          columns={COLUMNS}
          rows={lines}
          rowKey={(line) => `${line.clientId}-${line.creator}-${line.model}`}
        />
      </Panel>
    </>
  );
}

/** One value a day, with zeros for the days that have none. */
function filled(byDay: readonly Day[], days: number): number[] {
  const known = new Map(byDay.map((day) => [day.day, day.requests]));
  const today = Date.now();
  return Array.from({ length: days }, (_, index) => {
    const day = new Date(today - (days - 1 - index) * DAY_MS).toISOString().slice(0, 10);
    return known.get(day) ?? 0;
  });
}
