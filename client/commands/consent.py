"""What stands between a person and their signature: what is done, what is at stake, what the network takes."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from client.commands.printer import Fields, Printer, aligned, confirm
from client.commands.progress import progress
from client.records import to_json
from protocol.money import format_native

if TYPE_CHECKING:
    from client.parity import Parity

AFTER_SIGNING = "known only once the authorization is signed"


async def agreed(
    parity: "Parity",
    title: str,
    fields: Fields,
    deed: "Callable[[Parity], Awaitable[object]] | None",
    *,
    dry_run: bool,
    yes: bool,
    as_json: bool,
    value: object = None,
) -> bool:
    """Simulate a deed, show it with its network fee, and ask; false after a dry run, which has printed it all.

    `deed` is `None` where the chain can simulate it only once something is signed. `value` is what a dry run gives
    programs besides: a record, or a mapping. Raises what the deed would, and `Refused`.
    """
    fee: int | None = None
    if deed is not None:
        with progress("simulating"):
            fee = await parity.network_fee(deed)
    cost = "at most " + format_native(fee) if fee is not None else AFTER_SIGNING
    unit = f" {parity.chain.network.native_symbol}" if fee is not None else ""
    shown = [*fields, ("network fee", cost + unit)]
    if dry_run:
        Printer(as_json=as_json).result(
            _document(title, value, fee), text=[f"{title}: not sent", *aligned(shown)]
        )
        return False
    confirm(title, shown, yes=yes)
    return True


def _document(title: str, value: object, fee: int | None) -> Mapping[str, Any]:
    """Return the one shape in which every dry run is written as JSON."""
    known = to_json(value) if value is not None else {}
    return {"dryRun": True, "deed": title, **known, "networkFee": None if fee is None else str(fee)}
