import { Usdfc } from "../components/amount";
import { Choice, Field } from "../components/field";
import { Account, ChannelLink, RunnerLink } from "../components/identity";
import { Heading, Panel } from "../components/layout";
import { Moment } from "../components/moment";
import { type PageInfo, Pager, pageArguments } from "../components/pager";
import { Pill } from "../components/pill";
import { Empty, Loaded } from "../components/states";
import { type Column, Table } from "../components/table";
import { isAddress } from "../format/hex";
import { count, words } from "../format/number";
import { useQuery } from "../live/useQuery";
import channelsQuery from "../queries/channels.graphql?raw";
import { refine } from "../router";

const PAGE = 25;
const STATUSES = ["OPEN", "CLOSING", "CLOSED"];

interface ChannelRow {
  id: string;
  payer: string;
  node: string;
  status: string;
  deposited: string;
  redeemed: string;
  left: string;
  closesAt: number | null;
  openedAt: string;
  runner: { name: string } | null;
}

const COLUMNS: readonly Column<ChannelRow>[] = [
  { title: "Channel", cell: (channel) => <ChannelLink id={channel.id} /> },
  {
    title: "Status",
    cell: (channel) => (
      <>
        <Pill state={channel.status} />
        {channel.status === "CLOSING" && channel.closesAt !== null && (
          <p class="excerpt">from block {count(channel.closesAt)}</p>
        )}
      </>
    ),
  },
  { title: "Payer", cell: (channel) => <Account value={channel.payer} />, wide: true },
  {
    title: "Runner",
    cell: (channel) => <RunnerLink node={channel.node} name={channel.runner?.name} />,
    wide: true,
  },
  {
    title: "Deposited",
    cell: (channel) => <Usdfc value={channel.deposited} unit={false} />,
    numeric: true,
    wide: true,
  },
  {
    title: "Redeemed",
    cell: (channel) => <Usdfc value={channel.redeemed} unit={false} />,
    numeric: true,
    wide: true,
  },
  { title: "Left", cell: (channel) => <Usdfc value={channel.left} />, numeric: true },
  { title: "Opened", cell: (channel) => <Moment iso={channel.openedAt} />, numeric: true, wide: true },
];

export function Channels({ search }: { search: URLSearchParams }) {
  const status = STATUSES.find((one) => one === search.get("status"));
  const payer = search.get("payer") ?? "";
  const query = useQuery<{ channels: { nodes: ChannelRow[]; pageInfo: PageInfo } }>(channelsQuery, {
    ...pageArguments(search, PAGE),
    where: {
      ...(status ? { status: { eq: status } } : {}),
      ...(isAddress(payer) ? { payer: { eq: payer } } : {}),
    },
  });
  const change = (name: string) => (value: string) => refine({ [name]: value, after: "", before: "" });
  return (
    <>
      <Heading
        title="Channels"
        lead="Deposits from which a payer pays one runner, voucher by voucher, for streamed answers."
      />
      <search class="filters" aria-label="Filter channels">
        <Choice
          label="Status"
          value={status ?? ""}
          options={[["", "Any"], ...STATUSES.map((one) => [one, words(one)] as const)]}
          onChange={change("status")}
        />
        <Field
          label="Payer"
          value={payer}
          onChange={change("payer")}
          placeholder="0x…"
          problem={payer && !isAddress(payer) ? "An address has 0x and 40 hex digits" : undefined}
        />
      </search>
      <Panel>
        <Loaded query={query} rows={6}>
          {({ channels }) =>
            channels.nodes.length ? (
              <>
                <Table
                  caption="Channels"
                  columns={COLUMNS}
                  rows={channels.nodes}
                  rowKey={(channel) => channel.id}
                />
                <Pager info={channels.pageInfo} what="channels" />
              </>
            ) : (
              <Empty title={status || payer ? "No channel matches" : "No channel yet"}>
                A client opens one with the StakeWallet's openChannel, out of what it has deposited.
              </Empty>
            )
          }
        </Loaded>
      </Panel>
    </>
  );
}
