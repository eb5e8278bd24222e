"""Learning sessions: the order that a creator signs, and every digest that FederatedLearning computes."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from eth_abi.abi import encode
from eth_account.signers.base import BaseAccount
from eth_utils.crypto import keccak

from protocol.address import parse_address
from protocol.documents import FederatedAggregate, FederatedAggregation, canonical
from protocol.enums import SECURE_AGGREGATION, SessionPhase
from protocol.errors import InputError
from protocol.money import is_whole_number
from protocol.typed_data import Domain, TypedData, digest, document_of, sign

TIPS_PER_ROUND = 4
MAX_PARTICIPANTS = 64

SESSION_FIELDS: tuple[tuple[str, str, str], ...] = (
    ("creator", "creator", "address"),
    ("payer", "payer", "address"),
    ("budget", "budget", "uint96"),
    ("reward", "reward", "uint96"),
    ("aggregation_reward", "aggregationReward", "uint96"),
    ("bond", "bond", "uint96"),
    ("aggregation_bond", "aggregationBond", "uint96"),
    ("rounds", "rounds", "uint16"),
    ("min_participants", "minParticipants", "uint8"),
    ("max_participants", "maxParticipants", "uint8"),
    ("threshold", "threshold", "uint8"),
    ("replicas", "replicas", "uint8"),
    ("quorum", "quorum", "uint8"),
    ("flags", "flags", "uint8"),
    ("params_id", "paramsId", "uint16"),
    ("task_params_id", "taskParamsId", "uint16"),
    ("join_by", "joinBy", "uint40"),
    ("train_for", "trainFor", "uint24"),
    ("reveal_for", "revealFor", "uint24"),
    ("retention", "retention", "uint32"),
    ("config", "config", "bytes32"),
    ("salt", "salt", "bytes32"),
)
"""Attribute, JSON and Solidity name, Solidity type; in ABI order."""

_AMOUNTS = {"budget", "reward", "aggregationReward", "bond", "aggregationBond"}
_SESSION_TYPE = [{"name": name, "type": kind} for _, name, kind in SESSION_FIELDS]


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionOrder:
    """One session, as `IFederatedLearning.SessionOrder`. Amounts are USDFC base units, heights and windows blocks.

    `reward` is of each accepted contribution, `aggregation_reward` of all seats of a round's aggregation together. Raises
    `InputError` naming a field out of its type's range.
    """

    creator: str
    payer: str
    budget: int
    reward: int
    aggregation_reward: int
    bond: int
    aggregation_bond: int
    rounds: int
    min_participants: int
    max_participants: int
    threshold: int = 0
    replicas: int
    quorum: int
    flags: int = 0
    params_id: int
    task_params_id: int
    join_by: int
    train_for: int
    reveal_for: int
    retention: int
    config: bytes
    salt: bytes

    def __post_init__(self) -> None:
        for attribute, name, kind in SESSION_FIELDS:
            object.__setattr__(self, attribute, _checked(getattr(self, attribute), name=name, kind=kind))

    @property
    def secure(self) -> bool:
        """Return whether aggregation is secure."""
        return bool(self.flags & SECURE_AGGREGATION)

    def as_tuple(self) -> tuple[object, ...]:
        """Return the fields in ABI order, as web3 takes a struct."""
        return tuple(getattr(self, field.name) for field in fields(self))

    def to_message(self) -> dict[str, Any]:
        """Return the fields by Solidity name, as EIP-712 takes a message."""
        return {name: getattr(self, attribute) for attribute, name, _ in SESSION_FIELDS}

    def to_json(self) -> dict[str, object]:
        """Return the fields as JSON takes them: amounts as decimal strings, bytes as 0x hex."""
        return {name: _to_json(value, name=name) for name, value in self.to_message().items()}

    @classmethod
    def from_json(cls, document: Mapping[str, object]) -> Self:
        """Read what `to_json` writes; `InputError` names the field that is missing, unknown or wrong."""
        names = {name for _, name, _ in SESSION_FIELDS}
        for name in sorted(document.keys() - names):
            raise InputError(f"session.{name}: unknown field", field=f"session.{name}", hint="Remove it.")
        for name in sorted(names - document.keys()):
            raise InputError(
                f"session.{name}: missing",
                field=f"session.{name}",
                hint="Include every field of the session.",
            )
        return cls(
            **{
                attribute: _from_json(document[name], name=name, kind=kind)
                for attribute, name, kind in SESSION_FIELDS
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """What a participant opens, as `IFederatedLearning.Contribution`; `update` is its document's SHA-256 digest."""

    update: bytes
    samples: int
    salt: bytes

    def as_tuple(self) -> tuple[bytes, int, bytes]:
        """Return the fields in ABI order, as web3 takes a struct."""
        return (self.update, self.samples, self.salt)


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregate:
    """What an aggregation came to, as `IFederatedLearning.Aggregate`; `accepted` and `caught` have bit i for slot i."""

    model: bytes
    manifest: bytes
    accepted: int
    caught: int = 0
    stop: bool = False

    def as_tuple(self) -> tuple[bytes, bytes, int, int, bool]:
        """Return the fields in ABI order, as web3 takes a struct."""
        return (self.model, self.manifest, self.accepted, self.caught, self.stop)


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One link of a round's transcript: `ContributionRevealed` (phase Revealing) or `Posted`, in the chain's order.

    `second` is the sample count as 32 bytes where the phase has one.
    """

    phase: SessionPhase
    slot: int
    node: str
    first: bytes
    second: bytes


def federated_domain(chain_id: int, address: str) -> Domain:
    """Return the domain of FederatedLearning at `address`."""
    return Domain("Parity FederatedLearning", "1", chain_id, address)


def session_typed_data(order: SessionOrder, domain: Domain) -> TypedData:
    """Build the document that a creator (and a payer) signs."""
    return document_of("Session", _SESSION_TYPE, message=order.to_message(), domain=domain)


def session_id(order: SessionOrder, domain: Domain) -> bytes:
    """Hash an order to its session's id: the EIP-712 digest, 32 bytes."""
    return digest(session_typed_data(order, domain))


