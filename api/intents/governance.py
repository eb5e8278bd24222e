"""Votes and delegations by signature. A proposal has no such way: its proposer sends it (see `sendRawTransaction`)."""

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from api.fields import AddressIn, Body, Parameters, Uint64, Uint256
from api.intents.signed import SignedIntent, contract_at, time_now
from api.rejections import BadIntent, BadSignature, Expired, Replayed
from protocol.chain import Chain
from protocol.deployment import Deployment
from protocol.enums import VoteSupport
from protocol.typed_data import Domain, TypedData, document_of

if TYPE_CHECKING:
    from web3.contract.async_contract import AsyncContractFunction

DELEGATION_GOOD_FOR_S = 3600

_BALLOT = [("proposalId", "uint256"), ("support", "uint8"), ("voter", "address"), ("nonce", "uint256")]
_REASONED = [*_BALLOT, ("reason", "string"), ("params", "bytes")]
_DELEGATION = [("delegatee", "address"), ("nonce", "uint256"), ("expiry", "uint256")]

Support = Literal["against", "for", "abstain"]


class BallotIntent(Body):
    """A vote on a proposal."""

    proposal_id: Uint256
    support: Support
    voter: AddressIn
    nonce: Uint256 = Field(description="what the governor's `nonces(voter)` says")
    reason: str | None = Field(
        None, max_length=1000, description="shown with the vote, and stored on chain forever"
    )


class SignedBallot(SignedIntent):
    """A vote and its voter's signature."""

    kind: ClassVar[str] = "ballot"
    contract_field: ClassVar[str] = "governor"
    intent: BallotIntent

    @property
    def account(self) -> str:
        """Return who votes."""
        return self.intent.voter

    @property
    def _support(self) -> int:
        return int(VoteSupport[self.intent.support.upper()])

    def document(self, deployment: Deployment) -> TypedData:
        """Build the typed data that was signed; a reason makes it an ExtendedBallot."""
        intent = self.intent
        domain = Domain("Parity Governor", "1", deployment.chain_id, deployment.governor)
        message: dict[str, Any] = {
            "proposalId": intent.proposal_id,
            "support": self._support,
            "voter": intent.voter,
            "nonce": intent.nonce,
        }
        if not intent.reason:
            return document_of("Ballot", _members(_BALLOT), message=message, domain=domain)
        message |= {"reason": intent.reason, "params": b""}
        return document_of("ExtendedBallot", _members(_REASONED), message=message, domain=domain)

    async def check_state(self, chain: Chain) -> None:
        """Compare nonce and earlier votes with the governor."""
        intent = self.intent
        governor: Any = _governor(chain).functions
        if await chain.call(governor.hasVoted(intent.proposal_id, intent.voter)):
            raise Replayed(
                f"{intent.voter} has voted on this proposal already",
                field="intent.proposalId",
                hint="A vote cannot be changed.",
            )
        _check_nonce(intent.nonce, await chain.call(governor.nonces(intent.voter)), kind="ballot")

    def call(self, chain: Chain) -> "AsyncContractFunction":
        """Return the contract call."""
        intent = self.intent
        functions: Any = _governor(chain).functions
        plain = (intent.proposal_id, self._support, intent.voter)
        call: AsyncContractFunction = (
            functions.castVoteWithReasonAndParamsBySig(*plain, intent.reason, b"", self.signature_bytes)
            if intent.reason
            else functions.castVoteBySig(*plain, self.signature_bytes)
        )
        return call


class AskedBallot(Parameters):
    """Whose vote on what."""

    proposal_id: Uint256
    support: Support
    voter: AddressIn
    reason: str | None = Field(None, max_length=1000)


async def prepare_ballot(chain: Chain, asked: AskedBallot) -> SignedBallot:
    """Fill in the nonce."""
    nonces: Any = _governor(chain).functions.nonces
    nonce = await chain.call(nonces(asked.voter))
    return SignedBallot.unsigned(
        proposalId=asked.proposal_id,
        support=asked.support,
        voter=asked.voter,
        nonce=nonce,
        reason=asked.reason,
    )


