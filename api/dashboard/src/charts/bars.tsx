interface BarsProps {
  label: string;
  values: readonly number[];
  /** What the first and the last bar stand for. */
  from: string;
  to: string;
}

const WIDTH = 600;
const HEIGHT = 72;
const GAP = 2;

/** Counts over time, one bar a period. */
export function Bars({ label, values, from, to }: BarsProps) {
  const most = Math.max(1, ...values);
  const width = WIDTH / values.length;
  return (
    <figure class="chart bars">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={label}>
        <line class="grid" x1="0" x2={WIDTH} y1={HEIGHT - 0.5} y2={HEIGHT - 0.5} />
        {values.map((value, index) => {
          const height = value ? Math.max(3, (value / most) * (HEIGHT - 4)) : 0;
          return (
            <rect
              key={index}
              class="bar"
              x={index * width + GAP / 2}
              y={HEIGHT - height}
              width={Math.max(1, width - GAP)}
              height={height}
            />
          );
        })}
      </svg>
      <figcaption class="ends">
        <span>{from}</span>
        <span>{to}</span>
      </figcaption>
    </figure>
  );
}

/** Parts of a whole in one bar, with a legend that says each in words. */
export function Split({
  parts,
}: {
  parts: readonly { name: string; value: number; text: string; tone: string }[];
}) {
  const whole = parts.reduce((sum, part) => sum + part.value, 0);
  let left = 0;
  return (
    <div class="split">
      <svg viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true">
        <rect class="track" width="1000" height="10" />
        {parts.map((part) => {
          const width = whole ? (part.value / whole) * 1000 : 0;
          const bar = <rect key={part.name} class={`part ${part.tone}`} x={left} width={width} height="10" />;
          left += width;
          return bar;
        })}
      </svg>
      <ul class="legend">
        {parts.map((part) => (
          <li key={part.name}>
            <span class={`swatch ${part.tone}`} aria-hidden="true" />
            {part.name} <strong class="number">{part.text}</strong>
          </li>
        ))}
      </ul>
    </div>
  );
}
