"""Actions of the StakeWallet by signature: whatever an account may do there, anyone may send for it."""

from dataclasses import dataclass

from eth_account.signers.base import BaseAccount

from protocol.typed_data import Domain, TypedData, document_of, sign

_ACTION_TYPE = [
    {"name": "account", "type": "address"},
    {"name": "call", "type": "bytes"},
    {"name": "nonce", "type": "uint256"},
    {"name": "deadline", "type": "uint256"},
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """A call of the wallet that `account` signs, as `IDelegated.Action`.

    `call` is a selector with its arguments; `nonce` the next of any of the account's sequences; `deadline` the last block.
    """

    account: str
    call: bytes
    nonce: int
    deadline: int

    def as_tuple(self) -> tuple[str, bytes, int, int]:
        """Return the fields in ABI order, as web3 takes a struct."""
        return self.account, self.call, self.nonce, self.deadline


def action_typed_data(action: Action, domain: Domain) -> TypedData:
    """Build the document that the account signs; `domain` is the wallet's."""
    message = {
        "account": action.account,
        "call": action.call,
        "nonce": action.nonce,
        "deadline": action.deadline,
    }
    return document_of("Action", _ACTION_TYPE, message=message, domain=domain)


def sign_action(action: Action, domain: Domain, account: BaseAccount) -> bytes:
    """Sign an action; 65 bytes r, s, v."""
    return sign(action_typed_data(action, domain), account)
