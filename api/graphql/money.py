"""The human field beside each amount."""

from typing import Any

import strawberry

from protocol.money import format_usdfc


def usdfc(attribute: str) -> Any:
    """Make a field that writes another one, in base units, as a decimal of USDFC."""

    def resolve(root: strawberry.Parent[Any]) -> str:
        return format_usdfc(int(getattr(root, attribute)))

    return strawberry.field(resolver=resolve, description=f"`{attribute}` in USDFC, as an exact decimal.")
