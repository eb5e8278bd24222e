import { Usdfc } from "../components/amount";
import { Heading, Panel } from "../components/layout";
import { Empty, Loaded } from "../components/states";
import { type Column, Table } from "../components/table";
import { count } from "../format/number";
import { useQuery } from "../live/useQuery";
import modelsQuery from "../queries/models.graphql?raw";
import { ModelName, type Offer } from "./offers";

interface NetworkModel extends Offer {
  reference: string;
  runners: number;
}

const COLUMNS: readonly Column<NetworkModel>[] = [
  { title: "Model", cell: (model) => <ModelName offer={model} /> },
  { title: "Runners", cell: (model) => count(model.runners), numeric: true, wide: true },
  { title: "Context", cell: (model) => count(model.context), numeric: true, wide: true },
  {
    title: "1,000 in",
    cell: (model) => <Usdfc value={model.inputPrice} unit={false} />,
    numeric: true,
    wide: true,
  },
  {
    title: "1,000 out",
    cell: (model) => <Usdfc value={model.outputPrice} unit={false} />,
    numeric: true,
  },
  {
    title: "Ask",
    cell: (model) => (
      <a
        class="button small"
        href={`/submit?model=${encodeURIComponent(model.reference)}`}
        aria-label={`Ask ${model.model}`}
      >
        Ask
      </a>
    ),
    numeric: true,
  },
];

export function Models() {
  const query = useQuery<{ models: NetworkModel[] }>(modelsQuery);
  return (
    <>
      <Heading
        title="Models"
        lead="What active runners offer, with the lowest prices asked, in USDFC for 1,000 tokens. A model is its weights: the digest names them."
      />
      <Panel>
        <Loaded query={query}>
          {({ models }) =>
            models.length ? (
              <Table
                caption="Models on offer"
                columns={COLUMNS}
                rows={models}
                rowKey={(model) => model.reference}
              />
            ) : (
              <Empty title="No model on offer" command="parity-runner runner">
                A running, registered runner publishes what its engine has.
              </Empty>
            )
          }
        </Loaded>
      </Panel>
    </>
  );
}
