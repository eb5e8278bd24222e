import { Usdfc } from "../components/amount";
import { Account, TaskLink } from "../components/identity";
import { Moment } from "../components/moment";
import { Pill } from "../components/pill";
import { type Column, Table } from "../components/table";
import fragment from "../queries/task-row.graphql?raw";

export interface TaskRow {
  id: string;
  status: string;
  mode: string;
  client: string;
  reward: string;
  replicas: number;
  claimed: number;
  revealed: number;
  createdBlock: number;
  createdAt: string;
  prompt: { prompt: string; model: string } | null;
  specDocument: { status: string };
}

/** A query that uses the fragment of a task's row. */
export function withTaskRow(query: string): string {
  return `${query}\n${fragment}`;
}

/** What a task asks for; one that is no prompt aggregates a learning round or runs a command. */
function workOf(task: TaskRow): string {
  if (task.prompt) return task.prompt.prompt;
  return task.specDocument.status === "STORED"
    ? "A learning round or a command"
    : "Specification not fetched yet";
}

const COLUMNS: readonly Column<TaskRow>[] = [
  {
    title: "Task",
    cell: (task) => (
      <>
        <TaskLink id={task.id} />
        <p class="excerpt">{workOf(task)}</p>
      </>
    ),
  },
  { title: "Status", cell: (task) => <Pill state={task.status} /> },
  { title: "Seats", cell: (task) => `${task.claimed}/${task.replicas}`, numeric: true, wide: true },
  { title: "Reward", cell: (task) => <Usdfc value={task.reward} />, numeric: true, wide: true },
  {
    title: "Client",
    cell: (task) => <Account value={task.client} href={`/tasks?client=${task.client}`} />,
    wide: true,
  },
  { title: "Submitted", cell: (task) => <Moment iso={task.createdAt} />, numeric: true },
];

export function TaskTable({ tasks, caption }: { tasks: readonly TaskRow[]; caption: string }) {
  return <Table caption={caption} columns={COLUMNS} rows={tasks} rowKey={(task) => task.id} />;
}
