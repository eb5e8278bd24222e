"""What stands between a person and their signature: what is done, what is at stake, what the network takes."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

from client.commands.printer import Fields, Printer, aligned, confirm
from client.commands.progress import progress
from client.foreseen import Foreseen
from client.records import Route, to_json
from protocol.money import format_native

if TYPE_CHECKING:
    from client.ordering import Placement
    from client.parity import Parity

Deed = Callable[["Parity"], Awaitable[object]]


async def agreed(
    parity: "Parity",
    title: str,
    fields: Fields,
    deed: Deed | Sequence[Foreseen],
    *,
    dry_run: bool,
    yes: bool,
    as_json: bool,
    value: object = None,
) -> bool:
    """Simulate a deed, show it with its network fee, and ask; false after a dry run, which has printed it all.

    `deed` is the calls that it consists of where the chain can simulate them only once something is signed. `value` is
    what a dry run gives programs besides: a record, or a mapping. Raises what the deed would, and `Refused`.
    """
    foreseen = () if callable(deed) else deed
    with progress("simulating"):
        fee = await (parity.network_fee(deed) if callable(deed) else parity.foreseen_fee(*foreseen))
    shown = [*fields, ("network fee", fee_text(parity, fee, is_estimate=bool(foreseen)))]
    if dry_run:
        document = _document(title, value) | {"networkFee": str(fee), "feeIsEstimate": bool(foreseen)}
        Printer(as_json=as_json).result(document, text=[f"{title}: not sent", *aligned(shown)])
        return False
    confirm(title, shown, yes=yes)
    return True


def fee_text(parity: "Parity", fee: int, *, is_estimate: bool) -> str:
    """Write a network fee, in the chain's native base units, as people read it before they agree."""
    amount = f"{format_native(fee)} {parity.chain.network.native_symbol}"
    return f"about {amount}; exact once the authorization is signed" if is_estimate else f"at most {amount}"


def placement_fee_text(parity: "Parity", plan: "Placement") -> str:
    """Write who pays an order's network fee, and how much."""
    if plan.route is Route.RELAY:
        return f"paid by {parity.api.url}"
    return fee_text(parity, plan.network_fee, is_estimate=plan.fee_is_estimate)


def _document(title: str, value: object) -> dict[str, Any]:
    """Return the one shape in which every dry run is written as JSON, but for the fee."""
    return {"dryRun": True, "deed": title, **(to_json(value) if value is not None else {})}
