import { useEffect, useState } from "preact/hooks";
import { Account, Hash } from "../components/identity";
import { Fact, Facts, Figure, Figures, Heading, Panel } from "../components/layout";
import { Moment } from "../components/moment";
import { Pill } from "../components/pill";
import { Empty, Failure, Loading } from "../components/states";
import { count, plural, words } from "../format/number";
import { type Status, useStatus } from "../live/network";
import { Problem, request } from "../live/problem";
import { connection, newestBlock } from "../live/socket";
import { useStore } from "../live/store";

interface ServerStatus {
  live: boolean;
  relayer: string | null;
  contracts: Record<string, string>;
}

const NAMES: Record<string, string> = {
  usdfc: "USDFC",
  stakeWallet: "StakeWallet",
  runnerReputation: "RunnerReputation",
  taskEscrow: "TaskEscrow",
};

export function System() {
  const status = useStatus();
  const [server, problem] = useServer();
  return (
    <>
      <Heading title="Status" lead="How this server, its index and the chain are." />
      {status.problem && <Failure problem={status.problem} onRetry={status.reload} />}
      {status.data ? <Index status={status.data.status} /> : !status.problem && <Loading />}
      <div class="columns">
        <Panel title="Server">
          {problem && <Failure problem={problem} />}
          {server ? <Server server={server} /> : !problem && <Loading />}
        </Panel>
        <Panel title="Contracts">
          {!server && (problem ? <Empty title="Unknown until the server answers" /> : <Loading />)}
          {server && (
            <Facts>
              {Object.entries(server.contracts).map(([name, address]) => (
                <Fact name={NAMES[name] ?? name} key={name}>
                  <Account value={address} />
                </Fact>
              ))}
            </Facts>
          )}
        </Panel>
      </div>
      <Panel title="For programs">
        <Facts>
          <Fact name="GraphQL">
            <code>/graphql</code>, queries by POST, subscriptions over graphql-transport-ws
          </Fact>
          <Fact name="REST">
            <a href="/docs">/docs</a>, <a href="/openapi.json">/openapi.json</a>
          </Fact>
          <Fact name="Health">
            <a href="/health">/health</a>, <a href="/ready">/ready</a>, <a href="/status">/status</a>,{" "}
            <a href="/metrics">/metrics</a>
          </Fact>
        </Facts>
      </Panel>
    </>
  );
}

function useServer(): [ServerStatus | undefined, Problem | undefined] {
  const [server, setServer] = useState<ServerStatus | undefined>(undefined);
  const [problem, setProblem] = useState<Problem | undefined>(undefined);
  const state = useStore(connection);
  useEffect(() => {
    const abort = new AbortController();
    request<ServerStatus>("/status", { signal: abort.signal }).then(
      (found) => {
        setServer(found);
        setProblem(undefined);
      },
      (error: unknown) => {
        if (!abort.signal.aborted && error instanceof Problem) setProblem(error);
      },
    );
    return () => abort.abort();
  }, [state]);
  return [server, problem];
}

function Index({ status }: { status: Status }) {
  const notice = useStore(newestBlock);
  return (
    <>
      <Figures>
        <Figure label="Indexed block" note={<Moment iso={status.updatedAt} />}>
          {count(Math.max(status.indexedBlock, notice?.number ?? 0))}
        </Figure>
        <Figure label="Behind the chain" note={`head ${count(status.head)}`}>
          {plural(status.lagBlocks, "block")}
        </Figure>
        <Figure label="Final to block">{count(status.finalizedBlock)}</Figure>
        <Figure
          label="Reorganisations"
          {...(status.lastReorgDepth === null ? {} : { note: `the last ${status.lastReorgDepth} deep` })}
        >
          {count(status.reorgs)}
        </Figure>
      </Figures>
      <Panel title="Index" side={<Pill state={status.phase} />}>
        <Facts>
          <Fact name="Chain">{status.chainId}</Fact>
          <Fact name="Doing">{words(status.phase)}</Fact>
          <Fact name="Newest block's hash">
            {status.indexedHash ? <Hash value={status.indexedHash} /> : "–"}
          </Fact>
          <Fact name="Last reorganisation">
            {status.lastReorgAt ? <Moment iso={status.lastReorgAt} full /> : "none seen"}
          </Fact>
        </Facts>
      </Panel>
    </>
  );
}

function Server({ server }: { server: ServerStatus }) {
  const state = useStore(connection);
  return (
    <Facts>
      <Fact name="This page">{state === "live" ? "live: new blocks reach it at once" : words(state)}</Fact>
      <Fact name="Server's feed">{server.live ? "live" : "interrupted; it connects again by itself"}</Fact>
      <Fact name="Relayer">
        {server.relayer ? <Account value={server.relayer} /> : "none: orders have to be sent by their payer"}
      </Fact>
    </Facts>
  );
}
