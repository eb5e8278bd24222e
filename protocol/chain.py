"""A checked connection to a chain and its Parity contracts."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from protocol.abi import BEACON, TOKEN, load_abi
from protocol.deployment import Deployment
from protocol.errors import RpcUnavailable, WrongChain
from protocol.networks import Network, network_of

if TYPE_CHECKING:
    from web3 import AsyncWeb3
    from web3.contract import AsyncContract
    from web3.contract.async_contract import AsyncContractFunction


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """A chain, what is known of it, and the contracts of one deployment. Make it with `Chain.connect`."""

    w3: "AsyncWeb3[Any]"
    deployment: Deployment
    network: Network
    wallet: "AsyncContract"
    reputation: "AsyncContract"
    escrow: "AsyncContract"
    federated: "AsyncContract"
    charter: "AsyncContract"
    monitoring: "AsyncContract"
    court: "AsyncContract"
    token: "AsyncContract"
    beacon: "AsyncContract"

    @classmethod
    @asynccontextmanager
    async def connect(
        cls, rpc_url: str, deployment: Deployment, *, timeout_s: float | None = None
    ) -> AsyncIterator["Chain"]:
        """Connect and check that this is the deployment's chain, with code at each of its addresses.

        Raises `RpcUnavailable`, `WrongChain`. Every later call takes at most `timeout_s` seconds (by default the
        network's) or raises `RpcUnavailable`.
        """
        # Imported here because loading web3 costs a command that only prints its help 0.3 s.
        from web3 import AsyncWeb3  # noqa: PLC0415

        from protocol.rpc import RpcProvider, shown_url  # noqa: PLC0415

        network = network_of(deployment.chain_id)
        provider = RpcProvider(rpc_url, timeout_s=timeout_s or network.rpc_timeout_s)
        w3: AsyncWeb3[Any] = AsyncWeb3(provider)
        try:
            await _check_chain(w3, deployment, shown=shown_url(rpc_url))
            yield cls(
                w3=w3,
                deployment=deployment,
                network=network,
                wallet=_contract(w3, deployment.stake_wallet, "StakeWallet"),
                reputation=_contract(w3, deployment.runner_reputation, "RunnerReputation"),
                escrow=_contract(w3, deployment.task_escrow, "TaskEscrow"),
                federated=_contract(w3, deployment.federated_learning, "FederatedLearning"),
                charter=_contract(w3, deployment.session_charter, "SessionCharter"),
                monitoring=_contract(w3, deployment.peer_monitoring, "PeerMonitoring"),
                court=_contract(w3, deployment.audit_court, "AuditCourt"),
                token=_contract(w3, deployment.usdfc, TOKEN),
                beacon=_contract(w3, deployment.beacon, BEACON),
            )
        finally:
            await provider.disconnect()

    async def block_number(self) -> int:
        """Return the height of the newest block."""
        return int(await self.w3.eth.block_number)

    async def call(
        self, function: "AsyncContractFunction", *, sender: str | None = None, block: int | str = "latest"
    ) -> Any:
        """Read from a contract; `TransactionReverted` says in words why it refused. `RpcUnavailable`."""
        from web3.exceptions import BadFunctionCallOutput  # noqa: PLC0415 (loads web3, as the next do)

        from protocol.contract_call import read  # noqa: PLC0415 (loads web3)
        from protocol.reverts import decoded_reverts  # noqa: PLC0415 (loads web3)

        with decoded_reverts():
            try:
                return await read(self.w3, function, sender=sender, block=block)
            except BadFunctionCallOutput as error:
                raise RpcUnavailable(
                    f"the chain's node answered {function.fn_name} with what it does not give",
                    hint="Check that FILECOIN_RPC names a sound node of the deployment's chain.",
                ) from error


async def _check_chain(w3: "AsyncWeb3[Any]", deployment: Deployment, *, shown: str) -> None:
    actual = await w3.eth.chain_id
    if actual != deployment.chain_id:
        raise WrongChain(
            f"the node at {shown} serves chain {actual}, not {deployment.chain_id}",
            hint="Set FILECOIN_RPC and FILECOIN_CHAIN_ID to the same chain.",
        )
    for name in (
        "usdfc",
        "stake_wallet",
        "runner_reputation",
        "task_escrow",
        "session_charter",
        "federated_learning",
        "peer_monitoring",
        "audit_court",
        "beacon",
    ):
        address = getattr(deployment, name)
        if not await w3.eth.get_code(address):
            raise WrongChain(
                f"chain {actual} at {shown} has no contract at {address} ({name})",
                hint="The chain may have been started afresh: deploy again, or point DEPLOYMENTS_DIR at its deployment.",
            )


def _contract(w3: "AsyncWeb3[Any]", address: str, name: str) -> "AsyncContract":
    return w3.eth.contract(address=w3.to_checksum_address(address), abi=load_abi(name))
