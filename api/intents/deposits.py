"""Deposits by EIP-3009 authorization: USDFC from a wallet into the StakeWallet, without gas from the depositor."""

import secrets
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from api.fields import AddressIn, Body, HashIn, Parameters, Uint64, Uint96, bytes_of
from api.intents.signed import SignedIntent, time_now
from api.rejections import BadSignature, Expired, InsufficientFunds, NotYetValid, Replayed
from protocol.chain import Chain
from protocol.deployment import Deployment
from protocol.money import format_usdfc
from protocol.typed_data import TypedData, authorization_typed_data, deposit_nonce, token_domain

if TYPE_CHECKING:
    from web3.contract.async_contract import AsyncContractFunction

GOOD_FOR_S = 3600


class DepositIntent(Body):
    """USDFC that `account` gives to its own ledger entry. Times are Unix seconds."""

    account: AddressIn
    amount: Uint96 = Field(description="USDFC base units")
    seed: HashIn = Field(description="makes the authorization's nonce; random")
    valid_after: Uint64
    valid_before: Uint64


class SignedDeposit(SignedIntent):
    """A deposit and its account's signature for the token."""

    kind: ClassVar[str] = "deposit"
    contract_field: ClassVar[str] = "usdfc"
    intent: DepositIntent

    @property
    def account(self) -> str:
        """Return whose money it is."""
        return self.intent.account

    @property
    def nonce(self) -> bytes:
        """Return the token's nonce."""
        return deposit_nonce(bytes_of(self.intent.seed))

    def document(self, deployment: Deployment) -> TypedData:
        """Build the typed data that was signed."""
        intent = self.intent
        return authorization_typed_data(
            payer=intent.account,
            payee=deployment.stake_wallet,
            value=intent.amount,
            nonce=self.nonce,
            valid_after=intent.valid_after,
            valid_before=intent.valid_before,
            domain=token_domain(deployment.chain_id, deployment.usdfc),
        )

    async def check_state(self, chain: Chain) -> None:
        """Compare with the token: used, in time, covered."""
        intent = self.intent
        token: Any = chain.token.functions
        if await chain.call(token.authorizationState(intent.account, self.nonce)):
            raise Replayed(
                "the authorization was used or cancelled already",
                field="intent.seed",
                hint="Take a new intent from GET /api/v1/intents/deposit and sign it.",
            )
        block = await chain.w3.eth.get_block("latest")
        now = block["timestamp"]
        if intent.valid_before <= now:
            raise Expired(
                f"the authorization counted before {intent.valid_before}; the chain's time is {now}",
                field="intent.validBefore",
                hint="Sign it again with a later validBefore (Unix seconds).",
            )
        if intent.valid_after >= now:
            raise NotYetValid(
                f"the authorization counts after {intent.valid_after}; the chain's time is {now}",
                field="intent.validAfter",
                hint="Wait, or sign it again with an earlier validAfter (Unix seconds).",
            )
        have = await chain.call(token.balanceOf(intent.account))
        if have < intent.amount:
            raise InsufficientFunds(
                f"{intent.account} has {format_usdfc(have)} USDFC; the deposit is {format_usdfc(intent.amount)}",
                field="intent.amount",
                hint="Deposit less, or get USDFC first.",
            )

    def call(self, chain: Chain) -> "AsyncContractFunction":
        """Return the contract call."""
        intent, signature = self.intent, self.signature_bytes
        if len(signature) != 65:
            raise BadSignature(
                "signature: the token takes 65 bytes r, s, v",
                field="signature",
                hint="Sign with a key; the token asks no wallet contract.",
            )
        functions: Any = chain.wallet.functions
        authorization = (
            intent.valid_after,
            intent.valid_before,
            signature[64],
            signature[:32],
            signature[32:64],
        )
        call: AsyncContractFunction = functions.depositWithAuthorization(
            intent.account, intent.amount, bytes_of(intent.seed), authorization
        )
        return call


class AskedDeposit(Parameters):
    """How much of whose."""

    account: AddressIn
    amount: Uint96 = Field(description="USDFC base units")
    valid_before: Uint64 | None = Field(None, description="Unix seconds; an hour from now if left out")


async def prepare(chain: Chain, asked: AskedDeposit) -> SignedDeposit:
    """Fill in seed and times."""
    return SignedDeposit.unsigned(
        account=asked.account,
        amount=asked.amount,
        seed="0x" + secrets.token_bytes(32).hex(),
        validAfter=0,
        validBefore=asked.valid_before or await time_now(chain) + GOOD_FOR_S,
    )
