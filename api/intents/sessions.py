"""Federated learning sessions: ordered by their creator's signature, and by their payer's where that is another."""

import asyncio
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from api.fields import AddressIn, Body, HashIn, HeightIn, HexIn, Parameters, Uint96, bytes_of
from api.intents.signatures import check_signature, is_contract
from api.intents.signed import SignedIntent
from api.rejections import Expired, InsufficientFunds, Replayed, UnknownParams
from protocol.chain import Chain
from protocol.deployment import Deployment
from protocol.enums import PRIVATE_DATA, SECURE_AGGREGATION, SessionPhase
from protocol.money import format_usdfc
from protocol.session import (
    MAX_PARTICIPANTS,
    SessionOrder,
    federated_domain,
    least_budget,
    session_typed_data,
)
from protocol.typed_data import TypedData

if TYPE_CHECKING:
    from web3.contract.async_contract import AsyncContractFunction

_JOIN_SHARE = 2
"""A session may be joined for half of the longest time allowed, unless its creator says otherwise."""

_uint8 = Field(ge=0, le=2**8 - 1)
_uint16 = Field(ge=0, le=2**16 - 1)
_uint24 = Field(ge=0, le=2**24 - 1)


class SessionIntent(Body):
    """A session's order; its EIP-712 digest is the session's id. Amounts in USDFC base units."""

    creator: AddressIn
    payer: AddressIn
    budget: Uint96 = Field(description="most that it may cost")
    reward: Uint96 = Field(description="of each accepted contribution, fee included")
    aggregation_reward: Uint96 = Field(description="of all seats of one round's aggregation together")
    bond: Uint96 = Field(description="stake locked for each participant")
    aggregation_bond: Uint96 = Field(description="stake locked for each seat of an aggregation")
    rounds: int = _uint16
    min_participants: int = _uint8
    max_participants: int = _uint8
    threshold: int = _uint8
    replicas: int = _uint8
    quorum: int = _uint8
    flags: int = Field(ge=0, le=2**8 - 1, description="1 secure aggregation, 2 private data")
    params_id: int = _uint16
    task_params_id: int = _uint16
    join_by: HeightIn = Field(description="last block in which it may be joined")
    train_for: int = _uint24
    reveal_for: int = _uint24
    retention: int = Field(ge=0, le=2**32 - 1)
    config: HashIn = Field(description="SHA-256 digest of the configuration on IPFS")
    salt: HashIn


class SignedSession(SignedIntent):
    """A session's order with its creator's signature, and its payer's where that is another account."""

    kind: ClassVar[str] = "session"
    contract_field: ClassVar[str] = "federated_learning"
    intent: SessionIntent
    payer_signature: HexIn = Field("0x", description="another payer's signature of the same typed data")

    @property
    def account(self) -> str:
        """Return the creator."""
        return self.intent.creator

    @property
    def order(self) -> SessionOrder:
        """Return the protocol's own form; `InputError` names a field out of range."""
        fields = self.intent.model_dump()
        return SessionOrder(
            **{**fields, "config": bytes_of(self.intent.config), "salt": bytes_of(self.intent.salt)}
        )

    def document(self, deployment: Deployment) -> TypedData:
        """Build the typed data that both sign."""
        domain = federated_domain(deployment.chain_id, deployment.federated_learning)
        return session_typed_data(self.order, domain)

    async def check_state(self, chain: Chain) -> None:
        """Compare with the chain: created already, too late, unknown parameters, too little; and the payer's word."""
        intent = self.intent
        federated, charter, wallet = _functions(chain)
        head, known, latest, account = await asyncio.gather(
            chain.block_number(),
            chain.call(federated.sessionOf(self.identity(chain.deployment))),
            chain.call(charter.latestParamsId()),
            chain.call(wallet.accountOf(intent.payer)),
        )
        self._check_new(SessionPhase(known[0]), head=head, latest=latest)
        if account[0] < intent.budget:
            raise InsufficientFunds(
                f"{intent.payer} has {format_usdfc(account[0])} free USDFC in the StakeWallet; "
                f"the budget is {format_usdfc(intent.budget)}",
                field="intent.budget",
                hint="Deposit with `parity-client deposit`, or order fewer rounds or participants.",
            )
        if intent.payer != intent.creator:
            check_signature(
                bytes_of(self.payer_signature),
                self.document(chain.deployment),
                signer=intent.payer,
                field="payerSignature",
                what=self.kind,
                by_contract=await is_contract(chain, intent.payer),
            )

    def _check_new(self, phase: SessionPhase, *, head: int, latest: int) -> None:
        intent = self.intent
        if phase is not SessionPhase.NONE:
            raise Replayed(
                f"the session exists already, and is {phase.name.lower()}",
                hint="Read it by its id. To run the same again, sign an order with another salt.",
            )
        if not 1 <= intent.params_id <= latest:
            raise UnknownParams(
                f"there is no version {intent.params_id} of the session parameters; the newest is {latest}",
                field="intent.paramsId",
                hint="Take paramsId from GET /api/v1/intents/session and sign again.",
            )
        if intent.join_by <= head:
            raise Expired(
                f"the session could be joined up to block {intent.join_by}; the chain is at {head}",
                field="intent.joinBy",
                hint="Sign again with a later joinBy.",
            )

    def call(self, chain: Chain) -> "AsyncContractFunction":
        """Return the contract call."""
        federated, _, _ = _functions(chain)
        call: AsyncContractFunction = federated.createSessionFor(
            self.order.as_tuple(), self.signature_bytes, bytes_of(self.payer_signature)
        )
        return call


