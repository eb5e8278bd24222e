import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { Usdfc } from "../components/amount";
import { Fact, Facts } from "../components/layout";
import { Failure } from "../components/states";
import { usdfc } from "../format/money";
import { Problem } from "../live/problem";
import { inWords } from "./refusals";

/** What a person is shown before a wallet is asked. Amounts in base units; `fee` in wei of the chain's coin. */
export interface Review {
  title: string;
  facts: readonly (readonly [name: string, value: ComponentChildren])[];
  /** Most that leaves the account or is tied up. */
  price: bigint;
  /** What of the account's money may be lost through somebody's fault, and how. */
  atRisk: string;
  fee: bigint | undefined;
  coin: string;
  /** Ask the wallet and see it through; gives what happened. */
  act: () => Promise<string>;
}

type Stage =
  | { at: "idle" }
  | { at: "preparing" }
  | { at: "reviewing"; review: Review }
  | { at: "acting"; review: Review }
  | { at: "done"; told: string }
  | { at: "failed"; problem: Problem };

/** The way of every payment: prepared, shown, signed in the wallet, seen through. */
export function useSteps() {
  const [stage, setStage] = useState<Stage>({ at: "idle" });
  const fail = async (error: unknown) => {
    const problem = await inWords(error).catch((second: unknown) => new Problem(String(second)));
    setStage({ at: "failed", problem });
  };
  const prepare = (make: () => Promise<Review>) => {
    setStage({ at: "preparing" });
    make().then((review) => setStage({ at: "reviewing", review }), fail);
  };
  const act = (review: Review) => {
    setStage({ at: "acting", review });
    review.act().then((told) => setStage({ at: "done", told }), fail);
  };
  const reset = () => setStage({ at: "idle" });
  return { stage, prepare, act, reset };
}

type Steps = ReturnType<typeof useSteps>;

/** Shows how far a payment is, and asks for the last word before the wallet does. */
export function StepView({ steps }: { steps: Steps }) {
  const { stage } = steps;
  switch (stage.at) {
    case "idle":
      return null;
    case "preparing":
      return (
        <p class="notice" role="status">
          Checking that the chain would take it …
        </p>
      );
    case "failed":
      return <Failure problem={stage.problem} onRetry={steps.reset} />;
    case "done":
      return (
        <p class="notice good" role="status">
          {stage.told}
        </p>
      );
    default:
      return <ReviewCard review={stage.review} acting={stage.at === "acting"} steps={steps} />;
  }
}

function ReviewCard({ review, acting, steps }: { review: Review; acting: boolean; steps: Steps }) {
  return (
    <section class="review" aria-label="Before you sign">
      <h2>{review.title}</h2>
      <Facts>
        <Fact name="Price">
          <Usdfc value={review.price} />
        </Fact>
        {review.facts.map(([name, value]) => (
          <Fact name={name} key={name}>
            {value}
          </Fact>
        ))}
        <Fact name="Network fee">
          {review.fee === undefined
            ? "none: the server's relayer pays it"
            : `at most ${usdfc(review.fee, 9)} ${review.coin}`}
        </Fact>
        <Fact name="At risk">{review.atRisk}</Fact>
      </Facts>
      <div class="form-actions">
        <button type="button" class="button primary" disabled={acting} onClick={() => steps.act(review)}>
          {acting ? "Waiting for the wallet …" : "Sign in the wallet"}
        </button>
        <button type="button" class="button" disabled={acting} onClick={steps.reset}>
          Cancel
        </button>
      </div>
    </section>
  );
}
