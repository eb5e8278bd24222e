import { LineChart } from "../charts/line";
import { Panel } from "../components/layout";
import { Empty } from "../components/states";
import { words } from "../format/number";
import type { RoundRow } from "./session";

interface Series {
  name: string;
  points: { x: number; y: number }[];
}

/** Loss and every metric, by round, as the rounds' model cards tell them. */
export function SessionCharts({ rounds }: { rounds: readonly RoundRow[] }) {
  const [loss, ...metrics] = seriesOf(rounds);
  if (!loss?.points.length && !metrics.length)
    return (
      <Panel title="Loss and accuracy">
        <Empty title="No round is settled yet">
          Loss and accuracy appear here with the first round's model card.
        </Empty>
      </Panel>
    );
  return (
    <div class="columns">
      {metrics.map((series) => (
        <Panel key={series.name} title={words(series.name)}>
          <Chart series={series} {...(isShare(series) ? { bounds: [0, 1] as const } : {})} />
        </Panel>
      ))}
      {loss && loss.points.length > 0 && (
        <Panel title="Loss">
          <Chart series={loss} />
        </Panel>
      )}
    </div>
  );
}

function Chart({ series, bounds }: { series: Series; bounds?: readonly [number, number] }) {
  const [first, last] = [series.points[0], series.points.at(-1)];
  if (!first || !last) return null;
  return (
    <LineChart
      label={`${words(series.name)} by round, from ${figure(first.y)} to ${figure(last.y)}`}
      points={series.points}
      formatX={(round) => `round ${Math.round(round)}`}
      formatY={figure}
      {...(bounds ? { bounds } : {})}
    />
  );
}

function figure(value: number): string {
  return Number(value.toPrecision(3)).toString();
}

/** Whether a metric is a share of one, such as accuracy. */
function isShare(series: Series): boolean {
  return series.points.every(({ y }) => y >= 0 && y <= 1);
}

/** The loss first; then each metric that some card names, accuracy before others. */
function seriesOf(rounds: readonly RoundRow[]): Series[] {
  const found = new Map<string, Series>([["loss", { name: "loss", points: [] }]]);
  for (const { round, manifestDocument } of rounds) {
    const card = manifestDocument?.content;
    if (!card) continue;
    for (const [name, value] of [["loss", card.loss] as const, ...Object.entries(card.metrics ?? {})]) {
      const y = Number(value);
      if (value === undefined || !Number.isFinite(y)) continue;
      const series = found.get(name) ?? { name, points: [] };
      series.points.push({ x: round, y });
      found.set(name, series);
    }
  }
  const [loss, ...metrics] = found.values();
  const ordered = metrics.sort(
    (one, other) => Number(other.name === "accuracy") - Number(one.name === "accuracy"),
  );
  return loss ? [loss, ...ordered] : ordered;
}
