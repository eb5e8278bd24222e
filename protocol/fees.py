"""EIP-1559 fees, in the chain's native base units for each unit of gas."""

import asyncio
from dataclasses import dataclass

from web3.eth import AsyncEth

_BUMP_PERCENT = 25
"""Nodes take a replacement for at least 10 % (geth, anvil) or 25 % (Filecoin) more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fees:
    """The most that is paid for a unit of gas, and the part of it that goes to the block's maker."""

    max_fee: int
    priority_fee: int


async def current_fees(eth: AsyncEth) -> Fees:
    """Price a transaction so that it stays valid while the base fee doubles."""
    block, priority_fee = await asyncio.gather(eth.get_block("latest"), eth.max_priority_fee)
    return Fees(max_fee=2 * block["baseFeePerGas"] + priority_fee, priority_fee=priority_fee)


def bumped(old: Fees, current: Fees) -> Fees:
    """Return fees that replace a transaction sent with `old`, and are worth mining at `current`."""
    return Fees(
        max_fee=max(_more(old.max_fee), current.max_fee),
        priority_fee=max(_more(old.priority_fee), current.priority_fee),
    )


def _more(fee: int) -> int:
    return fee + fee * _BUMP_PERCENT // 100 + 1
