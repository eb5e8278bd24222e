"""Counts and sums over the whole network, as the indexer keeps them."""

from collections.abc import Mapping

from api.database import Snapshot

_TASKS = "tasks."
_RUNNERS = "runners."


async def totals(snapshot: Snapshot) -> Mapping[str, int]:
    """Return the totals by name; what is not there is 0. Amounts are USDFC base units."""
    rows = await snapshot.fetch("SELECT name, amount FROM totals")
    return {row["name"]: int(row["amount"]) for row in rows}


def tasks_by_status(counted: Mapping[str, int]) -> dict[str, int]:
    """Pick the numbers of tasks; statuses without any are left out."""
    return _under(_TASKS, counted)


def runners_by_status(counted: Mapping[str, int]) -> dict[str, int]:
    """Pick the numbers of runners."""
    return _under(_RUNNERS, counted)


def _under(prefix: str, counted: Mapping[str, int]) -> dict[str, int]:
    return {
        name.removeprefix(prefix): n for name, n in sorted(counted.items()) if name.startswith(prefix) and n
    }
