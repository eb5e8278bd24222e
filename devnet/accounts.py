"""The well-known keys of local chains, by role.

They are derived from the mnemonic that every local Ethereum node uses; the whole world knows them. Processes refuse
them on any chain that is not local.
"""

from functools import cache
from types import MappingProxyType
from typing import Final

from eth_account import Account
from eth_account.signers.local import LocalAccount

MNEMONIC: Final = "test test test test test test test test test test test junk"
ACCOUNT_COUNT: Final = 50
MAX_RUNNERS: Final = 16

_ROLES: Final = MappingProxyType(
    {"deployer": 0, "treasury": 1, "client": 2, "outsider": 3, "relayer": 4, "keeper": 5, "payer": 6}
)
_FIRST_OWNER: Final = 10
_FIRST_NODE: Final = _FIRST_OWNER + MAX_RUNNERS


@cache
def account(index: int) -> LocalAccount:
    """Return the account at `index` (0 to ACCOUNT_COUNT - 1) of the local mnemonic."""
    if not 0 <= index < ACCOUNT_COUNT:
        message = f"local accounts are numbered 0 to {ACCOUNT_COUNT - 1}, not {index}"
        raise IndexError(message)
    Account.enable_unaudited_hdwallet_features()
    derived: LocalAccount = Account.from_mnemonic(MNEMONIC, account_path=f"m/44'/60'/0'/0/{index}")
    return derived


def role(name: str) -> LocalAccount:
    """Return the account that plays `name`: deployer, treasury, client, outsider, relayer, keeper or payer."""
    return account(_ROLES[name])


def runner_owner(number: int) -> LocalAccount:
    """Return the owner (stake, earnings) of local runner `number`, counted from 0."""
    _check_runner(number)
    return account(_FIRST_OWNER + number)


def runner_node(number: int) -> LocalAccount:
    """Return the node (hot) key of local runner `number`, counted from 0."""
    _check_runner(number)
    return account(_FIRST_NODE + number)


def _check_runner(number: int) -> None:
    if not 0 <= number < MAX_RUNNERS:
        message = f"local runners are numbered 0 to {MAX_RUNNERS - 1}, not {number}"
        raise IndexError(message)
