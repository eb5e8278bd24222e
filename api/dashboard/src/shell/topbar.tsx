import { count } from "../format/number";
import { duration } from "../format/time";
import { clock } from "../live/clock";
import type { Status } from "../live/network";
import { connection, newestBlock } from "../live/socket";
import { useStore } from "../live/store";
import { WalletButton } from "../wallet/button";
import { theme, toggleTheme } from "./theme";

const CONNECTIONS = {
  live: { tone: "good", text: "Live" },
  connecting: { tone: "warn", text: "Connecting" },
  lost: { tone: "bad", text: "Reconnecting" },
} as const;

function Head({ status }: { status: Status | undefined }) {
  const state = CONNECTIONS[useStore(connection)];
  const notice = useStore(newestBlock);
  const now = useStore(clock);
  const block = notice?.number ?? status?.indexedBlock;
  const seen = notice ? notice.seenAtMs : status ? Date.parse(status.updatedAt) : undefined;
  const age = seen === undefined ? undefined : Math.max(0, (now - seen) / 1000);
  return (
    <p class="head">
      <span class={`pill ${state.tone}`}>
        <span class="dot" aria-hidden="true" />
        {state.text}
      </span>
      {block !== undefined && (
        <span>
          Block <strong class="number">{count(block)}</strong>
        </span>
      )}
      {age !== undefined && (
        <span class="faint from-tablet">{age < 2 ? "just now" : `${duration(age)} ago`}</span>
      )}
      {status && <span class="faint from-tablet">chain {status.chainId}</span>}
    </p>
  );
}

export function Topbar({ status }: { status: Status | undefined }) {
  const current = useStore(theme);
  return (
    <header class="topbar">
      <Head status={status} />
      <div class="topbar-side">
        <button
          type="button"
          class="button icon"
          onClick={toggleTheme}
          aria-label={current === "dark" ? "Use the light theme" : "Use the dark theme"}
        >
          <svg viewBox="0 0 20 20" aria-hidden="true">
            {current === "dark" ? (
              <path d="M10 6.2a3.8 3.8 0 1 0 0 7.6 3.8 3.8 0 0 0 0-7.6ZM10 1.5v2M10 16.5v2M1.5 10h2M16.5 10h2M4 4l1.4 1.4M14.6 14.6 16 16M16 4l-1.4 1.4M5.4 14.6 4 16" />
            ) : (
              <path d="M16.8 12.1A7.2 7.2 0 0 1 7.9 3.2a7.2 7.2 0 1 0 8.9 8.9Z" />
            )}
          </svg>
        </button>
        <WalletButton />
      </div>
    </header>
  );
}
