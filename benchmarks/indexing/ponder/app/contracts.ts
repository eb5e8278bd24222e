import { readFileSync } from "node:fs";

const { abis, addresses } = JSON.parse(readFileSync(process.env.BENCH_CONTRACTS!, "utf8"));

export const contracts = (chain: object) =>
  Object.fromEntries(
    Object.keys(addresses).map((name) => [
      name,
      { abi: abis[name], address: addresses[name], startBlock: 1, ...chain },
    ]),
  );
