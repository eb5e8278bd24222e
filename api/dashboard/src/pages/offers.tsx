import { Usdfc } from "../components/amount";
import { CopyButton } from "../components/copy";
import { Empty } from "../components/states";
import { Table } from "../components/table";
import { shorten } from "../format/hex";
import { count } from "../format/number";

export interface Offer {
  model: string;
  digest: string;
  context: number;
  inputPrice: string;
  outputPrice: string;
}

export function ModelName({ offer }: { offer: Offer }) {
  return (
    <span class="identity">
      <a href={`/runners?model=${encodeURIComponent(offer.model)}`}>{offer.model}</a>
      <span class="mono faint wide-inline" title={`sha256:${offer.digest}`}>
        {shorten(offer.digest, 6, 4)}
      </span>
      <CopyButton text={`${offer.model}@sha256:${offer.digest}`} what="model reference" />
    </span>
  );
}

export function OfferTable({ offers }: { offers: readonly Offer[] }) {
  if (!offers.length) {
    return (
      <Empty title="No model on offer" command="parity-runner status">
        Its profile was not fetched yet, or names none.
      </Empty>
    );
  }
  return (
    <Table
      caption="Models on offer"
      rows={offers}
      rowKey={(offer) => offer.model + offer.digest}
      columns={[
        { title: "Model", cell: (offer) => <ModelName offer={offer} /> },
        { title: "Context", cell: (offer) => count(offer.context), numeric: true, wide: true },
        {
          title: "1,000 in",
          cell: (offer) => <Usdfc value={offer.inputPrice} unit={false} />,
          numeric: true,
        },
        {
          title: "1,000 out",
          cell: (offer) => <Usdfc value={offer.outputPrice} unit={false} />,
          numeric: true,
        },
      ]}
    />
  );
}
