"""Who signs: the account that the SDK was connected with, and the queue of its transactions."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from protocol.chain import Chain
from protocol.errors import InputError
from protocol.sender import Sender

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """An unlocked account, and what sends its transactions one after the other."""

    account: "LocalAccount"
    sender: Sender

    @classmethod
    def of(cls, chain: Chain, account: "LocalAccount") -> Self:
        """Let an account sign on a chain; `InputError` for a published development key on a public chain."""
        return cls(account=account, sender=Sender(chain, account))


def signed_by(signer: Signer | None) -> Signer:
    """Return the signer; `InputError` where the SDK was connected without an account."""
    if signer is None:
        raise InputError(
            "account: none is connected",
            field="account",
            hint="Pass an account to Parity.connect; make a key with parity-client auth.",
        )
    return signer
