import { addressOf, type Deployment, deployment } from "../live/deployment";
import { Problem } from "../live/problem";
import { Store } from "../live/store";
import type { Provider, Wallet } from "./eip1193";

export interface Session {
  wallet: Wallet;
  account: `0x${string}`;
  chainId: number;
}

const REMEMBERED = "parity-wallet";
const UNKNOWN_CHAIN = 4902;

/** The connected account; undefined when there is none. */
export const session = new Store<Session | undefined>(undefined);

/** Ask a wallet for an account. */
export async function connect(wallet: Wallet): Promise<void> {
  await open(wallet, "eth_requestAccounts");
  remember(wallet.id);
}

/** Take up a connection of an earlier visit, if the wallet still allows it; asks nothing. */
export async function resume(wallet: Wallet): Promise<void> {
  if (session.value || remembered() !== wallet.id) return;
  await open(wallet, "eth_accounts").catch(() => undefined);
}

/** Forget the account; the wallet itself keeps its permission until it is taken back there. */
export function disconnect(): void {
  session.set(undefined);
  remember("");
}

async function open(wallet: Wallet, method: string): Promise<void> {
  const accounts = (await wallet.provider.request({ method })) as string[];
  const [account] = accounts;
  if (!account) {
    if (method === "eth_accounts") return;
    throw new Problem("The wallet gave no account", "Unlock it and try again.");
  }
  const chainId = Number(await wallet.provider.request({ method: "eth_chainId" }));
  follow(wallet);
  session.set({ wallet, account: account as `0x${string}`, chainId });
}

const followed = new WeakSet<Provider>();

function follow(wallet: Wallet): void {
  if (followed.has(wallet.provider)) return;
  followed.add(wallet.provider);
  wallet.provider.on?.("accountsChanged", (accounts) => {
    const [account] = accounts as string[];
    const current = session.value;
    if (current?.wallet !== wallet) return;
    session.set(account ? { ...current, account: account as `0x${string}` } : undefined);
  });
  wallet.provider.on?.("chainChanged", (chainId) => {
    const current = session.value;
    if (current?.wallet === wallet) session.set({ ...current, chainId: Number(chainId) });
  });
}

/** Have the wallet use this network's chain, adding it where the wallet does not know it. */
export async function useChain(current: Session): Promise<void> {
  const where = await deployment();
  const { provider } = current.wallet;
  const chainId = `0x${where.chainId.toString(16)}`;
  try {
    await provider.request({ method: "wallet_switchEthereumChain", params: [{ chainId }] });
  } catch (error) {
    if ((error as { code?: number }).code !== UNKNOWN_CHAIN || !where.publicRpc) throw error;
    await provider.request({ method: "wallet_addEthereumChain", params: [chainToAdd(where, chainId)] });
  }
  const actual = Number(await provider.request({ method: "eth_chainId" }));
  session.set({ ...current, chainId: actual });
  if (actual !== where.chainId) {
    throw new Problem(
      `The wallet is on chain ${actual}, not ${where.chainId}`,
      "Switch its network and try again.",
    );
  }
}

function chainToAdd(where: Deployment, chainId: string): object {
  return {
    chainId,
    chainName: where.chainName,
    nativeCurrency: { name: where.nativeSymbol, symbol: where.nativeSymbol, decimals: 18 },
    rpcUrls: [where.publicRpc],
    ...(where.explorer ? { blockExplorerUrls: [where.explorer] } : {}),
  };
}

/** The wallet's own chain may be another that has the same number, such as somebody else's local one. */
export async function checkContracts(current: Session): Promise<void> {
  const where = await deployment();
  const code = await current.wallet.provider.request({
    method: "eth_getCode",
    params: [addressOf(where, "stake_wallet"), "latest"],
  });
  if (code === "0x") {
    throw new Problem(
      `The wallet's chain ${current.chainId} has no contracts of this network`,
      `Point the wallet's RPC at this network's node${where.publicRpc ? ` (${where.publicRpc})` : ""}.`,
    );
  }
}

function remembered(): string | null {
  try {
    return localStorage.getItem(REMEMBERED);
  } catch {
    return null;
  }
}

function remember(id: string): void {
  try {
    if (id) localStorage.setItem(REMEMBERED, id);
    else localStorage.removeItem(REMEMBERED);
  } catch {
    // Storage may be forbidden: the connection lasts as long as the page.
  }
}
