"""`Parity`'s account: what it has, and moving it. Amounts are USDFC base units."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Self

from client import money
from client.foreseen import Foreseen, foresee
from client.money import Deed
from client.records import Balance, MoneyMoved, Transaction
from client.rehearsal import rehearse
from client.signer import Signer, signed_by
from protocol.chain import Chain


@dataclass(frozen=True, slots=True, kw_only=True)
class Wallet:
    """An account on a chain, or only the chain to look at. `Parity` is one."""

    chain: Chain
    _signer: Signer | None = field(default=None, repr=False)

    @property
    def address(self) -> str:
        """Return the account's address."""
        return str(self._signed().account.address)

    async def balance(self, account: str | None = None) -> Balance:
        """Read what an account has (by default this one), all at one block."""
        return await money.read_balance(self.chain, account or self.address)

    async def deposit(self, amount: int) -> MoneyMoved:
        """Move tokens from the account into StakeWallet: one signature, one transaction, no allowance left over."""
        signer = self._signed()
        moved = await money.deposit(self.chain, amount, account=signer.account, sender=signer.sender)
        return await self._moved(amount, moved)

    async def withdraw(self, amount: int) -> MoneyMoved:
        """Move free balance from StakeWallet into the account."""
        return await self._do(Deed.WITHDRAW, amount)

    async def bond(self, amount: int) -> MoneyMoved:
        """Stake free balance; what it lacks is deposited first."""
        signer = self._signed()
        moved = await money.bond(self.chain, amount, account=signer.account, sender=signer.sender)
        return await self._moved(amount, *moved)

    async def request_unbond(self, amount: int) -> MoneyMoved:
        """Start to take unlocked stake out. It stays slashable until `balance().release_block`."""
        return await self._do(Deed.UNSTAKE, amount)

    async def complete_unbond(self) -> MoneyMoved:
        """Move stake whose delay is over to the free balance."""
        before = await self.balance()
        return await self._do(Deed.WITHDRAW_STAKE, before.unbonding)

    async def missing(self, amount: int) -> int:
        """Return how much the free balance lacks of `amount`."""
        return await money.shortfall(self.chain, self.address, amount)

    async def unbond_delay(self) -> int:
        """Return how many blocks pass between the request and the completion of an unbonding."""
        return int(await self.chain.call(self.chain.wallet.functions.unbondDelay()))

    async def network_fee(self, deed: Callable[[Self], Awaitable[object]]) -> int:
        """Simulate a deed's first transaction, signing and sending nothing; the most it takes of the chain's own coin.

        Whatever the deed itself would raise, this raises: `TransactionReverted` if the contract would refuse it.

        >>> await parity.network_fee(lambda parity: parity.withdraw(USDFC))
        """
        prepared = await rehearse(
            self.chain, self._signed(), lambda signer: deed(replace(self, _signer=signer))
        )
        return prepared.most_it_costs

    async def foreseen_fee(self, *calls: Foreseen) -> int:
        """Return about the most that calls take which cannot be simulated before something is signed; signs nothing.

        >>> await parity.foreseen_fee(Foreseen.DEPOSIT)
        """
        return await foresee(self.chain, self.address, *calls)

    async def faucet(self, amount: int = money.FAUCET_AMOUNT) -> MoneyMoved:
        """Make test USDFC, and coin for network fees; on local chains only (`InputError` elsewhere)."""
        return await self._moved(
            amount, await money.faucet(self.chain, amount=amount, sender=self._signed().sender)
        )

    async def faucet_coin(self, account: str) -> int:
        """Give any account coin for network fees, such as a runner's node key; on local chains only. Signs nothing."""
        return await money.faucet_coin(self.chain, account)

    def _signed(self) -> Signer:
        return signed_by(self._signer)

    async def _do(self, deed: Deed, amount: int) -> MoneyMoved:
        return await self._moved(
            amount, await money.do(self.chain, deed, amount, sender=self._signed().sender)
        )

    async def _moved(self, amount: int, *transactions: Transaction) -> MoneyMoved:
        return MoneyMoved(amount=amount, transactions=transactions, balance=await self.balance())
