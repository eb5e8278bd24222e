import { exactUsdfc, usdfc } from "../format/money";

/** An amount of base units; the exact figure is in its title. */
export function Usdfc({ value, unit = true }: { value: string | bigint; unit?: boolean }) {
  return (
    <span class="number" title={`${exactUsdfc(value)} USDFC`}>
      {usdfc(value)}
      {unit && <span class="unit"> USDFC</span>}
    </span>
  );
}
