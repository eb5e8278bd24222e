import "@fontsource-variable/inter/wght.css";
import "@fontsource-variable/jetbrains-mono/wght.css";
import "./styles/tokens.css";
import "./styles/shell.css";
import "./styles/content.css";
import "./styles/forms.css";
import { render } from "preact";
import { followBlocks } from "./live/socket";
import { startRouter } from "./router";
import { Shell } from "./shell/shell";
import { discoverWallets } from "./wallet/eip1193";

startRouter();
followBlocks();
discoverWallets();
const root = document.getElementById("app");
if (root) render(<Shell />, root);
