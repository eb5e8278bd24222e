import { createConfig } from "ponder";
import { http, webSocket } from "viem";

import { contracts } from "./contracts";

// Its limit of requests a second is lifted: engines are compared, not their politeness.
const url = process.env.BENCH_RPC!;
export default createConfig({
  networks: {
    local: {
      chainId: 31337,
      transport: process.env.BENCH_WS ? webSocket(url.replace("http", "ws")) : http(url),
      maxRequestsPerSecond: 100_000,
      pollingInterval: 1_000,
    },
  },
  contracts: contracts({ network: "local" }),
});
