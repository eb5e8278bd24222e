import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Panel } from "../components/layout";
import { Empty, Failure } from "../components/states";
import { type Deployment, deployment } from "../live/deployment";
import { Problem } from "../live/problem";
import { useStore } from "../live/store";
import { type Wallet, wallets } from "./eip1193";
import { inWords } from "./refusals";
import { connect, type Session, session, useChain } from "./session";

/** The network's contracts, once they are known. */
export function useDeployment(): [Deployment | undefined, Problem | undefined] {
  const [where, setWhere] = useState<Deployment | undefined>(undefined);
  const [problem, setProblem] = useState<Problem | undefined>(undefined);
  useEffect(() => {
    deployment().then(setWhere, (error: unknown) =>
      setProblem(error instanceof Problem ? error : new Problem(String(error))),
    );
  }, []);
  return [where, problem];
}

interface ConnectedProps {
  children: (current: Session, where: Deployment) => ComponentChildren;
}

/** Shows its content to a connected account on the right chain, and the way there to everybody else. */
export function Connected({ children }: ConnectedProps) {
  const current = useStore(session);
  const [where, problem] = useDeployment();
  if (problem) return <Failure problem={problem} />;
  if (!where) return null;
  if (!current) return <ConnectPanel />;
  if (current.chainId !== where.chainId) return <WrongChain current={current} where={where} />;
  return <>{children(current, where)}</>;
}

function ConnectPanel() {
  const found = useStore(wallets);
  const [problem, setProblem] = useState<Problem | undefined>(undefined);
  const start = (wallet: Wallet) => {
    setProblem(undefined);
    connect(wallet).catch(async (error: unknown) => setProblem(await inWords(error)));
  };
  if (!found.length) {
    return (
      <Panel>
        <Empty title="This browser has no wallet" command="parity-client auth --new">
          Install a wallet extension and load this page again, or use the command line.
        </Empty>
      </Panel>
    );
  }
  return (
    <Panel title="Connect a wallet">
      <p class="pad">
        It is asked for your address only. Every payment is shown here first, and signed there.
      </p>
      <div class="form-actions pad">
        {found.map((wallet) => (
          <button type="button" class="button primary" key={wallet.id} onClick={() => start(wallet)}>
            {wallet.name}
          </button>
        ))}
      </div>
      {problem && <Failure problem={problem} />}
    </Panel>
  );
}

function WrongChain({ current, where }: { current: Session; where: Deployment }) {
  const [problem, setProblem] = useState<Problem | undefined>(undefined);
  const change = () => {
    setProblem(undefined);
    useChain(current).catch(async (error: unknown) => setProblem(await inWords(error)));
  };
  return (
    <Panel title="Wrong chain">
      <p class="pad">
        The wallet is on chain {current.chainId}. This network is on chain {where.chainId}, {where.chainName}.
      </p>
      <div class="form-actions pad">
        <button type="button" class="button primary" onClick={change}>
          Switch to {where.chainName}
        </button>
      </div>
      {problem && <Failure problem={problem} />}
    </Panel>
  );
}
