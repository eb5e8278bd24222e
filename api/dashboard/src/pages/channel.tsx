import { Usdfc } from "../components/amount";
import { Account, Hash, RunnerLink } from "../components/identity";
import { Fact, Facts, Figure, Figures, Heading, Panel } from "../components/layout";
import { Moment } from "../components/moment";
import { type PageInfo, Pager, pageArguments } from "../components/pager";
import { Pill } from "../components/pill";
import { Empty, Failure, Loaded } from "../components/states";
import { type Column, Table } from "../components/table";
import { shorten } from "../format/hex";
import { count } from "../format/number";
import { Problem } from "../live/problem";
import { useQuery } from "../live/useQuery";
import channelQuery from "../queries/channel.graphql?raw";

const PAGE = 25;

interface Voucher {
  amount: string;
  cumulative: string;
  blockNumber: number;
  logIndex: number;
  place: number;
  txHash: string;
  timestamp: string;
}

interface Channel {
  id: string;
  payer: string;
  node: string;
  owner: string;
  status: string;
  deposited: string;
  redeemed: string;
  returned: string;
  left: string;
  closeDelay: number;
  closesAt: number | null;
  openedBlock: number;
  openedTx: string;
  openedAt: string;
  closedBlock: number | null;
  closedTx: string | null;
  closedAt: string | null;
  runner: { name: string } | null;
  vouchers: { nodes: Voucher[]; pageInfo: PageInfo };
}

const COLUMNS: readonly Column<Voucher>[] = [
  { title: "When", cell: (voucher) => <Moment iso={voucher.timestamp} /> },
  { title: "Block", cell: (voucher) => count(voucher.blockNumber), numeric: true, wide: true },
  {
    title: "Transaction",
    cell: (voucher) => <Hash value={voucher.txHash} kind="transaction hash" />,
    wide: true,
  },
  { title: "Amount", cell: (voucher) => <Usdfc value={voucher.amount} />, numeric: true },
  {
    title: "Total",
    cell: (voucher) => <Usdfc value={voucher.cumulative} unit={false} />,
    numeric: true,
  },
];

export function ChannelPage({ id, search }: { id: string; search: URLSearchParams }) {
  if (!/^0x[0-9a-fA-F]{64}$/.test(id)) {
    return (
      <>
        <Heading title="Channel" />
        <Failure problem={new Problem(`${id} is no channel's id`, "It has 0x and 64 hex digits.")} />
      </>
    );
  }
  return <Known id={id} search={search} />;
}

function Known({ id, search }: { id: string; search: URLSearchParams }) {
  const query = useQuery<{ channel: Channel | null }>(channelQuery, { id, ...pageArguments(search, PAGE) });
  const channel = query.data?.channel;
  return (
    <>
      <Heading title={`Channel ${shorten(id, 6)}`} lead={<Hash value={id} kind="channel id" />}>
        {channel && <Pill state={channel.status} />}
      </Heading>
      <Loaded query={query} rows={6}>
        {(data) =>
          data.channel ? (
            <Detail channel={data.channel} />
          ) : (
            <Empty title="The index knows no such channel">
              <a href="/channels">All channels</a>
            </Empty>
          )
        }
      </Loaded>
    </>
  );
}

function Detail({ channel }: { channel: Channel }) {
  return (
    <>
      <Figures>
        <Figure label="Deposited">
          <Usdfc value={channel.deposited} />
        </Figure>
        <Figure label="Paid by voucher">
          <Usdfc value={channel.redeemed} />
        </Figure>
        {channel.status === "CLOSED" ? (
          <Figure label="Returned to the payer">
            <Usdfc value={channel.returned} />
          </Figure>
        ) : (
          <Figure label="Left">
            <Usdfc value={channel.left} />
          </Figure>
        )}
      </Figures>
      <Panel title="Vouchers redeemed">
        {channel.vouchers.nodes.length ? (
          <>
            <Table
              caption="Vouchers redeemed"
              columns={COLUMNS}
              rows={channel.vouchers.nodes}
              rowKey={(voucher) => `${voucher.blockNumber}-${voucher.logIndex}-${voucher.place}`}
            />
            <Pager info={channel.vouchers.pageInfo} what="vouchers" />
          </>
        ) : (
          <Empty title="No voucher was redeemed yet">
            The runner holds the newest voucher and redeems it when it likes, at the latest before the channel
            closes.
          </Empty>
        )}
      </Panel>
      <Panel title="Terms">
        <Facts>
          <Fact name="Payer">
            <Account value={channel.payer} />
          </Fact>
          <Fact name="Runner">
            <RunnerLink node={channel.node} name={channel.runner?.name} />
          </Fact>
          <Fact name="Paid to">
            <Account value={channel.owner} />
          </Fact>
          <Fact name="Opened">
            <Moment iso={channel.openedAt} />, block {count(channel.openedBlock)},{" "}
            <Hash value={channel.openedTx} kind="transaction hash" />
          </Fact>
          <Fact name="Closes">{closing(channel)}</Fact>
        </Facts>
      </Panel>
    </>
  );
}

function closing(channel: Channel) {
  if (channel.closedAt !== null && channel.closedTx !== null) {
    return (
      <>
        closed <Moment iso={channel.closedAt} />, block {count(channel.closedBlock ?? 0)},{" "}
        <Hash value={channel.closedTx} kind="transaction hash" />
      </>
    );
  }
  if (channel.closesAt !== null) return `from block ${count(channel.closesAt)} on, as the payer asked`;
  return `${count(channel.closeDelay)} blocks after the payer asks for it, or when the runner does`;
}
