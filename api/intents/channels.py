"""Payment channels: opened by their payer's signature, drawn on by vouchers."""

import secrets
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from api.fields import AddressIn, Body, HashIn, HeightIn, Parameters, Uint96, Uint128, bytes_of
from api.intents.actions import GOOD_FOR_BLOCKS
from api.intents.signed import SignedIntent
from api.rejections import Expired, InsufficientFunds
from protocol.chain import Chain
from protocol.deployment import Deployment
from protocol.money import format_usdfc
from protocol.typed_data import TypedData, wallet_domain
from protocol.voucher import Channel, channel_typed_data, voucher_typed_data

if TYPE_CHECKING:
    from web3.contract.async_contract import AsyncContractFunction


class ChannelIntent(Body):
    """A channel's terms; their digest is its id."""

    payer: AddressIn
    node: AddressIn = Field(description="the runner's node key")
    owner: AddressIn = Field(description="the runner's owner, who is paid")
    amount: Uint96 = Field(description="opening deposit, USDFC base units")
    close_delay: HeightIn = Field(description="blocks between the payer's request and the close")
    open_by: HeightIn = Field(description="last block in which it may be opened")
    salt: HashIn


class SignedChannel(SignedIntent):
    """A channel's terms and its payer's signature."""

    kind: ClassVar[str] = "channel"
    contract_field: ClassVar[str] = "stake_wallet"
    intent: ChannelIntent

    @property
    def account(self) -> str:
        """Return who pays."""
        return self.intent.payer

    @property
    def terms(self) -> Channel:
        """Return the protocol's own form."""
        fields = self.intent.model_dump()
        return Channel(**{**fields, "salt": bytes_of(self.intent.salt)})

    def document(self, deployment: Deployment) -> TypedData:
        """Build the typed data that was signed."""
        return channel_typed_data(self.terms, wallet_domain(deployment.chain_id, deployment.stake_wallet))

    async def check_state(self, chain: Chain) -> None:
        """Compare the deadline and the payer's free balance with the chain."""
        intent = self.intent
        head = await chain.block_number()
        if intent.open_by <= head:
            raise Expired(
                f"the channel could be opened up to block {intent.open_by}; the chain is at {head}",
                field="intent.openBy",
                hint="Sign again with a later openBy.",
            )
        accounts: Any = chain.wallet.functions.accountOf
        free, _ = await chain.call(accounts(intent.payer))
        if free < intent.amount:
            raise InsufficientFunds(
                f"{intent.payer} has {format_usdfc(free)} free USDFC in the StakeWallet; "
                f"the channel takes {format_usdfc(intent.amount)}",
                field="intent.amount",
                hint="Deposit with `parity-client deposit`, or open it with less.",
            )

    def call(self, chain: Chain) -> "AsyncContractFunction":
        """Return the contract call."""
        functions: Any = chain.wallet.functions
        call: AsyncContractFunction = functions.openChannelFor(self.terms.as_tuple(), self.signature_bytes)
        return call


class AskedChannel(Parameters):
    """Whose channel to whom."""

    payer: AddressIn
    node: AddressIn
    owner: AddressIn
    amount: Uint96 = Field(description="opening deposit, USDFC base units")
    close_delay: HeightIn | None = Field(None, description="blocks; the shortest allowed if left out")
    open_by: HeightIn | None = Field(None, description="block; 240 from now if left out")


async def prepare_channel(chain: Chain, asked: AskedChannel) -> SignedChannel:
    """Fill in delay, deadline and salt."""
    delay: Any = chain.wallet.functions.minCloseDelay()
    return SignedChannel.unsigned(
        payer=asked.payer,
        node=asked.node,
        owner=asked.owner,
        amount=asked.amount,
        closeDelay=asked.close_delay or await chain.call(delay),
        openBy=asked.open_by or await chain.block_number() + GOOD_FOR_BLOCKS,
        salt="0x" + secrets.token_bytes(32).hex(),
    )


class VoucherIntent(Body):
    """A promise of `cumulative` in all, redeemed to the channel's owner."""

    channel_id: HashIn
    payer: AddressIn
    owner: AddressIn
    cumulative: Uint128 = Field(description="USDFC base units")


class SignedVoucher(SignedIntent):
    """A voucher and its payer's signature."""

    kind: ClassVar[str] = "voucher"
    contract_field: ClassVar[str] = "stake_wallet"
    intent: VoucherIntent

    @property
    def account(self) -> str:
        """Return who signed it."""
        return self.intent.payer

    def document(self, deployment: Deployment) -> TypedData:
        """Build the typed data that was signed."""
        domain = wallet_domain(deployment.chain_id, deployment.stake_wallet)
        return voucher_typed_data(bytes_of(self.intent.channel_id), self.intent.cumulative, domain)

    def call(self, chain: Chain) -> "AsyncContractFunction":
        """Return the contract call."""
        intent = self.intent
        functions: Any = chain.wallet.functions
        call: AsyncContractFunction = functions.redeemSigned(
            intent.owner, intent.payer, bytes_of(intent.channel_id), intent.cumulative, self.signature_bytes
        )
        return call


class AskedVoucher(Parameters):
    """How much of which channel."""

    channel_id: HashIn
    payer: AddressIn
    owner: AddressIn
    cumulative: Uint128 = Field(description="USDFC base units, all that the channel has earned")


async def prepare_voucher(_chain: Chain, asked: AskedVoucher) -> SignedVoucher:
    """Return the voucher as asked; the chain adds nothing."""
    return SignedVoucher.unsigned(
        channelId=asked.channel_id, payer=asked.payer, owner=asked.owner, cumulative=asked.cumulative
    )
