"""The well-known keys of local chains, by role.

They are derived from the mnemonic that every local Ethereum node uses; the whole world knows them. Processes refuse
them on any chain that is not local.
"""

from functools import cache
from typing import Final

from eth_account import Account
from eth_account.signers.local import LocalAccount

MNEMONIC: Final = "test test test test test test test test test test test junk"
ACCOUNT_COUNT: Final = 50
MAX_RUNNERS: Final = 16

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


class LocalAccounts:
    """The accounts of a local chain, each by what it is used for."""

    @property
    def deployer(self) -> LocalAccount:
        """Deploys, and holds all governance tokens."""
        return account(0)

    @property
    def treasury(self) -> LocalAccount:
        """Receives protocol fees."""
        return account(1)

    @property
    def client(self) -> LocalAccount:
        """Wants work done, and pays for it."""
        return account(2)

    @property
    def outsider(self) -> LocalAccount:
        """Has nothing to do with anything."""
        return account(3)

    @property
    def relayer(self) -> LocalAccount:
        """Sends what others signed, and pays the gas."""
        return account(4)

    @property
    def payer(self) -> LocalAccount:
        """Pays for orders that another account signs."""
        return account(5)

    @property
    def guardian(self) -> LocalAccount:
        """May pause what is new."""
        return account(6)

    def owner(self, number: int) -> LocalAccount:
        """Return the owner (stake and earnings) of runner `number`, counted from 0."""
        return account(_FIRST_OWNER + _checked(number))

    def node(self, number: int) -> LocalAccount:
        """Return the node (hot) key of runner `number`, counted from 0."""
        return account(_FIRST_NODE + _checked(number))

    def owners(self, count: int) -> tuple[LocalAccount, ...]:
        """Return the owners of the first `count` runners."""
        return tuple(self.owner(number) for number in range(count))

    def nodes(self, count: int) -> tuple[LocalAccount, ...]:
        """Return the node keys of the first `count` runners."""
        return tuple(self.node(number) for number in range(count))


LOCAL: Final = LocalAccounts()


def _checked(number: int) -> int:
    if not 0 <= number < MAX_RUNNERS:
        message = f"local runners are numbered 0 to {MAX_RUNNERS - 1}, not {number}"
        raise IndexError(message)
    return number
