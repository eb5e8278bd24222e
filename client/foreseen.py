"""Network fees of calls that no node can simulate yet: they carry a signature that is not made, or need what a call before them brings.

What can be simulated without either is an approval of the same token. How much more gas a call takes than an approval was measured
on a local chain (`docs/reference/gas.md` has the conditions), so the approval's gas on this chain, times that, is about the call's.
"""

from enum import IntEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from protocol.chain import Chain

_APPROVAL = 46_317


class Foreseen(IntEnum):
    """A call, with its gas on a local chain where it was dearest: the account's first, or the network's."""

    DEPOSIT = 105_658
    STAKE = 51_593
    SUBMIT_ORDER = 250_558
    CREATE_SESSION = 363_625
    OPEN_CHANNEL = 63_831
    CLOSE_CHANNEL = 33_769
    COLLECT_CHANNEL = 39_624


async def foresee(chain: "Chain", account: str, *calls: Foreseen) -> int:
    """Return about what these calls of an account cost together at most, in the chain's native base units. Signs nothing."""
    from protocol.fees import current_fees  # noqa: PLC0415 (loads web3, which --help need not)

    payer: Any = account
    approval = chain.token.functions.approve(
        payer, 1
    )  # of the account to itself: an allowance that nobody has
    gas = int(await approval.estimate_gas({"from": payer}, "pending") * chain.network.gas_headroom)
    return gas * (await current_fees(chain.w3.eth)).max_fee * sum(calls) // _APPROVAL
