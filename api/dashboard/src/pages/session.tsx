import { Heading, Panel } from "../components/layout";
import { Empty } from "../components/states";
import { shorten } from "../format/hex";

export function SessionPage({ id }: { id: string }) {
  return (
    <>
      <Heading title={`Session ${shorten(id)}`} />
      <Panel>
        <Empty title="The index knows no such session">
          <a href="/sessions">All sessions</a>
        </Empty>
      </Panel>
    </>
  );
}
