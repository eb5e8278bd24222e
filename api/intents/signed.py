"""What all kinds of intent share: a signed message, and one contract call that carries out what its signer asked for."""

import time
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

from pydantic import Field

from api.fields import AddressIn, Body, HexIn, as_json, bytes_of
from api.intents.signatures import SignedDomain, check_domain, check_signature, is_contract
from protocol.abi import load_abi
from protocol.chain import Chain
from protocol.deployment import Deployment
from protocol.typed_data import TypedData, digest

if TYPE_CHECKING:
    from web3.contract import AsyncContract
    from web3.contract.async_contract import AsyncContractFunction


class Intent(Protocol):
    """What the relay sends: anything of this shape."""

    @property
    def kind(self) -> str:
        """Return its name, for people and metrics."""

    @property
    def account(self) -> str:
        """Return whose share of the relayer's gas it uses."""

    def identity(self, deployment: Deployment) -> bytes:
        """Return the 32 bytes that tell it from every other; the same again is the same deed."""

    async def check(self, chain: Chain) -> None:
        """Raise the first reason against it that can be told before a simulation, as a `Rejected`."""

    def call(self, chain: Chain) -> "AsyncContractFunction":
        """Return the contract call that does it, whoever sends it."""


class DomainBody(Body):
    """The EIP-712 domain that was signed for; given, it is compared with this server's own."""

    chain_id: int = Field(ge=1)
    verifying_contract: AddressIn

    def read(self) -> SignedDomain:
        """Return the domain."""
        return SignedDomain(self.chain_id, self.verifying_contract)


class SignedIntent(Body):
    """A message and its signature. Subclasses add the message, as `intent`."""

    kind: ClassVar[str]
    contract_field: ClassVar[str]
    """Field of the deployment with the contract that the signature is for."""

    signature: HexIn = Field(description="EIP-712 signature; of a wallet contract, what ERC-1271 wants")
    domain: DomainBody | None = None

    @property
    def account(self) -> str:
        """Return the signer, whose share of the relayer's gas it uses."""
        raise NotImplementedError

    def document(self, deployment: Deployment) -> TypedData:
        """Build the typed data that was signed."""
        raise NotImplementedError

    def call(self, chain: Chain) -> "AsyncContractFunction":
        """Return the contract call."""
        raise NotImplementedError

    async def check_state(self, chain: Chain) -> None:
        """Compare with the chain: used already, too late, too little."""

    def identity(self, deployment: Deployment) -> bytes:
        """Return the digest that was signed."""
        return digest(self.document(deployment))

    async def check(self, chain: Chain) -> None:
        """Check domain, state and signature; what is left only the contract can know."""
        deployment = chain.deployment
        contract = getattr(deployment, self.contract_field)
        domain = self.domain.read() if self.domain else None
        check_domain(domain, deployment, contract=contract, what=self.kind)
        await self.check_state(chain)
        check_signature(
            self.signature_bytes,
            self.document(deployment),
            signer=self.account,
            field="signature",
            what=self.kind,
            by_contract=await is_contract(chain, self.account),
        )

    @property
    def signature_bytes(self) -> bytes:
        """Return the signature."""
        return bytes_of(self.signature)

    def to_sign(self, deployment: Deployment) -> dict[str, Any]:
        """Return what a wallet needs: the intent to send back, and the typed data to sign."""
        document = self.document(deployment)
        intent = self.model_dump(by_alias=True)["intent"]
        return {
            "id": "0x" + self.identity(deployment).hex(),
            "intent": as_json(intent),
            "typed_data": {**document, "message": as_json(document["message"])},
        }

    @classmethod
    def unsigned(cls, **intent: object) -> Self:
        """Make one to be signed."""
        return cls.model_validate({"intent": intent, "signature": "0x"})


async def time_now(chain: Chain) -> int:
    """Return the Unix time that the next block may have: on a quiet chain, long after the newest one's."""
    block = await chain.w3.eth.get_block("latest")
    return max(block["timestamp"], int(time.time()))


def contract_at(chain: Chain, address: str, abi: str) -> "AsyncContract":
    """Return a contract that `Chain` has no name for."""
    return chain.w3.eth.contract(address=chain.w3.to_checksum_address(address), abi=load_abi(abi))
