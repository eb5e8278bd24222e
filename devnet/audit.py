"""Counting every token of the local chain, to show that none is lost or made."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from client.money import read_balance
from client.records import Balance
from protocol.chain import Chain

DEAD_ADDRESS = "0x000000000000000000000000000000000000dEaD"


@dataclass(frozen=True, slots=True)
class Count:
    """All holdings at about one block, in USDFC base units.

    `accounts` is what each account has, in its own hands and in StakeWallet together; `burnt` lies where nobody can
    reach it or is about to; `owed` and `held` are StakeWallet's debts and tokens; `supply` is the token's own total.
    """

    accounts: dict[str, Balance]
    burnt: int
    owed: int
    held: int
    supply: int

    @property
    def total(self) -> int:
        """Sum over all counted accounts and what is burnt."""
        return sum(wealth(balance) for balance in self.accounts.values()) + self.burnt


def wealth(balance: Balance) -> int:
    """Return all that an account has: tokens, free, escrowed, bonded (locked is part of that) and unbonding."""
    return balance.tokens + balance.free + balance.escrowed + balance.bonded + balance.unbonding


async def count(chain: Chain, accounts: Iterable[str]) -> Count:
    """Count the holdings of `accounts` and of the contracts. Raises RpcUnavailable."""
    wallet, token = chain.wallet.functions, chain.token.functions
    addresses = sorted(set(accounts))
    burn_account = await chain.call(wallet.burnAccount())
    balances, burning, burnt, owed, held, supply = await asyncio.gather(
        asyncio.gather(*(read_balance(chain, address) for address in addresses)),
        read_balance(chain, burn_account),
        chain.call(token.balanceOf(DEAD_ADDRESS)),
        chain.call(wallet.liabilities()),
        chain.call(token.balanceOf(chain.deployment.stake_wallet)),
        chain.call(token.totalSupply()),
    )
    return Count(
        accounts=dict(zip(addresses, balances, strict=True)),
        burnt=burnt if burn_account == DEAD_ADDRESS else burnt + wealth(burning),
        owed=owed,
        held=held,
        supply=supply,
    )
