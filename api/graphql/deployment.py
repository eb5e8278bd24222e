"""The contracts of this network, and what a wallet must know of its chain."""

from urllib.parse import urlsplit

import strawberry

from api.graphql.operation import Info
from api.graphql.scalars import Address, UInt, read_address
from api.services import Services
from protocol.networks import network_of

_PUBLIC_RPC = {314159: "https://api.calibration.node.glif.io/rpc/v1"}
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_NOT_CONTRACTS = frozenset({"treasury"})


@strawberry.type(description="One contract of the deployment.")
class DeployedContract:
    name: str = strawberry.field(description="As in the deployment's file, such as task_escrow.")
    address: Address


@strawberry.type(description="Where the contracts are, and what a wallet must know of the chain.")
class Deployment:
    chain_id: UInt
    chain_name: str
    native_symbol: str = strawberry.field(description="Of the coin that network fees are paid in.")
    block_time_ms: UInt = strawberry.field(description="Milliseconds between blocks, about.")
    local: bool = strawberry.field(description="Whether money and keys are for tests.")
    public_rpc: str | None = strawberry.field(
        description="A node that anybody may use, for wallets that do not know the chain; null if none is known."
    )
    explorer: str | None
    relayer: Address | None = strawberry.field(
        description="Account that sends signed intents with its own gas; null if this server has none."
    )
    contracts: list[DeployedContract]


@strawberry.type
class DeploymentQuery:
    @strawberry.field(description="The network's contracts and its chain.")
    def deployment(self, info: Info) -> Deployment:
        return _deployment(info.context.services)


def _deployment(services: Services) -> Deployment:
    deployment = services.link.deployment
    network = network_of(deployment.chain_id)
    relayer = services.relay.address
    return Deployment(
        chain_id=UInt(deployment.chain_id),
        chain_name=f"Parity {network.name}" if deployment.local else network.name,
        native_symbol=network.native_symbol,
        block_time_ms=UInt(int(network.block_time_s * 1000)),
        local=deployment.local,
        public_rpc=_public_rpc(services, deployment.chain_id),
        explorer=network.explorer_url,
        relayer=Address(read_address(relayer)) if relayer else None,
        contracts=[
            DeployedContract(name=name, address=Address(read_address(value)))
            for name, value in deployment.model_dump().items()
            if isinstance(value, str) and len(value) == 42 and name not in _NOT_CONTRACTS
        ],
    )


def _public_rpc(services: Services, chain_id: int) -> str | None:
    """Name a node that may be told to browsers: this server's own may hold a key in its address."""
    own = str(services.settings.filecoin_rpc)
    if urlsplit(own).hostname in _LOOPBACK:
        return own
    return _PUBLIC_RPC.get(chain_id)
