import { useState } from "preact/hooks";
import { Usdfc } from "../components/amount";
import { Choice, Field } from "../components/field";
import { Heading, Panel } from "../components/layout";
import { Empty, Loaded } from "../components/states";
import type { Deployment } from "../live/deployment";
import { useQuery } from "../live/useQuery";
import balanceQuery from "../queries/balance.graphql?raw";
import modelsQuery from "../queries/models.graphql?raw";
import offersQuery from "../queries/offers.graphql?raw";
import { navigate } from "../router";
import { Connected } from "../wallet/connect";
import { promptReview } from "../wallet/order";
import { type Asked, estimate } from "../wallet/pricing";
import type { Session } from "../wallet/session";
import { StepView, useSteps } from "../wallet/steps";

interface Model {
  model: string;
  reference: string;
  runners: number;
}

interface Offers {
  runners: {
    nodes: { models: { model: string; digest: string; inputPrice: string; outputPrice: string }[] }[];
  };
}

export function Submit({ search }: { search: URLSearchParams }) {
  return (
    <>
      <Heading
        title="Submit a prompt"
        lead="Runners answer it, the network checks that they agree, and you pay for the tokens used. Prompt and answer are public."
      />
      <Connected>
        {(current, where) => <Form current={current} where={where} wanted={search.get("model") ?? ""} />}
      </Connected>
    </>
  );
}

function Form({ current, where, wanted }: { current: Session; where: Deployment; wanted: string }) {
  const query = useQuery<{ models: Model[] }>(modelsQuery);
  return (
    <Panel>
      <Loaded query={query}>
        {({ models }) =>
          models.length ? (
            <PromptForm current={current} where={where} models={models} wanted={wanted} />
          ) : (
            <Empty title="No model on offer" command="parity-runner runner">
              A running, registered runner publishes what its engine has.
            </Empty>
          )
        }
      </Loaded>
    </Panel>
  );
}

interface PromptFormProps {
  current: Session;
  where: Deployment;
  models: readonly Model[];
  wanted: string;
}

function PromptForm({ current, where, models, wanted }: PromptFormProps) {
  const [chosen, setChosen] = useState(wanted);
  const model = models.find((one) => one.reference === chosen) ?? models[0];
  const [prompt, setPrompt] = useState("");
  const [replicas, setReplicas] = useState("1");
  const [maxTokens, setMaxTokens] = useState("128");
  const [clientId, setClientId] = useState("");
  const steps = useSteps();
  const offers = useQuery<Offers>(offersQuery, { model: model?.model ?? "" });
  const balance = useQuery<{ balance: { free: string } }>(balanceQuery, { account: current.account });
  const asked = askedBy(offers.data, model);
  const terms = { replicas: Number(replicas), maxTokens: Number(maxTokens) };
  const tokensWrong =
    Number.isInteger(terms.maxTokens) && terms.maxTokens >= 1 && terms.maxTokens <= 65_536
      ? undefined
      : "From 1 to 65,536";
  const priced = asked.length && !tokensWrong ? estimate(prompt, asked, terms) : undefined;
  const edited = (set: (value: string) => void) => (value: string) => {
    set(value);
    steps.reset();
  };
  const submit = (event: Event) => {
    event.preventDefault();
    if (!priced || !model || !prompt.trim()) return;
    const free = BigInt(balance.data?.balance.free ?? "0");
    const all = { ...terms, model: model.reference, prompt, clientId, estimate: priced, free };
    steps.prepare(() => promptReview(current, where, all, (taskId) => navigate(`/tasks/${taskId}`)));
  };
  const most = Math.min(7, model?.runners ?? 1);
  return (
    <form class="form first" onSubmit={submit} aria-label="Prompt">
      <Choice
        label="Model"
        value={model?.reference ?? ""}
        options={models.map((one) => [one.reference, `${one.model} (${one.runners} runners)`] as const)}
        onChange={edited(setChosen)}
      />
      <Field label="Prompt" value={prompt} onChange={edited(setPrompt)} rows={5} />
      <div class="form-row">
        <Choice
          label="Runners that answer"
          value={replicas}
          options={Array.from(
            { length: most },
            (_, index) => [String(index + 1), String(index + 1)] as const,
          )}
          onChange={edited(setReplicas)}
        />
        <Field
          label="Longest answer, tokens"
          value={maxTokens}
          onChange={edited(setMaxTokens)}
          mode="numeric"
          problem={tokensWrong}
        />
        <Field
          label="Client id for billing"
          value={clientId}
          onChange={edited(setClientId)}
          placeholder="optional"
        />
      </div>
      {priced && (
        <p class="faint">
          At most <Usdfc value={priced.reward} />, probably <Usdfc value={priced.expected} />.
        </p>
      )}
      {steps.stage.at === "idle" && (
        <div class="form-actions">
          <button type="submit" class="button primary" disabled={!priced || !prompt.trim()}>
            Prepare the order …
          </button>
        </div>
      )}
      <StepView steps={steps} />
    </form>
  );
}

function askedBy(offers: Offers | undefined, model: Model | undefined): Asked[] {
  const all = offers?.runners.nodes.flatMap((runner) => runner.models) ?? [];
  return all
    .filter((offer) => `${offer.model}@sha256:${offer.digest}` === model?.reference)
    .map((offer) => ({ inputPrice: BigInt(offer.inputPrice), outputPrice: BigInt(offer.outputPrice) }));
}
