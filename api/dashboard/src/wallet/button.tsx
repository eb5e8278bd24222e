export function WalletButton() {
  return (
    <a class="button" href="/wallet">
      Wallet
    </a>
  );
}
