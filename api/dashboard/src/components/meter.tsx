import { score as written } from "../format/number";

const WHOLE = 1_000_000;
const WIDTH = 64;

/** A runner's score: the figure and a bar. */
export function Meter({ score }: { score: number }) {
  return (
    <span class="meter">
      <svg viewBox={`0 0 ${WIDTH} 6`} aria-hidden="true">
        <rect class="track" width={WIDTH} height="6" rx="3" />
        <rect class="fill" width={(score / WHOLE) * WIDTH} height="6" rx="3" />
      </svg>
      <span class="number">{written(score)}</span>
    </span>
  );
}
