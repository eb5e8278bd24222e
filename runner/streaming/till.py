"""The till: which vouchers are good, what the chain holds behind them, and when they are turned into money."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import structlog
from web3.exceptions import Web3Exception

from protocol.chain import Chain
from protocol.errors import InputError, ParityError, TransactionReverted
from protocol.sender import Sender
from protocol.typed_data import Domain, wallet_domain
from protocol.voucher import MAX_VOUCHERS, Channel, Voucher, channel_id, voucher_signer
from runner.streaming.errors import PaymentRefused
from runner.streaming.tabs import Tab, Tabs

FRESH_S = 5.0
"""How long a channel's funds on chain are believed. A close takes effect after the close delay, which is far longer."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Funds:
    """A channel's money on chain, as `IChannels.Funds`."""

    deposited: int
    redeemed: int
    closes_at: int
    closed: bool


class Till:
    """Takes vouchers for one node and its owner."""

    def __init__(self, *, chain: Chain, tabs: Tabs, node: str, owner: str) -> None:
        self.tabs = tabs
        self._chain = chain
        self._node = node
        self._owner = owner
        self._funds: dict[bytes, tuple[float, Funds]] = {}
        self._paid = asyncio.Condition()
        self._busy: dict[bytes, asyncio.Lock] = {}
        self._running: dict[bytes, Callable[[], int]] = {}

    @property
    def domain(self) -> Domain:
        """Return the domain in which channels, vouchers and receipts are signed."""
        deployment = self._chain.deployment
        return wallet_domain(deployment.chain_id, deployment.stake_wallet)

    def turn(self, tab: Tab) -> asyncio.Lock:
        """Return the lock by which a channel's prompts wait for one another: each builds on what the last one earned."""
        return self._busy.setdefault(tab.channel_id, asyncio.Lock())

    @contextmanager
    def meter(self, tab: Tab, earned: Callable[[], int]) -> Iterator[None]:
        """Write down with each voucher what the channel's running answer has `earned` by then."""
        self._running[tab.channel_id] = earned
        try:
            yield
        finally:
            del self._running[tab.channel_id]

    async def open_tab(self, channel: Channel) -> Tab:
        """Check a channel with the chain and give its tab; `PaymentRefused`, `RpcUnavailable`."""
        if (channel.node, channel.owner) != (self._node, self._owner):
            raise PaymentRefused(
                f"channel: it pays {channel.owner} for {channel.node}, not this runner",
                code="wrong_runner",
                hint=f"Open a channel to node {self._node} of owner {self._owner}.",
            )
        identity = channel_id(channel, self.domain)
        funds = await self.funds(identity, channel)
        if funds.closed or funds.closes_at:
            raise PaymentRefused(
                "channel: it is closing or closed", code="channel_closing", hint="Open another one."
            )
        if not funds.deposited:
            raise PaymentRefused(
                "channel: the chain does not know it", code="channel_unknown", hint="Open it first."
            )
        return self.tabs.begin(identity, channel)

    async def funds(self, identity: bytes, channel: Channel) -> Funds:
        """Read what the chain holds for a channel, at most `FRESH_S` seconds old; `RpcUnavailable`."""
        read_at, funds = self._funds.get(identity, (0.0, None))
        if funds is None or not funds.deposited or time.monotonic() - read_at > FRESH_S:
            call = self._chain.wallet.functions.channelOf(identity, channel.payer, channel.owner)
            deposited, redeemed, closes_at, closed = await self._chain.call(call)
            funds = Funds(deposited=deposited, redeemed=redeemed, closes_at=closes_at, closed=closed)
            self._funds[identity] = (time.monotonic(), funds)
        return funds

    def forget_funds(self, identity: bytes) -> None:
        """Read a channel's funds anew next time: a transaction of ours has changed them."""
        self._funds.pop(identity, None)

    async def take(self, tab: Tab, voucher: Voucher) -> Tab:
        """Keep a voucher for a tab; `PaymentRefused` says what is wrong with it."""
        if voucher.channel_id != tab.channel_id:
            raise PaymentRefused(
                "voucher: it is for another channel", code="wrong_channel", hint="Sign for this one."
            )
        try:
            signer = voucher_signer(voucher, self.domain)
        except InputError as error:
            raise PaymentRefused(f"voucher: {error}", code="bad_signature", hint="Sign it again.") from error
        if signer != tab.channel.payer:
            raise PaymentRefused(
                f"voucher: signed by {signer}, not by the payer {tab.channel.payer}",
                code="bad_signature",
                hint="Sign with the payer's key, for this chain and wallet.",
            )
        deposited = (await self.funds(tab.channel_id, tab.channel)).deposited
        if voucher.cumulative > deposited:
            self.forget_funds(tab.channel_id)  # it may have been topped up a moment ago
            deposited = (await self.funds(tab.channel_id, tab.channel)).deposited
        if voucher.cumulative > deposited:
            raise PaymentRefused(
                f"voucher: it promises {voucher.cumulative} base units; the channel holds {deposited}",
                code="channel_exhausted",
                hint="Top the channel up, or open another one.",
            )
        running = self._running.get(tab.channel_id)
        best = self.tabs.promise(voucher, earned=running() if running is not None else None)
        async with self._paid:
            self._paid.notify_all()
        return best

    async def until_owed_at_most(self, identity: bytes, most: int, *, earned: int, timeout_s: float) -> bool:
        """Wait until no more than `most` of `earned` is without a voucher; say whether that came to pass in time."""

        def enough() -> bool:
            tab = self.tabs.tab(identity)
            return tab is not None and earned - tab.promised <= most

        async with self._paid:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(timeout_s):
                    await self._paid.wait_for(enough)
            return enough()


