import { useEffect } from "preact/hooks";
import { shorten } from "../format/hex";
import { useStore } from "../live/store";
import { wallets } from "./eip1193";
import { resume, session } from "./session";

/** The way to the wallet's page, which says who is connected. */
export function WalletButton() {
  const found = useStore(wallets);
  const current = useStore(session);
  useEffect(() => {
    for (const wallet of found) void resume(wallet);
  }, [found]);
  return (
    <a class="button" href="/wallet">
      {current ? (
        <>
          <span class="dot good-dot" aria-hidden="true" />
          <span class="mono">{shorten(current.account)}</span>
        </>
      ) : (
        "Connect wallet"
      )}
    </a>
  );
}
