"""Transactions by the hundred: signed here, sent in batches, mined when told, counted with what they cost."""

import time
from typing import Any, Final

import aiohttp
from eth_account.signers.local import LocalAccount

from devnet.anvil import Anvil

_BATCH: Final = 200
_GAS: Final = 400_000
_FEE: Final = 10**11
_RICH: Final = 10**24
CHAIN_ID: Final = 31337


class Pool:
    """Of one anvil that mines nothing by itself. `failed` counts mined transactions that reverted; `gas` is of all together.

    `mined_at` is the moment of the last block, by `time.perf_counter`.
    """

    def __init__(self, anvil: Anvil, session: aiohttp.ClientSession) -> None:
        self._anvil, self._session = anvil, session
        self._nonces: dict[str, int] = {}
        self._fresh: list[tuple[LocalAccount, Any]] = []
        self.failed = self.gas = self.sent = 0
        self.mined_at = 0.0

    def add(self, account: LocalAccount, call: Any) -> None:
        """Keep a call for the next block; it is signed when that is mined."""
        self._fresh.append((account, call))

    async def mine(self, blocks: int = 1) -> None:
        """Send what was added, and mine."""
        await self._send()
        await self._anvil.mine(blocks)
        self.mined_at = time.perf_counter()
        await self._count(blocks)

    async def mine_all(self) -> None:
        """Send what was added, and mine until nothing is left over."""
        await self._send()
        while int((await self._anvil.rpc("txpool_status"))["pending"], 16):
            await self._anvil.mine()
            await self._count(1)
        if self.failed:
            raise RuntimeError(f"{self.failed} of the transactions that prepare the run were refused")

    async def _send(self) -> None:
        await self._introduce()
        raw = [self.signed(account, call) for account, call in self._fresh]
        self._fresh.clear()
        await self.broadcast(raw)

    async def broadcast(self, raw: list[str]) -> None:
        """Send transactions that are signed already."""
        for at in range(0, len(raw), _BATCH):
            await self._calls([("eth_sendRawTransaction", [one]) for one in raw[at : at + _BATCH]])
        self.sent += len(raw)

    async def _introduce(self) -> None:
        new = {account.address for account, _ in self._fresh} - self._nonces.keys()
        names = sorted(new)
        await self._calls([("anvil_setBalance", [name, hex(_RICH)]) for name in names])
        counts = await self._calls([("eth_getTransactionCount", [name, "latest"]) for name in names])
        self._nonces |= {name: int(count, 16) for name, count in zip(names, counts, strict=True)}

    def signed(self, account: LocalAccount, call: Any) -> str:
        """Sign the next transaction of an account that has sent one through this pool before."""
        data = call._encode_transaction_data()  # noqa: SLF001 (web3 has no public way to it without asking the node)
        return self.signed_data(account, to=call.address, data=data)

    def signed_data(self, account: LocalAccount, *, to: Any, data: Any) -> str:
        """Sign it from a call's data, for who knows better than to have each encoded anew."""
        nonce = self._nonces[account.address]
        self._nonces[account.address] = nonce + 1
        signed = account.sign_transaction(
            {
                "to": to,
                "data": data,
                "value": 0,
                "nonce": nonce,
                "gas": _GAS,
                "maxFeePerGas": _FEE,
                "maxPriorityFeePerGas": 1,
                "chainId": CHAIN_ID,
            }
        )
        return "0x" + bytes(signed.raw_transaction).hex()

    async def _count(self, blocks: int) -> None:
        head = await self._anvil.block_number()
        for number in range(head - blocks + 1, head + 1):
            for receipt in await self._anvil.rpc("eth_getBlockReceipts", hex(number)):
                self.gas += int(receipt["gasUsed"], 16)
                self.failed += receipt["status"] != "0x1"

    async def _calls(self, calls: list[tuple[str, list[Any]]]) -> list[Any]:
        if not calls:
            return []
        batch = [
            {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
            for number, (method, params) in enumerate(calls)
        ]
        async with self._session.post(self._anvil.url, json=batch) as response:
            answers = sorted(await response.json(), key=lambda answer: int(answer["id"]))
        if refused := [answer["error"] for answer in answers if "error" in answer]:
            raise RuntimeError(f"{len(refused)} calls refused, the first: {refused[0]}")
        return [answer["result"] for answer in answers]
