import { words } from "../format/number";

const TONES: Record<string, string> = {
  OPEN: "info",
  COMMITTING: "busy",
  REVEALING: "busy",
  CHALLENGEABLE: "busy",
  DISPUTED: "warn",
  FINAL: "good",
  FAILED: "bad",
  CANCELLED: "quiet",
  ACTIVE: "good",
  LIVE: "good",
  BACKFILL: "warn",
  REFOLD: "warn",
  RETIRED: "quiet",
  BANNED: "bad",
  RIGHT: "good",
  WRONG: "bad",
  MISSED: "warn",
  NEUTRAL: "quiet",
  CLAIMED: "info",
  COMMITTED: "busy",
  REVEALED: "good",
  CLOSING: "warn",
  CLOSED: "quiet",
  PENDING: "info",
  SUCCEEDED: "good",
  QUEUED: "busy",
  EXECUTED: "good",
  DEFEATED: "bad",
  EXPIRED: "quiet",
  CANCELED: "quiet",
  TRAINING: "busy",
  AGGREGATING: "busy",
  JOINING: "info",
  JOINED: "good",
  LEFT: "quiet",
  OUT: "bad",
  RUNNING: "busy",
  SETTLED: "good",
  FINISHED: "good",
  KEYS: "busy",
  SHARES: "busy",
  MASKING: "busy",
  UNMASKING: "busy",
  SPLIT: "warn",
  AGREED: "info",
  CHALLENGED: "warn",
  UPHELD: "good",
  OVERTURNED: "bad",
  UNDECIDED: "quiet",
  SILENT: "warn",
  LYING: "bad",
  CLEARED: "good",
  VOTING: "busy",
  SEALED: "busy",
  APPEALABLE: "warn",
  FOR: "good",
  AGAINST: "bad",
  ABSTAIN: "quiet",
};

/** A state in a word, with its colour; `label` where another word says it better than the state's name. */
export function Pill({ state, label }: { state: string; label?: string | undefined }) {
  return (
    <span class={`pill ${TONES[state] ?? "quiet"}`}>
      <span class="dot" aria-hidden="true" />
      {label ?? words(state)}
    </span>
  );
}
