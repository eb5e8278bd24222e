"""The human field beside each amount."""

from decimal import Decimal
from typing import Any

from api.graphql.links import derived
from protocol.money import format_usdfc


def usdfc(attribute: str) -> Any:
    """Make a field that writes another one, in base units, as a decimal of USDFC."""
    return derived(attribute, _written, description=f"`{attribute}` in USDFC, as an exact decimal.")


def _written(amount: int | Decimal) -> str:
    return format_usdfc(int(amount))
