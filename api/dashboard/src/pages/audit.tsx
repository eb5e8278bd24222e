import { Usdfc } from "../components/amount";
import { Account, RunnerLink } from "../components/identity";
import { Fact, Facts, Panel } from "../components/layout";
import { Pill } from "../components/pill";
import { Table } from "../components/table";
import { count } from "../format/number";

interface Vote {
  seat: number;
  node: string;
  valid: boolean | null;
  outcome: string | null;
  paid: string;
  slashed: string;
  runner: { name: string } | null;
}

interface VotePanel {
  round: number;
  size: number;
  seated: number;
  opened: number;
  valid: boolean | null;
  votes: Vote[];
}

export interface TaskAudit {
  stage: string;
  rateBps: number;
  drawBlock: number;
  deadline: number;
  audited: boolean | null;
  challenger: string | null;
  appellant: string | null;
  bond: string;
  valid: boolean | null;
  fees: string;
  panels: VotePanel[];
}

/** The check of one audited answer: what was drawn, who asked for more, and how each auditor voted. */
export function Audit({ audit }: { audit: TaskAudit }) {
  return (
    <>
      <Panel title="Audit" side={<Pill state={audit.stage} />}>
        <Facts>
          <Fact name="Verdict">
            {audit.valid === null ? "none yet" : <Pill state={audit.valid ? "RIGHT" : "WRONG"} />}
          </Fact>
          <Fact name="Draw">{drawOf(audit)}</Fact>
          <Fact name="Challenged by">
            {audit.challenger ? <Account value={audit.challenger} /> : "nobody"}
          </Fact>
          <Fact name="Appealed by">{audit.appellant ? <Account value={audit.appellant} /> : "nobody"}</Fact>
          {audit.deadline > 0 && <Fact name="Stage lasts until">block {count(audit.deadline)}</Fact>}
          <Fact name="Bond of each side">
            <Usdfc value={audit.bond} />
          </Fact>
          <Fact name="Auditors' fees">
            <Usdfc value={audit.fees} />
          </Fact>
        </Facts>
      </Panel>
      {audit.panels.map((panel) => (
        <Panel key={panel.round} title={nameOf(panel)} side={<span class="faint">{progressOf(panel)}</span>}>
          <Votes panel={panel} />
        </Panel>
      ))}
    </>
  );
}

function drawOf(audit: TaskAudit): string {
  const chance = `${audit.rateBps / 100} %`;
  if (audit.audited === null)
    return `by the beacon of block ${count(audit.drawBlock)}, a chance of ${chance}`;
  return `${audit.audited ? "drawn" : "not drawn"}, at a chance of ${chance}`;
}

function nameOf(panel: VotePanel): string {
  return panel.round ? "Panel of the appeal" : "Panel";
}

function progressOf(panel: VotePanel): string {
  const verdict = panel.valid === null ? "" : `, verdict ${panel.valid ? "right" : "wrong"}`;
  return `${panel.seated} of ${panel.size} seats taken, ${panel.opened} opened${verdict}`;
}

function Votes({ panel }: { panel: VotePanel }) {
  if (!panel.votes.length) return <p class="faint pad">No auditor took a seat.</p>;
  return (
    <Table
      caption={`Votes: ${nameOf(panel)}`}
      rows={panel.votes}
      rowKey={(vote) => String(vote.seat)}
      columns={[
        { title: "Auditor", cell: (vote) => <RunnerLink node={vote.node} name={vote.runner?.name} /> },
        { title: "Vote", cell: (vote) => <Pill state={voteOf(vote)} /> },
        { title: "Judged", cell: (vote) => (vote.outcome ? <Pill state={vote.outcome} /> : "–"), wide: true },
        {
          title: "Slashed",
          cell: (vote) => <Usdfc value={vote.slashed} unit={false} />,
          numeric: true,
          wide: true,
        },
        { title: "Paid", cell: (vote) => <Usdfc value={vote.paid} />, numeric: true },
      ]}
    />
  );
}

function voteOf(vote: Vote): string {
  if (vote.valid === null) return "SEALED";
  return vote.valid ? "RIGHT" : "WRONG";
}
