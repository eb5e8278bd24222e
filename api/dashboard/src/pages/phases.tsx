import { plural, words } from "../format/number";
import { useStatus } from "../live/network";
import type { TaskDetail } from "./task";

const WAY = ["OPEN", "COMMITTING", "REVEALING"];
const ENDS = new Set(["FINAL", "FAILED", "CANCELLED"]);

/** How far along its way a task is, and how long the phase may last. */
export function PhaseSteps({ task }: { task: TaskDetail }) {
  const head = useStatus().data?.status.indexedBlock;
  const ended = ENDS.has(task.status);
  const detour = !ended && !WAY.includes(task.status);
  const steps = [...WAY, ...(detour ? [task.status] : []), ended ? task.status : "FINAL"];
  const at = ended ? steps.length - 1 : steps.indexOf(task.status);
  const deadline = task.audit?.deadline || task.deadline; // of a disputed task its audit has one
  const left = head !== undefined && deadline > head ? deadline - head : undefined;
  return (
    <ol class="phases" aria-label="Phases">
      {steps.map((step, index) => (
        <li
          key={step}
          class={`${index < at || ended ? "done" : ""} ${step === "FAILED" || step === "CANCELLED" ? "bad" : ""}`}
          aria-current={index === at ? "step" : undefined}
        >
          <span class="phase-name">{words(step)}</span>
          <span class="phase-note">
            {[
              progressOf(task, step),
              index === at && !ended && left !== undefined && `at most ${plural(left, "block")} more`,
            ]
              .filter(Boolean)
              .join(" · ")}
          </span>
        </li>
      ))}
    </ol>
  );
}

function progressOf(task: TaskDetail, step: string): string {
  if (step === "OPEN") return `${task.claimed}/${task.replicas} seats`;
  // The last seat to answer needs no commitment: it opens its result at once.
  if (step === "COMMITTING") return `${Math.max(task.committed, task.revealed)}/${task.replicas} committed`;
  if (step === "REVEALING") return `${task.revealed}/${task.replicas} revealed`;
  if (step === "FINAL" && task.settledBlock !== null)
    return plural(task.settledBlock - task.createdBlock, "block");
  return "";
}
