import type { ComponentChildren } from "preact";
import { Usdfc } from "../components/amount";
import { Account, Hash, RunnerLink } from "../components/identity";
import { Moment } from "../components/moment";
import { count, words } from "../format/number";

export interface TimelineEvent {
  name: string;
  node: string | null;
  data: Record<string, string>;
  blockNumber: number;
  logIndex: number;
  txHash: string;
  timestamp: string;
}

interface Step {
  txHash: string;
  blockNumber: number;
  timestamp: string;
  events: TimelineEvent[];
}

type Names = ReadonlyMap<string, string>;

/** A task's events, one entry a transaction. */
export function Timeline({ events, names }: { events: readonly TimelineEvent[]; names: Names }) {
  return (
    <ol class="timeline">
      {stepsOf(events).map((step) => (
        <li key={step.txHash}>
          <div class="step-when">
            <Moment iso={step.timestamp} />
            <span class="faint">block {count(step.blockNumber)}</span>
          </div>
          <ul class="step-events">
            {step.events.map((event) => (
              <li key={event.logIndex}>{told(event, names)}</li>
            ))}
          </ul>
          <div class="step-tx">
            <Hash value={step.txHash} kind="transaction hash" />
          </div>
        </li>
      ))}
    </ol>
  );
}

function stepsOf(events: readonly TimelineEvent[]): Step[] {
  const steps: Step[] = [];
  for (const event of events) {
    const last = steps.at(-1);
    if (last?.txHash === event.txHash) last.events.push(event);
    else steps.push({ ...event, events: [event] });
  }
  return steps;
}

/** An event in words; one that this page does not know yet by its own name and arguments. */
function told(event: TimelineEvent, names: Names): ComponentChildren {
  const { data } = event;
  const runner = event.node ? <RunnerLink node={event.node} name={names.get(event.node)} /> : "A runner";
  switch (event.name) {
    case "TaskSubmitted":
      return (
        <>
          <strong>Submitted</strong>, <Usdfc value={data["reward"] ?? "0"} /> in escrow; seats are drawn from
          block {count(Number(data["seedBlock"]))}
        </>
      );
    case "SeatClaimed":
      return (
        <>
          {runner} <strong>took seat {data["seat"]}</strong>
        </>
      );
    case "SeatCommitted":
      return (
        <>
          {runner} <strong>committed</strong> to its result
        </>
      );
    case "SeatRevealed":
      return (
        <>
          {runner} <strong>revealed</strong> its result: {data["inputTokens"]} tokens in,{" "}
          {data["outputTokens"]} out
        </>
      );
    case "PhaseChanged":
      return (
        <>
          Phase: <strong>{words(data["status"] ?? "")}</strong>
          {Number(data["deadline"]) > 0 && <> until block {count(Number(data["deadline"]))}</>}
        </>
      );
    case "CaseOpened":
      return (
        <>
          The <strong>audit</strong> of {runner}'s answer began: the beacon of block{" "}
          {count(Number(data["drawBlock"]))} draws it at a chance of {Number(data["rateBps"]) / 100} %
        </>
      );
    case "AuditDrawn":
      return data["audited"] === "true" ? (
        <>
          <strong>Drawn</strong> for an audit
        </>
      ) : (
        "Not drawn for an audit"
      );
    case "PanelConvened":
      return `A panel of ${data["size"]} auditors is drawn`;
    case "StageChanged":
      return (
        <>
          Audit: <strong>{words(data["stage"] ?? "")}</strong>
          {Number(data["deadline"]) > 0 && <> until block {count(Number(data["deadline"]))}</>}
        </>
      );
    case "VerdictReached":
      return data["carried"] === "true" || data["valid"] !== "true"
        ? `The panel found the answer ${data["valid"] === "true" ? "right" : "wrong"}`
        : "No majority of the panel said that the answer is wrong";
    case "CaseClosed":
      return `Audit closed: the answer counts as ${data["valid"] === "true" ? "right" : "wrong"}`;
    case "TaskFinalized":
      return (
        <>
          <strong>Settled</strong>, fee <Usdfc value={data["fee"] ?? "0"} />
        </>
      );
    case "ScoreChanged":
      return (
        <>
          {runner} was <strong>{data["outcome"]}</strong>; score now{" "}
          {(Number(data["newScore"]) / 10_000).toFixed(1)} %
        </>
      );
    case "Settled":
      return (
        <>
          <Usdfc value={data["released"] ?? "0"} /> left escrow
        </>
      );
    case "Moved":
      return <Movement data={data} />;
    default:
      return (
        <>
          {event.node && <>{runner} </>}
          {event.name}
        </>
      );
  }
}

function Movement({ data }: { data: Record<string, string> }) {
  const parts = [
    { amount: data["pay"] ?? "0", what: "paid" },
    { amount: data["unlock"] ?? "0", what: "of stake unlocked" },
    { amount: data["slash"] ?? "0", what: "of stake lost" },
  ].filter((part) => part.amount !== "0");
  return (
    <>
      <Account value={data["who"] ?? ""} /> {parts.length === 0 && "nothing moved"}
      {parts.map((part, index) => (
        <span key={part.what}>
          {index > 0 && ", "}
          <Usdfc value={part.amount} /> {part.what}
        </span>
      ))}
    </>
  );
}
