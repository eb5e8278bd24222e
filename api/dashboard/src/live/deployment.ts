import deploymentQuery from "../queries/deployment.graphql?raw";
import { ask } from "./graphql";
import { Problem } from "./problem";

export interface Deployment {
  chainId: number;
  chainName: string;
  nativeSymbol: string;
  local: boolean;
  publicRpc: string | null;
  explorer: string | null;
  relayer: string | null;
  contracts: { name: string; address: string }[];
}

let known: Promise<Deployment> | undefined;

/** Where the contracts are; asked once. */
export function deployment(): Promise<Deployment> {
  known ??= ask<{ deployment: Deployment }>(deploymentQuery).then(
    (answer) => answer.deployment,
    (error: unknown) => {
      known = undefined;
      throw error;
    },
  );
  return known;
}

/** A contract's address, by its name in the deployment's file. */
export function addressOf(where: Deployment, name: string): `0x${string}` {
  const found = where.contracts.find((contract) => contract.name === name);
  if (!found) throw new Problem(`This network has no contract ${name}`);
  return found.address as `0x${string}`;
}
