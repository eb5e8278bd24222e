import { Heading } from "../components/layout";

export function WalletPage() {
  return <Heading title="Wallet" />;
}
