import { Store } from "../live/store";

/** A wallet's interface to pages, EIP-1193. */
export interface Provider {
  request(asked: { method: string; params?: readonly unknown[] | object }): Promise<unknown>;
  on?(event: string, listener: (value: unknown) => void): void;
  removeListener?(event: string, listener: (value: unknown) => void): void;
}

export interface Wallet {
  id: string;
  name: string;
  provider: Provider;
}

declare global {
  interface Window {
    ethereum?: Provider;
  }
}

/** The wallets that this browser has: those that announce themselves (EIP-6963), and `window.ethereum`. */
export const wallets = new Store<readonly Wallet[]>([]);

function add(wallet: Wallet): void {
  if (wallets.value.some((known) => known.id === wallet.id || known.provider === wallet.provider)) return;
  wallets.set([...wallets.value, wallet]);
}

/** Ask wallets to announce themselves; late ones still may. */
export function discoverWallets(): void {
  window.addEventListener("eip6963:announceProvider", (event) => {
    const { info, provider } = (
      event as CustomEvent<{ info: { rdns: string; name: string }; provider: Provider }>
    ).detail;
    add({ id: info.rdns, name: info.name, provider });
  });
  window.dispatchEvent(new Event("eip6963:requestProvider"));
  const injected = () => {
    if (window.ethereum) add({ id: "window.ethereum", name: "Browser wallet", provider: window.ethereum });
  };
  injected();
  window.addEventListener("ethereum#initialized", injected, { once: true });
}
