"""A browser wallet for tests: an EIP-1193 provider in the page whose key is here, and never in the page."""

import json
from dataclasses import dataclass, field
from typing import Any

import httpx
from eth_account.messages import encode_typed_data
from eth_account.signers.local import LocalAccount
from playwright.async_api import Page

_PROVIDER = """
(() => {
  const listeners = {};
  const provider = {
    request: async ({ method, params }) => {
      const answer = await window.askTestWallet(method, JSON.stringify(params ?? []));
      if (answer.error) throw Object.assign(new Error(answer.error.message), answer.error);
      if (method.startsWith("wallet_")) (listeners.chainChanged ?? []).forEach((tell) => tell(answer.chainId));
      return answer.result;
    },
    on: (event, tell) => (listeners[event] ??= []).push(tell),
    removeListener: () => undefined,
  };
  const detail = Object.freeze({ info: { uuid: "1", name: "Test wallet", icon: "", rdns: "org.example.test" }, provider });
  const announce = () => window.dispatchEvent(new CustomEvent("eip6963:announceProvider", { detail }));
  window.addEventListener("eip6963:requestProvider", announce);
  window.ethereum = provider;
})();
"""
DECLINED = {"code": 4001, "message": "User rejected the request."}
UNKNOWN_CHAIN = {"code": 4902, "message": "Unrecognized chain."}


@dataclass
class KeyWallet:
    """Signs with `account` and passes the rest on to the node. `declines` names methods that its owner refuses."""

    account: LocalAccount
    node: str
    chain_id: int
    known_chains: set[int] = field(default_factory=lambda: {1, 31337})
    declines: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    signed: list[dict[str, Any]] = field(default_factory=list)

    async def install(self, page: Page) -> None:
        """Put the provider into every document that the page opens from now on."""
        await page.expose_function("askTestWallet", self._answer)
        await page.add_init_script(_PROVIDER)

    async def _answer(self, method: str, text: str) -> dict[str, Any]:
        self.asked.append(method)
        if method in self.declines:
            return {"error": DECLINED}
        parameters = json.loads(text)
        own = {
            "eth_accounts": [self.account.address],
            "eth_requestAccounts": [self.account.address],
            "eth_chainId": hex(self.chain_id),
        }
        if method in own:
            return {"result": own[method]}
        if method in ("wallet_switchEthereumChain", "wallet_addEthereumChain"):
            return self._change_chain(method, int(parameters[0]["chainId"], 16))
        if method == "eth_signTypedData_v4":
            return {"result": self._sign(json.loads(parameters[1]))}
        if method == "eth_sendTransaction":
            return await self._send(parameters[0])
        return await self._node(method, parameters)

    def _change_chain(self, method: str, wanted: int) -> dict[str, Any]:
        if method == "wallet_addEthereumChain":
            self.known_chains.add(wanted)
        if wanted not in self.known_chains:
            return {"error": UNKNOWN_CHAIN}
        self.chain_id = wanted
        return {"result": None, "chainId": hex(wanted)}

    def _sign(self, document: dict[str, Any]) -> str:
        self.signed.append(document)
        message = {
            name: int(value) if isinstance(value, str) and value.isdecimal() else value
            for name, value in document["message"].items()
        }
        signable = encode_typed_data(full_message={**document, "message": message})
        return "0x" + self.account.sign_message(signable).signature.hex()

    async def _send(self, asked: dict[str, Any]) -> dict[str, Any]:
        count = await self._node("eth_getTransactionCount", [self.account.address, "pending"])
        price = await self._node("eth_gasPrice", [])
        transaction = {
            "to": asked["to"],
            "data": asked["data"],
            "gas": int(asked["gas"], 16),
            "gasPrice": int(price["result"], 16) * 2,
            "nonce": int(count["result"], 16),
            "value": 0,
            "chainId": self.chain_id,
        }
        raw = self.account.sign_transaction(transaction).raw_transaction
        return await self._node("eth_sendRawTransaction", ["0x" + raw.hex()])

    async def _node(self, method: str, parameters: list[Any]) -> dict[str, Any]:
        async with httpx.AsyncClient() as client:
            body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}
            answer = await client.post(self.node, json=body, timeout=30)
        found = answer.json()
        return {"error": found["error"]} if "error" in found else {"result": found.get("result")}
