"""Actions of the StakeWallet by signature: everything that an account does with its money, except deposits."""

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from eth_abi.abi import encode
from eth_utils.abi import function_abi_to_4byte_selector
from pydantic import Field, model_validator

from api.fields import AddressIn, Body, HeightIn, HexIn, Parameters, Uint64, Uint96, Uint256, bytes_of
from api.intents.signed import SignedIntent
from api.rejections import BadIntent, Expired, Replayed
from protocol.abi import load_abi
from protocol.action import Action, action_typed_data
from protocol.chain import Chain
from protocol.deployment import Deployment
from protocol.typed_data import TypedData, wallet_domain

if TYPE_CHECKING:
    from web3.contract.async_contract import AsyncContractFunction

GOOD_FOR_BLOCKS = 240

Deed = Literal[
    "withdraw", "withdrawTo", "transfer", "bond", "requestUnbond", "cancelUnbond", "completeUnbond"
]
_SELECTORS = {"amount": "uint96", "to": "address"}


class ActionIntent(Body):
    """A call of the StakeWallet in the name of `account`."""

    account: AddressIn
    call: HexIn = Field(description="selector and arguments of a function of the StakeWallet")
    nonce: Uint256 = Field(description="what `nonces(account, sequence)` says")
    deadline: HeightIn = Field(description="last block in which it counts")


class SignedAction(SignedIntent):
    """An action and its account's signature."""

    kind: ClassVar[str] = "action"
    contract_field: ClassVar[str] = "stake_wallet"
    intent: ActionIntent

    @property
    def account(self) -> str:
        """Return whose action it is."""
        return self.intent.account

    @property
    def action(self) -> Action:
        """Return the protocol's own form."""
        intent = self.intent
        return Action(
            account=intent.account, call=bytes_of(intent.call), nonce=intent.nonce, deadline=intent.deadline
        )

    def document(self, deployment: Deployment) -> TypedData:
        """Build the typed data that was signed."""
        return action_typed_data(self.action, wallet_domain(deployment.chain_id, deployment.stake_wallet))

    async def check_state(self, chain: Chain) -> None:
        """Compare nonce and deadline with the chain."""
        action = self.action
        nonces: Any = chain.wallet.functions.nonces
        current = await chain.call(nonces(action.account, action.sequence))
        if action.nonce < current:
            raise Replayed(
                f"nonce {action.nonce} of {action.account} is used; the next of its sequence is {current}",
                field="intent.nonce",
                hint="Take a new intent from GET /api/v1/intents/action and sign it.",
            )
        if action.nonce > current:
            raise BadIntent(
                f"nonce {action.nonce} of {action.account} is not due; the next of its sequence is {current}",
                field="intent.nonce",
                hint="Send the action with the earlier nonce first, or sign with another sequence.",
            )
        head = await chain.block_number()
        if action.deadline <= head:
            raise Expired(
                f"the action counted up to block {action.deadline}; the chain is at {head}",
                field="intent.deadline",
                hint="Sign again with a later deadline.",
            )

    def call(self, chain: Chain) -> "AsyncContractFunction":
        """Return the contract call."""
        functions: Any = chain.wallet.functions
        call: AsyncContractFunction = functions.executeFor(self.action.as_tuple(), self.signature_bytes)
        return call


class AskedAction(Parameters):
    """Which action: a `function` with its arguments, or the `call` itself."""

    account: AddressIn
    function: Deed | None = Field(None, description="what to do; alternatively, set `call`")
    amount: Uint96 | None = Field(None, description="USDFC base units, where the function takes an amount")
    to: AddressIn | None = Field(None, description="of withdrawTo and transfer")
    call: HexIn | None = Field(None, description="selector and arguments, instead of `function`")
    sequence: Uint64 = Field(0, description="actions of different sequences do not wait for each other")
    deadline: HeightIn | None = Field(
        None, description="last block in which it counts; 240 from now if left out"
    )

    @model_validator(mode="after")
    def _one_way(self) -> "AskedAction":
        if (self.function is None) == (self.call is None):
            raise ValueError("set either function or call")
        if self.function is not None:
            self.encoded()
        return self

    def encoded(self) -> str:
        """Return the call; `ValueError` names an argument that is missing or too many."""
        if self.call is not None:
            return self.call
        assert self.function is not None
        given = {"amount": self.amount, "to": self.to}
        wanted = _arguments(self.function)
        for name, value in given.items():
            if (value is None) == (name in wanted):
                raise ValueError(f"{self.function} takes {' and '.join(wanted) or 'no arguments'}")
        kinds = [_SELECTORS[name] for name in wanted]
        return "0x" + (_selector(self.function) + encode(kinds, [given[name] for name in wanted])).hex()


async def prepare(chain: Chain, asked: AskedAction) -> SignedAction:
    """Fill in nonce and deadline."""
    nonces: Any = chain.wallet.functions.nonces
    nonce = await chain.call(nonces(asked.account, asked.sequence))
    deadline = asked.deadline or await chain.block_number() + GOOD_FOR_BLOCKS
    return SignedAction.unsigned(account=asked.account, call=asked.encoded(), nonce=nonce, deadline=deadline)


def _arguments(function: str) -> list[str]:
    entry = _entry(function)
    return [item["name"] for item in entry["inputs"]]


def _selector(function: str) -> bytes:

    return bytes(function_abi_to_4byte_selector(_entry(function)))  # type: ignore[arg-type]  # an ABI entry


def _entry(function: str) -> dict[str, Any]:
    return next(item for item in load_abi("StakeWallet") if item.get("name") == function)
