"""Actions by signature: one call of the StakeWallet that its account signs and anybody sends."""

from dataclasses import dataclass

from eth_account.signers.base import BaseAccount

from protocol.typed_data import Domain, TypedData, document_of, sign

_ACTION_TYPE = [
    {"name": "account", "type": "address"},
    {"name": "call", "type": "bytes"},
    {"name": "nonce", "type": "uint256"},
    {"name": "deadline", "type": "uint256"},
]
_SEQUENCE_SHIFT = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """A call in the name of `account`, as `IDelegated.Action`; `deadline` is the last block in which it counts.

    `call` is what the account would send to the wallet itself: selector and arguments; `multicall` makes several.
    `nonce` is what `StakeWallet.nonces(account, sequence)` says; sequences do not wait for each other.
    """

    account: str
    call: bytes
    nonce: int
    deadline: int

    def as_tuple(self) -> tuple[str, bytes, int, int]:
        """Return the fields in ABI order, as web3 takes a struct."""
        return (self.account, self.call, self.nonce, self.deadline)

    @property
    def sequence(self) -> int:
        """The sequence that the nonce belongs to."""
        return self.nonce >> _SEQUENCE_SHIFT


def action_typed_data(action: Action, domain: Domain) -> TypedData:
    """Build the document that the account signs."""
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
