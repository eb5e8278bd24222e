"""The steps of a deployment, in order: five or six contracts, then three calls that wire them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ape import project
from ape.api import TransactionAPI
from ape.contracts import ContractContainer, ContractInstance

from scripts._profiles import Profile, as_arguments
from scripts._session import Session

Addresses = dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Creation:
    """A contract to create. `name` is its name in the deployment file, `contract` that of its source."""

    name: str
    contract: str
    arguments: Callable[[Addresses], tuple[Any, ...]]

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


def creations(profile: Profile, *, deployer: str, treasury: str) -> Iterator[Creation]:
    """Give what must be created; a profile that is not local finds its token in the addresses already."""
    if profile.local:
        yield Creation(name="usdfc", contract="TestUSDFC", arguments=lambda _: ())
    yield Creation(name="beacon", contract=profile.beacon, arguments=lambda _: ())
    yield Creation(name="access_manager", contract="ParityAccessManager", arguments=lambda _: (deployer,))
    yield Creation(
        name="stake_wallet",
        contract="StakeWallet",
        arguments=lambda at: (at["usdfc"], profile.unbond_delay),
    )
    yield Creation(
        name="runner_reputation",
        contract="RunnerReputation",
        arguments=lambda at: (at["stake_wallet"], as_arguments(profile.settings)),
    )
    yield Creation(
        name="task_escrow",
        contract="TaskEscrow",
        arguments=lambda at: (
            at["access_manager"],
            at["stake_wallet"],
            at["runner_reputation"],
            at["beacon"],
            treasury,
            profile.widening_step,
        ),
    )


def calls(profile: Profile) -> tuple[Call, ...]:
    """Give what must be called once all contracts are there."""
    return (
        Call(
            what="wire StakeWallet to TaskEscrow",
            contract="StakeWallet",
            target="stake_wallet",
            method="wire",
            arguments=lambda at: ([at["task_escrow"]],),
            done=lambda wallet, at: bool(wallet.isModule(at["task_escrow"])),
            evm_gas=76_000,
        ),
        Call(
            what="wire RunnerReputation to TaskEscrow",
            contract="RunnerReputation",
            target="runner_reputation",
            method="wire",
            arguments=lambda at: (at["task_escrow"],),
            done=lambda reputation, at: str(reputation.module()) == at["task_escrow"],
            evm_gas=48_000,
        ),
        Call(
            what="add the first parameters",
            contract="TaskEscrow",
            target="task_escrow",
            method="addParams",
            arguments=lambda _: (as_arguments(profile.params),),
            done=lambda escrow, _: int(escrow.latestParamsId()) > 0,
            evm_gas=82_000,
        ),
    )