class AskedSession(Parameters):
    """Which session; what is left out is filled in."""

    creator: AddressIn
    payer: AddressIn | None = Field(None, description="the creator, if left out")
    config: HashIn = Field(description="SHA-256 digest of the configuration on IPFS")
    rounds: int = Field(ge=1, le=2**16 - 1)
    min_participants: int = Field(ge=1, le=MAX_PARTICIPANTS)
    max_participants: int | None = Field(
        None, ge=1, le=MAX_PARTICIPANTS, description="minParticipants, if left out"
    )
    reward: Uint96 = Field(description="of each accepted contribution, USDFC base units")
    bond: Uint96 = Field(description="stake locked for each participant, USDFC base units")
    aggregation_reward: Uint96 = Field(description="of a round's aggregation, USDFC base units")
    aggregation_bond: Uint96 = Field(description="stake locked for each seat of it, USDFC base units")
    budget: Uint96 | None = Field(None, description="the least that the session must have, if left out")
    threshold: int = Field(0, ge=0, le=MAX_PARTICIPANTS, description="of secure aggregation; else 0")
    replicas: int = Field(3, ge=1, le=255)
    quorum: int = Field(2, ge=1, le=255)
    secure: bool = Field(False, description="aggregate securely")
    private_data: bool = Field(False, description="participants bring data of their own")
    join_by: HeightIn | None = Field(None, description="block; half of the longest allowed, if left out")
    train_for: int | None = Field(None, ge=1, le=2**24 - 1, description="blocks; the most, if left out")
    reveal_for: int | None = Field(None, ge=1, le=2**24 - 1, description="blocks; the least, if left out")
    retention: int = Field(0, ge=0, le=2**32 - 1, description="blocks that results stay pinned")
    salt: HashIn | None = Field(None, description="random, if left out")


async def prepare(chain: Chain, asked: AskedSession) -> SignedSession:
    """Fill in parameter versions, windows, budget and salt."""
    _, charter, _ = _functions(chain)
    escrow: Any = chain.escrow.functions
    params_id, task_params_id, head = await asyncio.gather(
        chain.call(charter.latestParamsId()), chain.call(escrow.latestParamsId()), chain.block_number()
    )
    tip, min_window, max_window, max_join_for, *_ = await chain.call(charter.paramsOf(params_id))
    order = SessionOrder(
        creator=asked.creator,
        payer=asked.payer or asked.creator,
        budget=0,
        reward=asked.reward,
        aggregation_reward=asked.aggregation_reward,
        bond=asked.bond,
        aggregation_bond=asked.aggregation_bond,
        rounds=asked.rounds,
        min_participants=asked.min_participants,
        max_participants=asked.max_participants or asked.min_participants,
        threshold=asked.threshold,
        replicas=asked.replicas,
        quorum=asked.quorum,
        flags=SECURE_AGGREGATION * asked.secure | PRIVATE_DATA * asked.private_data,
        params_id=params_id,
        task_params_id=task_params_id,
        join_by=asked.join_by or head + max(max_join_for // _JOIN_SHARE, 1),
        train_for=asked.train_for or max_window,
        reveal_for=asked.reveal_for or min_window,
        retention=asked.retention,
        config=bytes_of(asked.config),
        salt=bytes_of(asked.salt) if asked.salt else secrets.token_bytes(32),
    )
    budget = asked.budget or least_budget(order, tip=tip)
    return SignedSession.unsigned(**replace(order, budget=budget).to_json())


def _functions(chain: Chain) -> tuple[Any, Any, Any]:
    """Return the functions of FederatedLearning, SessionCharter and StakeWallet."""
    return chain.federated.functions, chain.charter.functions, chain.wallet.functions