class Redeemer:
    """Turns vouchers into the owner's free balance: when enough has come together, and always before a channel closes."""

    def __init__(
        self, *, till: Till, chain: Chain, sender: Sender, owner: str, least: int, interval_s: float
    ) -> None:
        self._till = till
        self._chain = chain
        self._sender = sender
        self._owner = owner
        self._least = least
        self._interval_s = interval_s

    async def run(self) -> None:
        """Look after the channels until cancelled."""
        while True:
            await asyncio.sleep(self._interval_s)
            try:
                await self.redeem()
            except (ParityError, Web3Exception) as error:
                log.warning("redeem_failed", error=str(error))

    async def redeem(self, *, everything: bool = False) -> int:
        """Redeem what is worth it, all of it when `everything` is asked for; give the base units that came in."""
        ripe: list[Tab] = []
        for tab in self._till.tabs.open_tabs():
            funds = await self._till.funds(tab.channel_id, tab.channel)
            if funds.redeemed != tab.redeemed:
                self._till.tabs.redeemed(tab.channel_id, funds.redeemed)
            worth = tab.promised - funds.redeemed
            if funds.closed:
                self._till.tabs.end(tab.channel_id)
            # Without a deposit, a reorganisation has undone the channel.
            elif funds.deposited and worth > 0 and (everything or funds.closes_at or worth >= self._least):
                ripe.append(tab)
        total = 0
        for at in range(0, len(ripe), MAX_VOUCHERS):
            total += await self._send(ripe[at : at + MAX_VOUCHERS])
        return total

    async def _send(self, tabs: Sequence[Tab]) -> int:
        vouchers = [tab.voucher.as_tuple() for tab in tabs if tab.voucher is not None]
        call = self._chain.wallet.functions.redeem(self._owner, vouchers)
        try:
            await self._sender.send(call, label="redeem vouchers")
        except TransactionReverted as error:
            if len(tabs) == 1:
                log.warning("voucher_refused", channel="0x" + tabs[0].channel_id.hex(), error=str(error))
                return 0
            # One bad voucher stops a whole batch, and must not stop the others' money.
            return sum([await self._send([tab]) for tab in tabs])
        for tab in tabs:
            self._till.forget_funds(tab.channel_id)
            self._till.tabs.redeemed(tab.channel_id, tab.promised)
        total = sum(tab.redeemable for tab in tabs)
        log.info("redeemed", channels=len(tabs), base_units=total)
        return total
