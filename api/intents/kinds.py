"""The table of intents by kind, except orders, which have two signers and their own route."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from api.fields import Parameters
from api.intents import actions, channels, deposits, governance, registrations, sessions
from api.intents.signed import SignedIntent
from protocol.chain import Chain


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of intent: what is asked to have it filled in, and what is sent when it is signed."""

    name: str
    about: str
    asked: type[Parameters]
    signed: type[SignedIntent]
    prepare: Callable[[Chain, Any], Awaitable[SignedIntent]]


KINDS: tuple[Kind, ...] = (
    Kind(
        name="deposit",
        about="USDFC into the StakeWallet, by EIP-3009 authorization",
        asked=deposits.AskedDeposit,
        signed=deposits.SignedDeposit,
        prepare=deposits.prepare,
    ),
    Kind(
        name="registration",
        about="a runner, by its owner and its node key; with the stake, if an action goes along",
        asked=registrations.AskedRegistration,
        signed=registrations.SignedRegistration,
        prepare=registrations.prepare,
    ),
    Kind(
        name="action",
        about="any call of the StakeWallet: withdraw, bond, unbond, transfer, channels",
        asked=actions.AskedAction,
        signed=actions.SignedAction,
        prepare=actions.prepare,
    ),
    Kind(
        name="channel",
        about="a payment channel to one runner",
        asked=channels.AskedChannel,
        signed=channels.SignedChannel,
        prepare=channels.prepare_channel,
    ),
    Kind(
        name="voucher",
        about="payment out of a channel",
        asked=channels.AskedVoucher,
        signed=channels.SignedVoucher,
        prepare=channels.prepare_voucher,
    ),
    Kind(
        name="ballot",
        about="a vote on a proposal",
        asked=governance.AskedBallot,
        signed=governance.SignedBallot,
        prepare=governance.prepare_ballot,
    ),
    Kind(
        name="delegation",
        about="one's votes given to another",
        asked=governance.AskedDelegation,
        signed=governance.SignedDelegation,
        prepare=governance.prepare_delegation,
    ),
    Kind(
        name="session",
        about="a federated learning session, paid from the payer's free balance",
        asked=sessions.AskedSession,
        signed=sessions.SignedSession,
        prepare=sessions.prepare,
    ),
)
BY_NAME = {kind.name: kind for kind in KINDS}
