import { Announcements } from "../components/copy";
import { useStatus } from "../live/network";
import { useStore } from "../live/store";
import { Audits } from "../pages/audits";
import { Billing } from "../pages/billing";
import { ChannelPage } from "../pages/channel";
import { Channels } from "../pages/channels";
import { Models } from "../pages/models";
import { NotFound } from "../pages/not-found";
import { Overview } from "../pages/overview";
import { Proposals } from "../pages/proposals";
import { RunnerPage } from "../pages/runner";
import { Runners } from "../pages/runners";
import { SessionPage } from "../pages/session";
import { Sessions } from "../pages/sessions";
import { System } from "../pages/system";
import { TaskPage } from "../pages/task";
import { Tasks } from "../pages/tasks";
import { type Place, place } from "../router";
import { Banners } from "./banners";
import { lazy } from "./lazy";
import { Navigation } from "./navigation";
import { Topbar } from "./topbar";

const WalletPage = lazy(async () => (await import("../pages/wallet")).WalletPage);
const Submit = lazy(async () => (await import("../pages/submit")).Submit);
const ProposalPage = lazy(async () => (await import("../pages/proposal")).ProposalPage);

export function Shell() {
  const here = useStore(place);
  const status = useStatus();
  return (
    <div class="shell">
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <Navigation />
      <div class="stage">
        <Topbar status={status.data?.status} />
        <main id="main" tabIndex={-1}>
          <Banners status={status.data?.status} problem={status.problem} />
          <Page here={here} />
        </main>
      </div>
      <Announcements />
    </div>
  );
}

function Page({ here }: { here: Place }) {
  const { name, params, search } = here;
  switch (name) {
    case "overview":
      return <Overview />;
    case "tasks":
      return <Tasks search={search} />;
    case "task":
      return <TaskPage id={params["id"] ?? ""} key={params["id"]} />;
    case "runners":
      return <Runners search={search} />;
    case "runner":
      return <RunnerPage node={params["node"] ?? ""} key={params["node"]} />;
    case "audits":
      return <Audits search={search} />;
    case "models":
      return <Models />;
    case "billing":
      return <Billing search={search} />;
    case "channels":
      return <Channels search={search} />;
    case "channel":
      return <ChannelPage id={params["id"] ?? ""} search={search} key={params["id"]} />;
    case "proposals":
      return <Proposals search={search} />;
    case "proposal":
      return <ProposalPage id={params["id"] ?? ""} search={search} key={params["id"]} />;
    case "sessions":
      return <Sessions search={search} />;
    case "session":
      return <SessionPage id={params["id"] ?? ""} key={params["id"]} />;
    case "submit":
      return <Submit search={search} />;
    case "wallet":
      return <WalletPage />;
    case "system":
      return <System />;
    default:
      return <NotFound path={here.path} />;
  }
}