class DelegationIntent(Body):
    """Votes of `delegator`'s tokens, given to `delegatee`."""

    delegator: AddressIn
    delegatee: AddressIn
    nonce: Uint256 = Field(description="what the token's `nonces(delegator)` says")
    expiry: Uint64 = Field(description="Unix seconds")


class SignedDelegation(SignedIntent):
    """A delegation and its delegator's signature, by a key: the token asks no wallet contract."""

    kind: ClassVar[str] = "delegation"
    contract_field: ClassVar[str] = "parity_token"
    intent: DelegationIntent

    @property
    def account(self) -> str:
        """Return who delegates."""
        return self.intent.delegator

    def document(self, deployment: Deployment) -> TypedData:
        """Build the typed data that was signed."""
        intent = self.intent
        domain = Domain("Parity", "1", deployment.chain_id, deployment.parity_token)
        message = {"delegatee": intent.delegatee, "nonce": intent.nonce, "expiry": intent.expiry}
        return document_of("Delegation", _members(_DELEGATION), message=message, domain=domain)

    async def check_state(self, chain: Chain) -> None:
        """Compare nonce and expiry with the chain."""
        block = await chain.w3.eth.get_block("latest")
        if self.intent.expiry < block["timestamp"]:
            raise Expired(
                f"the delegation counted until {self.intent.expiry}; the chain's time is {block['timestamp']}",
                field="intent.expiry",
                hint="Sign it again with a later expiry (Unix seconds).",
            )
        nonces: Any = _token(chain).functions.nonces
        _check_nonce(self.intent.nonce, await chain.call(nonces(self.intent.delegator)), kind="delegation")

    def call(self, chain: Chain) -> "AsyncContractFunction":
        """Return the contract call."""
        intent, signature = self.intent, self.signature_bytes
        if len(signature) != 65:
            raise BadSignature(
                "signature: the token takes 65 bytes r, s, v",
                field="signature",
                hint="Sign with a key; the token asks no wallet contract.",
            )
        functions: Any = _token(chain).functions
        call: AsyncContractFunction = functions.delegateBySig(
            intent.delegatee, intent.nonce, intent.expiry, signature[64], signature[:32], signature[32:64]
        )
        return call


class AskedDelegation(Parameters):
    """Whose votes to whom."""

    delegator: AddressIn
    delegatee: AddressIn
    expiry: Uint64 | None = Field(None, description="Unix seconds; an hour from now if left out")


async def prepare_delegation(chain: Chain, asked: AskedDelegation) -> SignedDelegation:
    """Fill in nonce and expiry."""
    nonces: Any = _token(chain).functions.nonces
    return SignedDelegation.unsigned(
        delegator=asked.delegator,
        delegatee=asked.delegatee,
        nonce=await chain.call(nonces(asked.delegator)),
        expiry=asked.expiry or await time_now(chain) + DELEGATION_GOOD_FOR_S,
    )


def _members(fields: list[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"name": name, "type": kind} for name, kind in fields]


def _check_nonce(given: int, current: int, *, kind: str) -> None:
    if given < current:
        raise Replayed(
            f"nonce {given} is used; the next is {current}",
            field="intent.nonce",
            hint=f"Take a new intent from GET /api/v1/intents/{kind} and sign it.",
        )
    if given > current:
        raise BadIntent(
            f"nonce {given} is not due; the next is {current}",
            field="intent.nonce",
            hint=f"Take a new intent from GET /api/v1/intents/{kind} and sign it.",
        )


def _governor(chain: Chain) -> Any:
    return contract_at(chain, chain.deployment.governor, "ParityGovernor")


def _token(chain: Chain) -> Any:
    return contract_at(chain, chain.deployment.parity_token, "ParityToken")
