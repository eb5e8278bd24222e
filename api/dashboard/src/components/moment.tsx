import { absolute, ago } from "../format/time";
import { clock } from "../live/clock";
import { useStore } from "../live/store";

/** A moment: how long ago, and in full to whoever points at it. `full` writes both. */
export function Moment({ iso, full = false }: { iso: string; full?: boolean }) {
  const now = useStore(clock);
  return (
    <time dateTime={iso} title={absolute(iso)} class="moment">
      {ago(iso, now)}
      {full && <span class="faint"> · {absolute(iso)}</span>}
    </time>
  );
}
