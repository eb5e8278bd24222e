import { useEffect, useState } from "preact/hooks";
import { Usdfc } from "../components/amount";
import { Field } from "../components/field";
import { Account } from "../components/identity";
import { Figure, Figures, Heading, Panel } from "../components/layout";
import { Loaded } from "../components/states";
import { parseUsdfc, usdfc } from "../format/money";
import { count } from "../format/number";
import type { Deployment } from "../live/deployment";
import { newestBlock } from "../live/socket";
import { useStore } from "../live/store";
import { useQuery } from "../live/useQuery";
import balanceQuery from "../queries/balance.graphql?raw";
import { Connected } from "../wallet/connect";
import { completeUnstake, deposit, stake, tokensOf, unstake, withdraw } from "../wallet/money";
import { disconnect, type Session } from "../wallet/session";
import { type Review, StepView, useSteps } from "../wallet/steps";

interface Ledger {
  free: string;
  escrowed: string;
  bonded: string;
  locked: string;
  unbonding: string;
  releaseBlock: number;
}

export function WalletPage() {
  return (
    <>
      <Heading
        title="Wallet"
        lead="What your account has in the network, and how to move it. Keys stay in your wallet."
      />
      <Connected>{(current, where) => <Purse current={current} where={where} />}</Connected>
    </>
  );
}

function Purse({ current, where }: { current: Session; where: Deployment }) {
  const query = useQuery<{ balance: Ledger; status: { indexedBlock: number } }>(balanceQuery, {
    account: current.account,
  });
  const tokens = useTokens(current, where);
  return (
    <>
      <p class="account-line">
        <Account value={current.account} head={10} /> with {current.wallet.name}
        <button type="button" class="button small" onClick={disconnect}>
          Disconnect
        </button>
      </p>
      <Loaded query={query}>
        {({ balance, status }) => (
          <>
            <Balances ledger={balance} tokens={tokens} />
            <div class="columns">
              <MoneyForm
                title="Deposit"
                lead="Moves USDFC of your account into the StakeWallet, where orders are paid from."
                most={tokens}
                onAsk={(amount) => deposit(current, where, amount)}
              />
              <MoneyForm
                title="Stake"
                lead="Backs the runners that you own. It is lost in part if they answer wrongly."
                most={BigInt(balance.free)}
                onAsk={(amount) => stake(current, where, amount)}
              />
              <MoneyForm
                title="Withdraw"
                lead="Moves free USDFC back to your account."
                most={BigInt(balance.free)}
                onAsk={(amount) => withdraw(current, where, amount)}
              />
              <MoneyForm
                title="Unstake"
                lead="Starts to take stake out; it is free some time later."
                most={BigInt(balance.bonded) - BigInt(balance.locked)}
                onAsk={(amount) => unstake(current, where, amount)}
              />
            </div>
            <Unbonding ledger={balance} block={status.indexedBlock} current={current} where={where} />
          </>
        )}
      </Loaded>
    </>
  );
}

function useTokens(current: Session, where: Deployment): bigint | undefined {
  const [tokens, setTokens] = useState<bigint | undefined>(undefined);
  const block = useStore(newestBlock)?.number;
  const moment = block === undefined ? 0 : Math.floor(block / 8);
  useEffect(() => {
    let wanted = true;
    tokensOf(current, where).then(
      (found) => wanted && setTokens(found),
      () => undefined,
    );
    return () => {
      wanted = false;
    };
  }, [current.account, where.chainId, moment]);
  return tokens;
}

function Balances({ ledger, tokens }: { ledger: Ledger; tokens: bigint | undefined }) {
  return (
    <Figures>
      <Figure label="In your account">{tokens === undefined ? "–" : <Usdfc value={tokens} />}</Figure>
      <Figure label="Free" note="deposited, spendable">
        <Usdfc value={ledger.free} />
      </Figure>
      <Figure label="In escrow" note="for running tasks">
        <Usdfc value={ledger.escrowed} />
      </Figure>
      <Figure
        label="Stake"
        note={
          <>
            <Usdfc value={ledger.locked} /> locked
          </>
        }
      >
        <Usdfc value={ledger.bonded} />
      </Figure>
    </Figures>
  );
}

interface MoneyFormProps {
  title: string;
  lead: string;
  most: bigint | undefined;
  onAsk: (amount: bigint) => Promise<Review>;
}

function MoneyForm({ title, lead, most, onAsk }: MoneyFormProps) {
  const [text, setText] = useState("");
  const steps = useSteps();
  const amount = parseUsdfc(text);
  const wrong = text ? complaint(amount, most) : undefined;
  const submit = (event: Event) => {
    event.preventDefault();
    if (amount && !wrong) steps.prepare(() => onAsk(amount));
  };
  return (
    <Panel title={title}>
      <form class="form" onSubmit={submit} aria-label={title}>
        <p class="faint">{lead}</p>
        <Field
          label={`${title}: amount in USDFC`}
          value={text}
          onChange={(value) => {
            setText(value);
            steps.reset();
          }}
          mode="decimal"
          placeholder="0.0"
          problem={wrong}
          hint={most === undefined ? undefined : `${usdfc(most)} at most`}
        />
        {(steps.stage.at === "idle" || steps.stage.at === "done") && (
          <div class="form-actions">
            <button type="submit" class="button" disabled={!amount || wrong !== undefined}>
              {title} …
            </button>
          </div>
        )}
        <StepView steps={steps} />
      </form>
    </Panel>
  );
}

function complaint(amount: bigint | undefined, most: bigint | undefined): string | undefined {
  if (amount === undefined) return "Write a number such as 1.5";
  if (amount === 0n) return "The amount is zero";
  if (most !== undefined && amount > most) return `There are only ${usdfc(most)} USDFC`;
  return undefined;
}

interface UnbondingProps {
  ledger: Ledger;
  block: number;
  current: Session;
  where: Deployment;
}

function Unbonding({ ledger, block, current, where }: UnbondingProps) {
  const steps = useSteps();
  if (ledger.unbonding === "0") return null;
  const due = block >= ledger.releaseBlock;
  return (
    <Panel title="On its way out of stake">
      <div class="form">
        <p>
          <Usdfc value={ledger.unbonding} />{" "}
          {due
            ? "may be freed now."
            : `may be freed from block ${count(ledger.releaseBlock)}; now is ${count(block)}.`}
        </p>
        <div class="form-actions">
          <button
            type="button"
            class="button"
            disabled={!due}
            onClick={() => steps.prepare(() => completeUnstake(current, where, BigInt(ledger.unbonding)))}
          >
            Free it …
          </button>
        </div>
        <StepView steps={steps} />
      </div>
    </Panel>
  );
}
