"""Refusals of this server. Each reason is a problem type of its own, with the slug by which clients recognise it.

::

    Refusal
    ├── NotFound                404   nothing of that id
    ├── TooManyRequests         429   over the rate of an address or of an IP address
    ├── NotSignedIn             401   no session, or one that has ended
    ├── NotYours                403   the session is another's
    └── Rejected                  the relay sends nothing, and nothing is spent
        ├── WrongChain          400   signed for another chain
        ├── WrongContract       400   signed for another contract
        ├── BadSignature        400   not the client's, or not the payer's
        ├── BadOrder            422   a field that the contract refuses; `field` names it
        ├── BadIntent           422   the same of an intent, or a raw transaction that is none
        ├── UnknownParams       422   no such parameter version
        ├── Expired             422   claimBy, or the authorization's validBefore, has passed
        ├── NotYetValid         422   the authorization's validAfter has not come
        ├── Revoked             422   the client has revoked orders of this epoch
        ├── Replayed            409   the task exists already
        ├── InsufficientFunds   402   the payer cannot pay the reward
        ├── SimulatedRevert     422   the contract would refuse, for another reason
        ├── BudgetExhausted     429   this client's share of the relayer's gas is used up
        └── RelayerUnavailable  503   this server sends nothing; carries the transaction to send oneself
"""

from collections.abc import Mapping
from typing import ClassVar

from protocol.errors import ParityError, TransactionReverted


class Refusal(ParityError):
    """A request that is refused; `slug` is the type of its problem document and `status` HTTP's."""

    slug: ClassVar[str] = "refused"
    title: ClassVar[str] = "Refused"
    status: ClassVar[int] = 422

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        field: str | None = None,
        more: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.field = field
        self.more = dict(more or {})


class NotFound(Refusal):
    """The index holds nothing of that id."""

    slug = "not-found"
    title = "Not found"
    status = 404


class TooManyRequests(Refusal):
    """An address or an IP address asks more often than this server allows."""

    slug = "too-many-requests"
    title = "Too many requests"
    status = 429


class NotSignedIn(Refusal):
    """The request needs a session, and carries none that holds."""

    slug = "not-signed-in"
    title = "Not signed in"
    status = 401


class NotYours(Refusal):
    """The session is of another address than the thing's owner."""

    slug = "not-yours"
    title = "Not yours"
    status = 403


class Rejected(Refusal):
    """An order was not sent. Nothing was spent and nothing changed."""

    slug = "rejected"
    title = "Order not sent"


class WrongChain(Rejected):
    """The signature is for another chain."""

    slug = "wrong-chain"
    title = "Signed for another chain"
    status = 400


class WrongContract(Rejected):
    """The signature is for another contract."""

    slug = "wrong-contract"
    title = "Signed for another contract"
    status = 400


class BadSignature(Rejected):
    """A needed signature is missing, malformed or somebody else's."""

    slug = "bad-signature"
    title = "Signature not valid"
    status = 400


class BadOrder(Rejected):
    """A field of the order has a value that the contract refuses."""

    slug = "bad-order"
    title = "Order not acceptable"


class BadIntent(Rejected):
    """A field of the intent has a value that cannot be right, or the bytes are no transaction."""

    slug = "bad-intent"
    title = "Intent not acceptable"


class UnknownParams(Rejected):
    """The order names a parameter version that does not exist."""

    slug = "unknown-params"
    title = "Unknown parameter version"


class Expired(Rejected):
    """The order, or the authorization that pays it, is too old."""

    slug = "expired"
    title = "Expired"


class NotYetValid(Rejected):
    """The authorization that pays the order does not count yet."""

    slug = "not-yet-valid"
    title = "Not valid yet"


class Revoked(Rejected):
    """The client has revoked its orders since it signed this one."""

    slug = "revoked"
    title = "Order revoked"


class Replayed(Rejected):
    """The order was submitted already: its task exists."""

    slug = "replayed"
    title = "Order submitted already"
    status = 409


class InsufficientFunds(Rejected):
    """The payer cannot pay the reward."""

    slug = "insufficient-funds"
    title = "Payer lacks funds"
    status = 402


class SimulatedRevert(Rejected):
    """The contract would refuse the transaction."""

    slug = "simulated-revert"
    title = "The contract would refuse"


class BudgetExhausted(Rejected):
    """The client has used up its share of the relayer's gas for now."""

    slug = "budget-exhausted"
    title = "Relay budget used up"
    status = 429


class RelayerUnavailable(Rejected):
    """No account pays for relayed orders here, or it has run dry."""

    slug = "relayer-unavailable"
    title = "No relayer"
    status = 503


_BY_REVERT: Mapping[str, type[Rejected]] = {
    "TaskBadSignature": BadSignature,
    "TaskAlreadySubmitted": Replayed,
    "TaskRevoked": Revoked,
    "TaskParamsUnknown": UnknownParams,
    "TaskBadOrder": BadOrder,
    "TaskDeadline": Expired,
    "WalletInsufficient": InsufficientFunds,
    "WalletBadSignature": BadSignature,
    "WalletDeadline": Expired,
    "InvalidAccountNonce": Replayed,
    "ChannelExists": Replayed,
    "ChannelStale": Replayed,
    "ChannelExpired": Expired,
    "ChannelOverdrawn": InsufficientFunds,
    "GovernorInvalidSignature": BadSignature,
    "GovernorAlreadyCastVote": Replayed,
    "VotesExpiredSignature": Expired,
    "RunnerBadProof": BadSignature,
    "RunnerBadConsent": BadSignature,
    "RunnerAlreadyActive": Replayed,
    "RunnerUnderstaked": InsufficientFunds,
    "RunnerDeadline": Expired,
    "FederatedBadSignature": BadSignature,
    "FederatedAlreadyCreated": Replayed,
    "FederatedParamsUnknown": UnknownParams,
    "FederatedBadOrder": BadOrder,
    "FederatedDeadline": Expired,
    "FederatedUnderfunded": InsufficientFunds,
    "MonitorAlreadyCommitted": Replayed,
    "MonitorTooLate": Expired,
    "MonitorNotYet": NotYetValid,
}


def rejection_of(revert: TransactionReverted) -> Rejected:
    """Return the reason that a contract's refusal comes to."""
    kind = _BY_REVERT.get(revert.name, SimulatedRevert)
    field = revert.arguments.get("field") if kind is BadOrder else None
    place = "intent" if revert.name.startswith("Federated") else "order"
    named = f"{place}.{field.rstrip(bytes(1)).decode(errors='replace')}" if isinstance(field, bytes) else None
    return kind(revert.message, hint=revert.hint, field=named, more={"error": revert.name})
