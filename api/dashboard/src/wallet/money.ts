import { bytesToHex, type Hex, parseSignature } from "viem";
import { usdfc } from "../format/money";
import { addressOf, type Deployment } from "../live/deployment";
import { TOKEN, WALLET } from "./contracts";
import type { Session } from "./session";
import type { Review } from "./steps";
import { encode, type Priced, price, read, send, type Transaction } from "./transaction";

const VALID_S = 3600;

/** Tokens that the account holds outside the StakeWallet, base units. */
export function tokensOf(current: Session, where: Deployment): Promise<bigint> {
  return read(current, {
    address: addressOf(where, "usdfc"),
    abi: TOKEN,
    functionName: "balanceOf",
    args: [current.account],
  });
}

function call(where: Deployment, functionName: string, args: readonly unknown[]): Transaction {
  return encode({ address: addressOf(where, "stake_wallet"), abi: WALLET, functionName, args });
}

/** A review of one plain transaction. */
async function plain(
  current: Session,
  where: Deployment,
  asked: {
    transaction: Transaction;
    title: string;
    price: bigint;
    atRisk: string;
    done: string;
    facts?: Review["facts"];
  },
): Promise<Review> {
  const priced = await price(current, asked.transaction);
  return {
    title: asked.title,
    facts: asked.facts ?? [],
    price: asked.price,
    atRisk: asked.atRisk,
    fee: priced.fee,
    coin: where.nativeSymbol,
    act: async () => {
      await send(current, priced);
      return asked.done;
    },
  };
}

const NOTHING = "nothing: free money is lost to nobody";

export function withdraw(current: Session, where: Deployment, amount: bigint): Promise<Review> {
  return plain(current, where, {
    transaction: call(where, "withdraw", [amount]),
    title: `Withdraw ${usdfc(amount)} USDFC to your account`,
    price: 0n,
    atRisk: NOTHING,
    done: `${usdfc(amount)} USDFC are back in your account.`,
  });
}

export function stake(current: Session, where: Deployment, amount: bigint): Promise<Review> {
  return plain(current, where, {
    transaction: call(where, "bond", [amount]),
    title: `Stake ${usdfc(amount)} USDFC of the free balance`,
    price: amount,
    atRisk: "the stake: up to half of what backs a seat goes for a wrong result, a tenth for a missed one",
    done: `${usdfc(amount)} USDFC are staked.`,
  });
}

export async function unstake(current: Session, where: Deployment, amount: bigint): Promise<Review> {
  const delay = await read<number>(current, {
    address: addressOf(where, "stake_wallet"),
    abi: WALLET,
    functionName: "unbondDelay",
    args: [],
  });
  return plain(current, where, {
    transaction: call(where, "requestUnbond", [amount]),
    title: `Take ${usdfc(amount)} USDFC out of stake`,
    price: 0n,
    facts: [["Free after", `${delay} blocks, by a second transaction`]],
    atRisk: "the amount can still be slashed until it is free",
    done: `${usdfc(amount)} USDFC are on their way out of stake.`,
  });
}

export function completeUnstake(current: Session, where: Deployment, amount: bigint): Promise<Review> {
  return plain(current, where, {
    transaction: call(where, "completeUnbond", []),
    title: `Free ${usdfc(amount)} USDFC that have left stake`,
    price: 0n,
    atRisk: NOTHING,
    done: `${usdfc(amount)} USDFC are free.`,
  });
}

/** A deposit: one signature that lets exactly this amount go into the StakeWallet, and one transaction that uses it. */
export async function deposit(current: Session, where: Deployment, amount: bigint): Promise<Review> {
  const tokens = await tokensOf(current, where);
  const fee = await price(current, { to: current.account, data: "0x" });
  return {
    title: `Deposit ${usdfc(amount)} USDFC into the StakeWallet`,
    facts: [
      ["You hold", `${usdfc(tokens)} USDFC`],
      ["Signatures", "two: an authorization of exactly this amount, then the transaction"],
    ],
    price: amount,
    // Until the authorization is signed its use cannot be estimated: about ten plain transfers.
    fee: fee.fee * 10n,
    coin: where.nativeSymbol,
    atRisk: "nothing: what is deposited stays yours, and can be withdrawn",
    act: async () => {
      await send(current, await authorized(current, where, amount));
      return `${usdfc(amount)} USDFC are deposited.`;
    },
  };
}

async function authorized(current: Session, where: Deployment, amount: bigint): Promise<Priced> {
  const seed = bytesToHex(crypto.getRandomValues(new Uint8Array(32)));
  const nonce = await read<Hex>(current, {
    address: addressOf(where, "stake_wallet"),
    abi: WALLET,
    functionName: "depositNonce",
    args: [seed],
  });
  const block = (await current.wallet.provider.request({
    method: "eth_getBlockByNumber",
    params: ["latest", false],
  })) as { timestamp: string };
  const validBefore = Number(block.timestamp) + VALID_S;
  const message = {
    from: current.account,
    to: addressOf(where, "stake_wallet"),
    value: amount.toString(),
    validAfter: 0,
    validBefore,
    nonce,
  };
  const signature = await signTypedData(current, authorizationOf(where, message));
  const { r, s, yParity } = parseSignature(signature);
  const authorization = { validAfter: 0n, validBefore: BigInt(validBefore), v: 27 + yParity, r, s };
  return price(
    current,
    call(where, "depositWithAuthorization", [current.account, amount, seed, authorization]),
  );
}

function authorizationOf(where: Deployment, message: object): object {
  return {
    types: {
      EIP712Domain: [
        { name: "name", type: "string" },
        { name: "version", type: "string" },
        { name: "chainId", type: "uint256" },
        { name: "verifyingContract", type: "address" },
      ],
      ReceiveWithAuthorization: [
        { name: "from", type: "address" },
        { name: "to", type: "address" },
        { name: "value", type: "uint256" },
        { name: "validAfter", type: "uint256" },
        { name: "validBefore", type: "uint256" },
        { name: "nonce", type: "bytes32" },
      ],
    },
    primaryType: "ReceiveWithAuthorization",
    domain: {
      name: "USD for Filecoin Community",
      version: "1",
      chainId: where.chainId,
      verifyingContract: addressOf(where, "usdfc"),
    },
    message,
  };
}

/** Have the wallet sign typed data, EIP-712. */
export async function signTypedData(current: Session, document: object): Promise<Hex> {
  return (await current.wallet.provider.request({
    method: "eth_signTypedData_v4",
    params: [current.account, JSON.stringify(document)],
  })) as Hex;
}
