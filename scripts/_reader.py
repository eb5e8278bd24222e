"""One chain as its node shows it: what anybody can read without an account."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ape.api import ProviderAPI
from ape.contracts import ContractInstance
from ape.types import ContractType
from web3.types import RPCEndpoint

from protocol.abi import load_abi
from protocol.errors import RpcUnavailable, WrongChain
from protocol.networks import LOCAL_CHAIN_IDS
from protocol.reverts import explain

PENDING_BLOCK = "pending"
"""Time passes on a chain without blocks too: what a transaction would meet now, not what the last one met."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """`provider` is connected for as long as the command runs."""

    provider: ProviderAPI

    @property
    def chain_id(self) -> int:
        """The id that the node itself gives; `WrongChain` when ape was told to take it for another."""
        actual, assumed = int(self.rpc("eth_chainId", []), 16), int(self.provider.chain_id)
        if actual != assumed:
            raise WrongChain(
                f"the node serves chain {actual}, and --network says {assumed}",
                hint="Use the node's URL alone, such as --network http://127.0.0.1:8545.",
            )
        return actual

    @property
    def local(self) -> bool:
        return self.chain_id in LOCAL_CHAIN_IDS

    def rpc(self, method: str, parameters: Sequence[Any]) -> Any:
        return self.provider.make_request(method, list(parameters))

    def genesis_hash(self) -> str:
        return str(self.rpc("eth_getBlockByNumber", ["0x0", False])["hash"])

    def code_at(self, address: str) -> bytes:
        return bytes(self.provider.get_code(address))

    def contract(self, name: str, address: str) -> ContractInstance:
        """Return a contract whose ABI we know, without asking any explorer or cache for it."""
        kind = ContractType.model_validate({"contractName": name, "abi": load_abi(name)})
        return ContractInstance(address, kind)

    def simulate(self, contract: str, data: bytes, *, sender: str) -> bytes:
        """Return what a call would return if it were sent now; `TransactionReverted` says why it would be refused."""
        call = {"from": sender, "to": contract, "data": "0x" + data.hex()}
        # ape's own way keeps only the message of an error, and not the data that says which it is.
        answer = self.provider.web3.provider.make_request(RPCEndpoint("eth_call"), [call, PENDING_BLOCK])
        if error := answer.get("error"):
            if isinstance(error, dict) and isinstance(error.get("data"), str):
                raise explain(error["data"]).as_error()
            raise RpcUnavailable(
                f"the node could not try the call: {error}", hint="Try again, or another node."
            )
        return bytes.fromhex(answer["result"].removeprefix("0x"))
