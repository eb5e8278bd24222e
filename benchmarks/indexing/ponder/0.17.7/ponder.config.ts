import { createConfig } from "ponder";

import { contracts } from "./contracts";

const url = process.env.BENCH_RPC!;
export default createConfig({
  chains: {
    local: { id: 31337, rpc: url, ...(process.env.BENCH_WS ? { ws: url.replace("http", "ws") } : {}) },
  },
  contracts: contracts({ chain: "local" }),
});