def sign_session(order: SessionOrder, domain: Domain, account: BaseAccount) -> bytes:
    """Sign a session; 65 bytes r, s, v."""
    return sign(session_typed_data(order, domain), account)


def least_budget(order: SessionOrder, *, tip: int) -> int:
    """Return what the order must have as budget, base units, as `SessionCharter.costOf`."""
    one = order.max_participants * order.reward + order.aggregation_reward + TIPS_PER_ROUND * tip
    return order.rounds * one


def contribution_commitment(session: bytes, round_number: int, node: str, opened: Contribution) -> bytes:
    """Hash a contribution, bound to its session, round and node, as `FederatedLearning.commitmentOf`."""
    kinds = ("bytes32", "uint16", "address", "bytes32", "uint32", "bytes32")
    return keccak(encode(kinds, (session, round_number, node, *opened.as_tuple())))


def first_link(session: bytes, *, round_number: int, attempt: int, base: bytes) -> bytes:
    """Return the transcript with which `RoundStarted` begins."""
    kinds = ("bytes32", "uint16", "uint8", "bytes32")
    return keccak(encode(kinds, (session, round_number, attempt, base)))


def next_link(link: bytes, post: Post) -> bytes:
    """Add one published thing to a transcript."""
    kinds = ("bytes32", "uint8", "uint8", "address", "bytes32", "bytes32")
    return keccak(encode(kinds, (link, int(post.phase), post.slot, post.node, post.first, post.second)))


def aggregation_document(
    domain: Domain, session: bytes, *, round_number: int, base: bytes, config: bytes, transcript: bytes
) -> FederatedAggregation:
    """Write the document whose digest is the spec of a round's aggregation task."""
    return FederatedAggregation(
        base=_hex(base),
        chain_id=domain.chain_id,
        config=_hex(config),
        contract=domain.verifying_contract.lower(),
        round=round_number,
        session=_hex(session),
        transcript=_hex(transcript),
    )


def aggregate_document(session: bytes, round_number: int, aggregate: Aggregate) -> FederatedAggregate:
    """Write the document whose digest an aggregating seat commits to and reveals."""
    return FederatedAggregate(
        accepted=f"0x{aggregate.accepted:016x}",
        caught=f"0x{aggregate.caught:016x}",
        manifest=_hex(aggregate.manifest),
        model=_hex(aggregate.model),
        round=round_number,
        session=_hex(session),
        stop=aggregate.stop,
    )


def aggregate_of(document: FederatedAggregate) -> Aggregate:
    """Read an aggregate back from its document, for `FederatedLearning.settleRound`."""
    return Aggregate(
        model=bytes.fromhex(document.model[2:]),
        manifest=bytes.fromhex(document.manifest[2:]),
        accepted=int(document.accepted, 16),
        caught=int(document.caught, 16),
        stop=document.stop,
    )


def document_digest(document: FederatedAggregation | FederatedAggregate) -> bytes:
    """Return the SHA-256 digest of a document's canonical bytes."""
    return hashlib.sha256(canonical(document)).digest()


def _hex(word: bytes) -> str:
    return "0x" + word.hex()


def _checked(value: Any, *, name: str, kind: str) -> Any:
    if kind == "address":
        return parse_address(value, field=f"session.{name}")
    if kind == "bytes32":
        if not isinstance(value, bytes) or len(value) != 32:
            raise _wrong(name, expected="32 bytes (0x and 64 hex digits)")
        return bytes(value)
    limit = 2 ** int(kind.removeprefix("uint"))
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < limit:
        raise _wrong(name, expected=f"a whole number from 0 to {limit - 1}")
    return value


def _to_json(value: object, *, name: str) -> object:
    if isinstance(value, bytes):
        return _hex(value)
    return str(value) if name in _AMOUNTS else value


def _from_json(value: object, *, name: str, kind: str) -> Any:
    if name in _AMOUNTS:
        if not isinstance(value, str) or not is_whole_number(value):
            raise _wrong(name, expected="a decimal string of base units")
        return int(value)
    if kind == "bytes32":
        if not isinstance(value, str) or not value.startswith("0x"):
            raise _wrong(name, expected="32 bytes (0x and 64 hex digits)")
        try:
            return bytes.fromhex(value[2:])
        except ValueError:
            raise _wrong(name, expected="32 bytes (0x and 64 hex digits)") from None
    return value


def _wrong(name: str, *, expected: str) -> InputError:
    return InputError(
        f"session.{name}: expected {expected}", field=f"session.{name}", hint=f"Use {expected}."
    )
