import { Choice } from "../components/field";
import { Account, Hash } from "../components/identity";
import { Panel } from "../components/layout";
import { Moment } from "../components/moment";
import { type PageInfo, Pager, pageArguments } from "../components/pager";
import { Pill } from "../components/pill";
import { Empty, Loaded } from "../components/states";
import { type Column, Table } from "../components/table";
import { usdfc } from "../format/money";
import { words } from "../format/number";
import { useQuery } from "../live/useQuery";
import votesQuery from "../queries/proposal-votes.graphql?raw";
import { refine } from "../router";

const PAGE = 20;
const SUPPORTS = ["FOR", "AGAINST", "ABSTAIN"];

interface Ballot {
  voter: string;
  support: string;
  weight: string;
  reason: string;
  txHash: string;
  timestamp: string;
}

const COLUMNS: readonly Column<Ballot>[] = [
  {
    title: "Voter",
    cell: (ballot) => (
      <>
        <Account value={ballot.voter} />
        {ballot.reason && <p class="excerpt lines">{ballot.reason}</p>}
      </>
    ),
  },
  { title: "Vote", cell: (ballot) => <Pill state={ballot.support} /> },
  { title: "Votes", cell: (ballot) => usdfc(ballot.weight, 2), numeric: true },
  { title: "Cast", cell: (ballot) => <Moment iso={ballot.timestamp} />, numeric: true, wide: true },
  {
    title: "Transaction",
    cell: (ballot) => <Hash value={ballot.txHash} kind="transaction hash" />,
    wide: true,
  },
];

/** Who voted for what, and why. Anybody may vote with no weight at all: the heaviest come first. */
export function Ballots({ id, search }: { id: string; search: URLSearchParams }) {
  const support = SUPPORTS.find((one) => one === search.get("support"));
  const newest = search.get("order") === "newest";
  const query = useQuery<{ votes: { nodes: Ballot[]; pageInfo: PageInfo } }>(votesQuery, {
    ...pageArguments(search, PAGE),
    where: { proposalId: { eq: id }, ...(support ? { support: { eq: support } } : {}) },
    orderBy: newest ? "CAST_DESC" : "WEIGHT_DESC",
  });
  const change = (name: string) => (value: string) => refine({ [name]: value, after: "", before: "" });
  return (
    <Panel title="Who voted">
      <search class="filters" aria-label="Filter votes">
        <Choice
          label="Vote"
          value={support ?? ""}
          options={[["", "Any"], ...SUPPORTS.map((one) => [one, words(one)] as const)]}
          onChange={change("support")}
        />
        <Choice
          label="Order"
          value={newest ? "newest" : ""}
          options={[
            ["", "Heaviest first"],
            ["newest", "Newest first"],
          ]}
          onChange={change("order")}
        />
      </search>
      <Loaded query={query} rows={3}>
        {({ votes }) =>
          votes.nodes.length ? (
            <>
              <Table
                caption="Votes cast"
                columns={COLUMNS}
                rows={votes.nodes}
                rowKey={(ballot) => ballot.voter}
              />
              <Pager info={votes.pageInfo} what="votes" />
            </>
          ) : (
            <Empty title={support ? "Nobody voted so" : "Nobody has voted yet"}>
              {!support && "A vote shows here once the index holds its block."}
            </Empty>
          )
        }
      </Loaded>
    </Panel>
  );
}
