"""Registration of a runner by signature: its owner and its node key sign, and anyone may send it."""

from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from api.fields import AddressIn, Body, HashIn, HeightIn, HexIn, Parameters, bytes_of
from api.intents.actions import GOOD_FOR_BLOCKS, SignedAction
from api.intents.signatures import check_signature, is_contract
from api.intents.signed import SignedIntent
from api.rejections import Expired, Replayed
from protocol.chain import Chain
from protocol.deployment import Deployment
from protocol.enums import RunnerStatus
from protocol.typed_data import Registration, TypedData, registration_typed_data, reputation_domain

if TYPE_CHECKING:
    from web3.contract.async_contract import AsyncContractFunction


class RegistrationIntent(Body):
    """A node key that becomes a runner of its owner."""

    owner: AddressIn = Field(description="who stakes and is paid")
    node: AddressIn = Field(description="the node key: the runner's id")
    label: HashIn = Field(description="the owner's name for the device, UTF-8, padded on the right")
    profile: HashIn = Field(description="SHA-256 digest of the profile document on IPFS")
    deadline: HeightIn = Field(description="last block in which it counts")


class SignedRegistration(SignedIntent):
    """A registration with its owner's signature (`signature`) and its node key's; both sign the same."""

    kind: ClassVar[str] = "registration"
    contract_field: ClassVar[str] = "runner_reputation"
    intent: RegistrationIntent
    node_signature: HexIn = Field("0x", description="the node key's signature of the same typed data")
    action: SignedAction | None = Field(
        None, description="what the owner has the StakeWallet do before, such as deposit and bond"
    )

    @property
    def account(self) -> str:
        """Return the owner."""
        return self.intent.owner

    @property
    def registration(self) -> Registration:
        """Return the protocol's own form."""
        intent = self.intent
        return Registration(
            owner=intent.owner,
            node=intent.node,
            label=bytes_of(intent.label),
            profile=bytes_of(intent.profile),
            deadline=intent.deadline,
        )

    def document(self, deployment: Deployment) -> TypedData:
        """Build the typed data that both sign."""
        domain = reputation_domain(deployment.chain_id, deployment.runner_reputation)
        return registration_typed_data(self.registration, domain)

    async def check_state(self, chain: Chain) -> None:
        """Compare with the registry, and demand the node key's signature."""
        intent = self.intent
        functions: Any = chain.reputation.functions
        known = await chain.call(functions.runnerOf(intent.node))
        if RunnerStatus(known[3]) is not RunnerStatus.NONE:
            raise Replayed(
                f"{intent.node} was registered already",
                field="intent.node",
                hint="Use another node key; a retired one comes back by its owner's own transaction.",
            )
        head = await chain.block_number()
        if intent.deadline <= head:
            raise Expired(
                f"the registration counted up to block {intent.deadline}; the chain is at {head}",
                field="intent.deadline",
                hint="Sign again with a later deadline.",
            )
        check_signature(
            bytes_of(self.node_signature),
            self.document(chain.deployment),
            signer=intent.node,
            field="nodeSignature",
            what=self.kind,
            by_contract=await is_contract(chain, intent.node),
        )

    def call(self, chain: Chain) -> "AsyncContractFunction":
        """Return the contract call."""
        wanted = self.registration
        members = (wanted.owner, wanted.node, wanted.label, wanted.profile, wanted.deadline)
        signatures = (bytes_of(self.node_signature), self.signature_bytes)
        functions: Any = chain.reputation.functions
        call: AsyncContractFunction = (
            functions.registerWith(
                self.action.action.as_tuple(), self.action.signature_bytes, members, *signatures
            )
            if self.action
            else functions.registerFor(members, *signatures)
        )
        return call


class AskedRegistration(Parameters):
    """Which node key for whom."""

    owner: AddressIn
    node: AddressIn
    name: str = Field(min_length=1, max_length=32, description="the device's name, at most 32 bytes of UTF-8")
    profile: HashIn
    deadline: HeightIn | None = Field(
        None, description="last block in which it counts; 240 from now if left out"
    )


async def prepare(chain: Chain, asked: AskedRegistration) -> SignedRegistration:
    """Fill in the deadline, and write the name as the contract has it."""
    label = asked.name.encode()[:32].ljust(32, b"\0")
    return SignedRegistration.unsigned(
        owner=asked.owner,
        node=asked.node,
        label="0x" + label.hex(),
        profile=asked.profile,
        deadline=asked.deadline or await chain.block_number() + GOOD_FOR_BLOCKS,
    )
