"""The wallet's money, read from the chain and moved on it. Amounts are USDFC base units."""

import asyncio
import secrets
import time
from enum import Enum
from typing import TYPE_CHECKING, Any

from client.records import Balance, Transaction
from protocol.chain import Chain
from protocol.errors import InputError, InsufficientFunds
from protocol.money import USDFC, format_usdfc
from protocol.sender import Receipt, Sender
from protocol.typed_data import deposit_nonce, sign_authorization, token_domain

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount
    from web3.contract.async_contract import AsyncContractFunction

AUTHORIZATION_S = 3_600
"""How long a signed authorization can be used, by the chain's clock."""
FAUCET_AMOUNT = 1_000 * USDFC
_FAUCET_COIN_WEI = 10**18


async def read_balance(chain: Chain, account: str) -> Balance:
    """Read everything an account has, all at one block."""
    block = await chain.block_number()
    wallet, token = chain.wallet.functions, chain.token.functions
    ledger, stake, unbonding, tokens, native = await asyncio.gather(
        chain.call(wallet.accountOf(account), block=block),
        chain.call(wallet.stakeOf(account), block=block),
        chain.call(wallet.unbondingOf(account), block=block),
        chain.call(token.balanceOf(account), block=block),
        chain.w3.eth.get_balance(chain.w3.to_checksum_address(account), block),
    )
    return Balance(
        account=account,
        block=block,
        tokens=tokens,
        free=ledger[0],
        escrowed=ledger[1],
        bonded=stake[0],
        locked=stake[1],
        unbonding=unbonding[0],
        release_block=unbonding[1] if unbonding[0] else None,
        native=int(native),
    )


async def deposit(chain: Chain, amount: int, *, account: "LocalAccount", sender: Sender) -> Transaction:
    """Move tokens from the account into the wallet, by a signed authorization: one transaction and no allowance left."""
    tokens = await chain.call(chain.token.functions.balanceOf(account.address))
    if tokens < amount:
        raise InsufficientFunds(
            f"deposit of {format_usdfc(amount)} USDFC: {account.address} has {format_usdfc(tokens)} USDFC",
            hint="Get USDFC first (on a local chain: parity-client faucet), or deposit less.",
        )
    seed = secrets.token_bytes(32)
    deployment = chain.deployment
    authorization = sign_authorization(
        account,
        payee=deployment.stake_wallet,
        value=amount,
        nonce=deposit_nonce(seed),
        valid_before=await block_time(chain) + AUTHORIZATION_S,
        domain=token_domain(deployment.chain_id, deployment.usdfc),
    )
    call = chain.wallet.functions.depositWithAuthorization(
        account.address, amount, seed, authorization.as_tuple()
    )
    return transaction(await sender.send(call, label="deposit"), "deposit")


class Deed(Enum):
    """What may be done with money in the wallet by one call; its value names it for people."""

    WITHDRAW = "withdraw"
    STAKE = "stake"
    UNSTAKE = "unstake"
    WITHDRAW_STAKE = "withdraw stake"


def call_for(chain: Chain, deed: Deed, amount: int) -> "AsyncContractFunction":
    """Return the contract call that does a deed."""
    wallet = chain.wallet.functions
    match deed:
        case Deed.WITHDRAW:
            return wallet.withdraw(amount)
        case Deed.STAKE:
            return wallet.bond(amount)
        case Deed.UNSTAKE:
            return wallet.requestUnbond(amount)
        case Deed.WITHDRAW_STAKE:
            return wallet.completeUnbond()


async def do(chain: Chain, deed: Deed, amount: int, *, sender: Sender) -> Transaction:
    """Do a deed and wait until it is in a block."""
    return transaction(await sender.send(call_for(chain, deed, amount), label=deed.value), deed.value)


async def bond(
    chain: Chain, amount: int, *, account: "LocalAccount", sender: Sender
) -> tuple[Transaction, ...]:
    """Stake free balance; what it lacks is deposited first, in a transaction of its own."""
    missing = await shortfall(chain, account.address, amount)
    first = (await deposit(chain, missing, account=account, sender=sender),) if missing else ()
    return (*first, await do(chain, Deed.STAKE, amount, sender=sender))


async def shortfall(chain: Chain, account: str, amount: int) -> int:
    """Return how much an account's free balance lacks of `amount`."""
    free, _ = await chain.call(chain.wallet.functions.accountOf(account))
    return max(0, amount - int(free))


async def faucet(chain: Chain, *, amount: int, sender: Sender) -> Transaction:
    """Make test money out of nothing: coin for network fees and USDFC. `InputError` on a chain that is not local."""
    address: Any = sender.address
    await faucet_coin(chain, address)
    receipt = await sender.send(chain.token.functions.mint(address, amount), label="faucet")
    return transaction(receipt, "faucet")


async def faucet_coin(chain: Chain, account: str) -> int:
    """Give an account coin for network fees, if it has little, and say what it has then; on local chains only."""
    if not chain.deployment.local:
        raise InputError(
            f"faucet: chain {chain.deployment.chain_id} is not a local chain; its USDFC is real",
            field="faucet",
            hint="Buy or mint USDFC as the network's own documentation says.",
        )
    address: Any = account
    if await chain.w3.eth.get_balance(address) < _FAUCET_COIN_WEI:
        # Only development chains have this method; it stands in for a faucet of the chain's own coin.
        await chain.w3.provider.make_request("anvil_setBalance", [address, hex(10 * _FAUCET_COIN_WEI)])
    return int(await chain.w3.eth.get_balance(address))


async def block_time(chain: Chain) -> int:
    """Return the Unix time in seconds that the next block will have at least: the clock that authorizations are judged by.

    On a chain that makes blocks only when there is something to do, the newest one may be hours old.
    """
    newest = int((await chain.w3.eth.get_block("latest"))["timestamp"])
    return max(newest, int(time.time()))


def transaction(receipt: Receipt, label: str) -> Transaction:
    """Keep of a receipt what people look at."""
    return Transaction(
        label=label,
        transaction_hash=receipt.transaction_hash,
        block=receipt.block_number,
        network_fee=receipt.fee_paid,
    )
