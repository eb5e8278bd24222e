"""Opening, filling and closing payment channels. Amounts are USDFC base units, heights and delays blocks."""

import secrets
from typing import TYPE_CHECKING

from client.gateway.book import Book, Entry
from protocol.chain import Chain
from protocol.errors import InsufficientFunds
from protocol.money import format_usdfc
from protocol.sender import Sender
from protocol.typed_data import Domain, wallet_domain
from protocol.voucher import Channel, Voucher, channel_id, sign_voucher

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

OPEN_WITHIN = 600
"""Blocks that an opening may take to be mined."""


class Channels:
    """An account's channels: the book of them, and the chain that holds their money."""

    def __init__(self, chain: Chain, book: Book, account: "LocalAccount") -> None:
        self.book = book
        self._chain = chain
        self._account = account
        self._sender = Sender(chain, account)

    @property
    def domain(self) -> Domain:
        """Return the domain in which channels and vouchers are signed."""
        return wallet_domain(self._chain.deployment.chain_id, self._chain.deployment.stake_wallet)

    async def open(self, *, node: str, owner: str, amount: int) -> Entry:
        """Open a channel from the free balance; `InsufficientFunds`, `TransactionReverted`, `RpcUnavailable`."""
        wallet = self._chain.wallet.functions
        free = (await self._chain.call(wallet.accountOf(self._account.address)))[0]
        if free < amount:
            raise InsufficientFunds(
                f"a channel of {format_usdfc(amount)} USDFC: {format_usdfc(free)} USDFC are free in the wallet",
                hint=f"parity-client deposit --amount {format_usdfc(amount - free)}",
            )
        channel = Channel(
            payer=self._account.address,
            node=node,
            owner=owner,
            amount=amount,
            close_delay=int(await self._chain.call(wallet.minCloseDelay())),
            open_by=await self._chain.block_number() + OPEN_WITHIN,
            salt=secrets.token_bytes(32),
        )
        entry = self.book.opened(channel_id(channel, self.domain), channel)
        await self._sender.send(wallet.openChannel(channel.as_tuple()), label="open channel")
        return entry

    async def top_up(self, entry: Entry, amount: int) -> Entry:
        """Add to a channel from the free balance."""
        call = self._chain.wallet.functions.topUp(entry.channel.as_tuple(), amount)
        await self._sender.send(call, label="top up channel")
        return await self.refresh(entry)

    async def close(self, entry: Entry) -> int | None:
        """Ask for what is left back; the block from which `collect` returns it, or None if that has been asked before."""
        self.book.closing(entry.channel_id)
        _, _, closes_at, closed = await self._funds(entry)
        if closes_at or closed:
            return None
        await self._sender.send(
            self._chain.wallet.functions.requestClose(entry.channel.as_tuple()), label="close channel"
        )
        return int((await self._funds(entry))[2])

    async def collect(self) -> int:
        """Take back what is left in channels whose close delay is over; the base units that came."""
        head, total = await self._chain.block_number(), 0
        for entry in self.book.entries():
            deposited, redeemed, closes_at, closed = await self._funds(entry)
            if closes_at and not closed and head >= closes_at:
                call = self._chain.wallet.functions.close(entry.channel.as_tuple())
                await self._sender.send(call, label="collect channel")
                total += deposited - redeemed
                closed = True
            if closed or (not deposited and head > entry.channel.open_by):
                self.book.forget(entry.channel_id)
        return total

    async def refresh(self, entry: Entry) -> Entry:
        """Bring an entry in line with the chain."""
        deposited, _, closes_at, closed = await self._funds(entry)
        self.book.deposit(entry.channel_id, deposited)
        if closes_at or closed:
            self.book.closing(entry.channel_id)
        return self.book.entry(entry.channel_id)

    def sign(self, entry: Entry, cumulative: int) -> Voucher:
        """Write a promise down, and sign it."""
        promised = self.book.promise(entry.channel_id, cumulative)
        return sign_voucher(entry.channel_id, promised, self.domain, account=self._account)

    async def _funds(self, entry: Entry) -> tuple[int, int, int, bool]:
        channel = entry.channel
        call = self._chain.wallet.functions.channelOf(entry.channel_id, channel.payer, channel.owner)
        deposited, redeemed, closes_at, closed = await self._chain.call(call)
        return int(deposited), int(redeemed), int(closes_at), bool(closed)
