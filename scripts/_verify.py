"""Read a deployment back from the chain and compare it with what was meant."""

from collections.abc import Iterable, Iterator

from protocol.deployment import Deployment
from protocol.errors import WrongChain
from scripts._plan import Creation
from scripts._profiles import Profile, as_arguments
from scripts._session import Session


def verify(
    session: Session, profile: Profile, deployment: Deployment, *, code_of: Iterable[Creation] = ()
) -> None:
    """Raise `WrongChain` naming the first fact that differs: code, wiring, settings, parameters."""
    for creation in code_of:
        address = getattr(deployment, creation.name)
        if not _is_code_of(creation, session.code_at(address)):
            raise _differs(creation.contract, f"the code compiled here at {address}", "other code")
    for what, expected, actual in _facts(session, profile, deployment):
        if expected != actual:
            raise _differs(what, expected, actual)


def _facts(
    session: Session, profile: Profile, deployment: Deployment
) -> Iterator[tuple[str, object, object]]:
    wallet = session.contract("StakeWallet", deployment.stake_wallet)
    yield "StakeWallet.token", deployment.usdfc, wallet.token()
    yield "StakeWallet.unbondDelay", profile.unbond_delay, wallet.unbondDelay()
    yield "StakeWallet.isModule(TaskEscrow)", True, wallet.isModule(deployment.task_escrow)
    reputation = session.contract("RunnerReputation", deployment.runner_reputation)
    yield "RunnerReputation.stakeWallet", deployment.stake_wallet, reputation.stakeWallet()
    yield "RunnerReputation.module", deployment.task_escrow, reputation.module()
    yield "RunnerReputation.settings", as_arguments(profile.settings), tuple(reputation.settings())
    escrow = session.contract("TaskEscrow", deployment.task_escrow)
    yield "TaskEscrow.authority", deployment.access_manager, escrow.authority()
    yield "TaskEscrow.stakeWallet", deployment.stake_wallet, escrow.stakeWallet()
    yield "TaskEscrow.runnerReputation", deployment.runner_reputation, escrow.runnerReputation()
    yield "TaskEscrow.beacon", deployment.beacon, escrow.beacon()
    yield "TaskEscrow.treasury", deployment.treasury, escrow.treasury()
    yield "TaskEscrow.wideningStep", profile.widening_step, escrow.wideningStep()
    params = tuple(escrow.paramsOf(deployment.params_id))
    yield "TaskEscrow.paramsOf", as_arguments(profile.params), params


def _is_code_of(creation: Creation, code: bytes) -> bool:
    """Compare with the compiler's output, whose zeros stand where immutables were filled in."""
    compiled = bytes(creation.container().contract_type.get_runtime_bytecode() or b"")
    return len(code) == len(compiled) and all(
        made in (written, 0) for made, written in zip(compiled, code, strict=True)
    )


def _differs(what: str, expected: object, actual: object) -> WrongChain:
    return WrongChain(
        f"{what} should be {expected} and is {actual}",
        hint="The deployment file and the chain disagree. Remove deployments/<chain id>.json and deploy again.",
    )
