import { useMemo, useState } from "preact/hooks";
import { useWidth } from "./width";

export interface Point {
  x: number;
  y: number;
}

interface LineChartProps {
  label: string;
  points: readonly Point[];
  /** Holds each value until the next, for what changes at once. */
  stepped?: boolean;
  formatX: (x: number) => string;
  formatY: (y: number) => string;
  /** Bounds of the vertical axis; the values' own when left out. */
  bounds?: readonly [number, number];
}

const HEIGHT = 200;
const LEFT = 56;
const RIGHT = 12;
const TOP = 12;
const BOTTOM = 26;
const GRID_LINES = 4;
const STEPS = [1, 2, 2.5, 5, 10];

/** A line over time with its axes; pointing at it, or moving over it with the arrow keys, reads a value. */
export function LineChart({ label, points, stepped = false, formatX, formatY, bounds }: LineChartProps) {
  const [at, setAt] = useState<number | undefined>(undefined);
  const [width, frame] = useWidth<HTMLDivElement>();
  const scale = useMemo(() => scaleOf(points, width, bounds), [points, width, bounds]);
  const read = at === undefined ? undefined : points[Math.min(at, points.length - 1)];
  const last = points.at(-1);
  if (!last) return null;

  const move = (clientX: number, box: DOMRect) => {
    const x = scale.valueAt(clientX - box.left);
    setAt(nearest(points, x));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    setAt(Math.max(0, Math.min(points.length - 1, (at ?? points.length) + step)));
  };
  return (
    <figure class="chart">
      {/* biome-ignore lint/a11y/useSemanticElements: it is no fieldset of a form */}
      <div
        class="chart-frame"
        ref={frame}
        role="group"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: arrow keys read the chart's values
        tabIndex={0}
        aria-label={`${label}. Arrow keys read its values.`}
        onKeyDown={onKeyDown}
        onBlur={() => setAt(undefined)}
        onPointerMove={(event) => move(event.clientX, event.currentTarget.getBoundingClientRect())}
        onPointerLeave={() => setAt(undefined)}
      >
        <svg viewBox={`0 0 ${width} ${HEIGHT}`} aria-hidden="true">
          {scale.ticks.map((tick) => (
            <g key={tick}>
              <line class="grid" x1={LEFT} x2={width - RIGHT} y1={scale.y(tick)} y2={scale.y(tick)} />
              <text class="tick" x={LEFT - 8} y={scale.y(tick) + 4} text-anchor="end">
                {formatY(tick)}
              </text>
            </g>
          ))}
          <text class="tick" x={LEFT} y={HEIGHT - 6}>
            {formatX(scale.from)}
          </text>
          <text class="tick" x={width - RIGHT} y={HEIGHT - 6} text-anchor="end">
            {formatX(scale.to)}
          </text>
          <path
            class="area"
            d={`${pathOf(points, scale, stepped)}V${scale.y(scale.low)}H${scale.x(scale.from)}Z`}
          />
          <path class="line" d={pathOf(points, scale, stepped)} />
          <circle class="end" cx={scale.x((read ?? last).x)} cy={scale.y((read ?? last).y)} r="4" />
          {read && (
            <line class="cursor" x1={scale.x(read.x)} x2={scale.x(read.x)} y1={TOP} y2={HEIGHT - BOTTOM} />
          )}
        </svg>
      </div>
      <figcaption aria-live="polite">
        {read ? `${formatX(read.x)}: ${formatY(read.y)}` : `Latest: ${formatY(last.y)}`}
      </figcaption>
    </figure>
  );
}

interface Scale {
  from: number;
  to: number;
  low: number;
  ticks: number[];
  x: (value: number) => number;
  y: (value: number) => number;
  valueAt: (pixel: number) => number;
}

function scaleOf(points: readonly Point[], width: number, bounds?: readonly [number, number]): Scale {
  const ys = points.map((point) => point.y);
  const xs = points.map((point) => point.x);
  const [from, to] = [Math.min(...xs), Math.max(...xs)];
  const ticks = ticksOf(...(bounds ?? boundsOf(ys)));
  const [low, high] = [ticks[0] ?? 0, ticks.at(-1) ?? 1];
  const plot = width - LEFT - RIGHT;
  const height = HEIGHT - TOP - BOTTOM;
  const span = to - from || 1;
  return {
    from,
    to,
    low,
    ticks,
    x: (value) => LEFT + ((value - from) / span) * plot,
    y: (value) => TOP + (1 - (value - low) / (high - low)) * height,
    valueAt: (pixel) => from + ((pixel - LEFT) / plot) * span,
  };
}

/** The values' own bounds; from 0, unless that would leave most of the chart empty. */
function boundsOf(ys: readonly number[]): [number, number] {
  const [low, high] = [Math.min(...ys), Math.max(...ys)];
  if (low === high) return low > 0 ? [0, high] : [low - 1, high + 1];
  return low > 0 && low < high / 2 ? [0, high] : [low, high];
}

/** Round values from one at or below `low` to one at or above `high`, about `GRID_LINES` apart. */
function ticksOf(low: number, high: number): number[] {
  const rough = (high - low) / GRID_LINES;
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = unit * (STEPS.find((factor) => factor * unit >= rough * 0.999) ?? 10);
  const [first, last] = [Math.floor(low / step + 1e-9), Math.ceil(high / step - 1e-9)];
  return Array.from({ length: last - first + 1 }, (_, line) => (first + line) * step);
}

function pathOf(points: readonly Point[], scale: Scale, stepped: boolean): string {
  return points
    .map(({ x, y }, index) => {
      const [left, top] = [scale.x(x).toFixed(1), scale.y(y).toFixed(1)];
      if (index === 0) return `M${left},${top}`;
      return stepped ? `H${left}V${top}` : `L${left},${top}`;
    })
    .join("");
}

function nearest(points: readonly Point[], x: number): number {
  let best = 0;
  points.forEach((point, index) => {
    if (Math.abs(point.x - x) < Math.abs((points[best]?.x ?? 0) - x)) best = index;
  });
  return best;
}
