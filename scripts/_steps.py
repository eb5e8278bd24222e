"""What a deployment's steps are made of: contracts to create, calls to make once, and the people they name."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ape import project
from ape.api import TransactionAPI
from ape.contracts import ContractContainer, ContractInstance

from scripts._session import Session

Addresses = dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parties:
    """`token_holder` receives all votes, `guardian` may pause; without a `treasury` the timelock is it."""

    deployer: str
    token_holder: str
    guardian: str
    treasury: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Creation:
    """A contract to create. `name` is its name in the deployment file, `contract` that of its source.

    `evm_gas` is what it costs on a plain EVM, for one whose constructor calls contracts that a dry run does not have.
    """

    name: str
    contract: str
    arguments: Callable[[Addresses], tuple[Any, ...]]
    evm_gas: int | None = None

    def container(self) -> ContractContainer:
        found: ContractContainer = getattr(project, self.contract)
        return found

    def transaction(self, session: Session, addresses: Addresses) -> TransactionAPI:
        built: TransactionAPI = self.container().constructor.serialize_transaction(
            *self.arguments(addresses), sender=session.account
        )
        return built


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call to make once. `done` reads from the chain whether it was; `evm_gas` is what it costs on a plain EVM."""

    what: str
    contract: str
    target: str
    method: str
    arguments: Callable[[Addresses], tuple[Any, ...]]
    done: Callable[[ContractInstance, Addresses], bool]
    evm_gas: int

    def instance(self, session: Session, addresses: Addresses) -> ContractInstance:
        return session.contract(self.contract, addresses[self.target])

    def transaction(self, session: Session, addresses: Addresses) -> TransactionAPI:
        instance = self.instance(session, addresses)
        return session.build(instance, self.method, *self.arguments(addresses))
