import { Heading, Panel } from "../components/layout";
import { Empty } from "../components/states";

export function Sessions() {
  return (
    <>
      <Heading
        title="Learning"
        lead="Federated sessions: models trained by many runners on data that stays with them."
      />
      <Panel>
        <Empty title="No federated session yet">
          This server's index holds none. A session appears here with its rounds once one is created on the
          chain.
        </Empty>
      </Panel>
    </>
  );
}
