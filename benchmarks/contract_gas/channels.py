"""Channels of many payers to one owner, and their vouchers one by one and in batches."""

from dataclasses import dataclass
from typing import Any

from eth_account.signers.local import LocalAccount

from benchmarks.contract_gas.network import RESULT, USDFC, account, members
from benchmarks.contract_gas.world import World

CALLS = (
    "open",
    "open (relayed)",
    "top up",
    "redeem 1, first",
    "redeem 1",
    "redeem 64",
    "request close",
    "close",
)
CHANNEL = (
    "address payer,address node,address owner,uint96 amount,uint40 closeDelay,uint40 openBy,bytes32 salt"
)
VOUCHER = "bytes32 channelId,uint128 cumulative"
BATCH = 64


@dataclass
class Channels:
    """Channels of many payers to one owner."""

    world: World

    def __post_init__(self) -> None:
        self.owner, self.node = account("paid owner"), account("paid node")
        self.payers = [account(f"payer {i}") for i in range(BATCH)]
        self.domain = {
            "name": "Parity StakeWallet",
            "version": "1",
            "chainId": self.world.w3.eth.chain_id,
            "verifyingContract": self.world.wallet.address,
        }

    def terms(self, payer: LocalAccount) -> dict[str, Any]:
        return {
            "payer": payer.address,
            "node": self.node.address,
            "owner": self.owner.address,
            "amount": 10 * USDFC,
            "closeDelay": 720,
            "openBy": 10**6,
            "salt": RESULT,
        }

    def voucher(self, payer: LocalAccount, cumulative: int) -> tuple[Any, ...]:
        channel = self.world.wallet.functions.channelIdOf(tuple(self.terms(payer).values())).call()
        message = {"channelId": channel, "cumulative": cumulative}
        signed = payer.sign_typed_data(self.domain, {"Voucher": members(VOUCHER)}, message)
        vs = (signed.v - 27) << 255 | signed.s
        return (channel, cumulative, signed.r.to_bytes(32, "big"), vs.to_bytes(32, "big"))

    def redeem(self, payers: list[LocalAccount], cumulative: int, label: str) -> None:
        batch = [self.voucher(payer, cumulative) for payer in payers]
        self.world.send(self.world.wallet.functions.redeem(self.owner.address, batch), self.node, label)

    def live(self) -> None:
        """Open, top up, redeem and close."""
        world, functions = self.world, self.world.wallet.functions
        for payer in self.payers:
            world.fund(payer, 20 * USDFC)
            terms = self.terms(payer)
            signature = payer.sign_typed_data(self.domain, {"Channel": members(CHANNEL)}, terms).signature
            if payer is self.payers[0]:
                world.send(functions.openChannel(tuple(terms.values())), payer, "open")
            else:
                call = functions.openChannelFor(tuple(terms.values()), signature)
                world.send(call, world.boss, "open (relayed)")
        first = tuple(self.terms(self.payers[0]).values())
        world.send(functions.topUp(first, USDFC), self.payers[0], "top up")
        cumulative = 1_234_567_890_123_456_789
        self.redeem(self.payers[:1], cumulative, "redeem 1, first")
        self.redeem(self.payers[:1], 2 * cumulative, "redeem 1")
        self.redeem(self.payers, 3 * cumulative, f"redeem {BATCH}")
        world.send(functions.requestClose(first), self.payers[0], "request close")
        world.send(functions.close(first), self.node, "close")
        world.send(functions.withdraw(USDFC), self.payers[0], "withdraw")
