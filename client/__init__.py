"""The client: a Python SDK (`Parity`, or `SyncParity` without an event loop) and the command line that prints what it returns."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from client.foreseen import Foreseen
    from client.parity import Parity
    from client.records import Answer, Balance, Estimate, Settlement, Step, Submitted, TaskRecord
    from client.settings import ClientSettings
    from client.sync import SyncParity

__all__ = [
    "Answer",
    "Balance",
    "ClientSettings",
    "Estimate",
    "Foreseen",
    "Parity",
    "Settlement",
    "Step",
    "Submitted",
    "SyncParity",
    "TaskRecord",
]

_HOMES = {
    "Parity": "client.parity",
    "ClientSettings": "client.settings",
    "Foreseen": "client.foreseen",
    "SyncParity": "client.sync",
}


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used, so that `parity-client --help` need not load web3."""
    if name not in __all__:
        raise AttributeError(f"module 'client' has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 (only when a name is used)

    return getattr(import_module(_HOMES.get(name, "client.records")), name)
