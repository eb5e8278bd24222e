import { TaskLink } from "../components/identity";
import { Moment } from "../components/moment";
import { Pill } from "../components/pill";
import { Empty } from "../components/states";
import { Table } from "../components/table";
import { count, words } from "../format/number";

export interface Verdict {
  epoch: number;
  ruling: string;
  kind: string;
  agreeing: number;
  reports: number;
  judgedKind: string | null;
  concludedAt: string;
}

export interface Duty {
  round: string;
  epoch: number | null;
  mark: string | null;
  committedBlock: number | null;
  revealedBlock: number | null;
  updatedBlock: number;
  reports: { kind: string; target: string }[];
}

export interface AuditRow {
  taskId: string;
  stage: string;
  audited: boolean | null;
  valid: boolean | null;
  rateBps: number;
  openedBlock: number;
}

/** Rulings whose names say less than they mean: monitors who agree can still be too few. */
const RULINGS: Record<string, string> = { SPLIT: "no quorum" };

/** What epochs of monitoring came to about a runner. */
export function VerdictTable({ verdicts }: { verdicts: readonly Verdict[] }) {
  if (!verdicts.length)
    return <Empty title="No verdict yet">Other runners report on it once an epoch.</Empty>;
  return (
    <Table
      caption="Verdicts of monitors"
      rows={verdicts}
      rowKey={(verdict) => String(verdict.epoch)}
      columns={[
        { title: "Said", cell: (verdict) => words(verdict.judgedKind ?? verdict.kind) },
        {
          title: "Ruling",
          cell: (verdict) => <Pill state={verdict.ruling} label={RULINGS[verdict.ruling]} />,
        },
        {
          title: "Agreeing",
          cell: (verdict) => `${verdict.agreeing} of ${verdict.reports}`,
          numeric: true,
          wide: true,
        },
        { title: "When", cell: (verdict) => <Moment iso={verdict.concludedAt} />, numeric: true },
      ]}
    />
  );
}

/** What a runner did as a monitor. */
export function DutyTable({ duties }: { duties: readonly Duty[] }) {
  if (!duties.length)
    return <Empty title="Nothing heard of it yet">It watches whom each epoch's draw names.</Empty>;
  return (
    <Table
      caption="Monitoring duties"
      rows={duties}
      rowKey={(duty) => duty.round}
      columns={[
        { title: "Epoch", cell: (duty) => (duty.epoch === null ? "a challenge" : count(duty.epoch)) },
        { title: "State", cell: (duty) => <Pill state={stateOf(duty)} /> },
        { title: "Block", cell: (duty) => count(duty.updatedBlock), numeric: true, wide: true },
        { title: "Reports", cell: (duty) => count(duty.reports.length), numeric: true },
      ]}
    />
  );
}

function stateOf(duty: Duty): string {
  if (duty.mark) return duty.mark;
  if (duty.revealedBlock !== null) return "REVEALED";
  return duty.committedBlock === null ? "OPEN" : "COMMITTED";
}

/** The checks of a runner's audited answers. */
export function AuditTable({ audits }: { audits: readonly AuditRow[] }) {
  return (
    <Table
      caption="Audits of its answers"
      rows={audits}
      rowKey={(audit) => audit.taskId}
      columns={[
        { title: "Task", cell: (audit) => <TaskLink id={audit.taskId} /> },
        { title: "Stage", cell: (audit) => <Pill state={audit.stage} /> },
        { title: "Chance", cell: (audit) => `${audit.rateBps / 100} %`, numeric: true, wide: true },
        { title: "Block", cell: (audit) => count(audit.openedBlock), numeric: true, wide: true },
        { title: "Verdict", cell: (audit) => <VerdictPill audit={audit} />, numeric: true },
      ]}
    />
  );
}

/** Whether an audited answer was found right; a dash until it is known. */
export function VerdictPill({ audit }: { audit: AuditRow }) {
  if (audit.valid === null) return <>–</>;
  return <Pill state={audit.valid ? "RIGHT" : "WRONG"} />;
}
