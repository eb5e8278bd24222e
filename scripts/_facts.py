"""What must be true of a deployment, each fact with what the chain says of it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from protocol.deployment import Deployment
from scripts._encoding import selector
from scripts._governance_plan import RESTRICTED
from scripts._plan import COURTS, MODULES
from scripts._profiles import Profile, as_arguments
from scripts._reader import Reader
from scripts._roles import members, members_meant
from scripts._steps import Creation


@dataclass(frozen=True, slots=True)
class Fact:
    what: str
    expected: object
    actual: object

    @property
    def holds(self) -> bool:
        return self.expected == self.actual

    def __str__(self) -> str:
        return f"{self.what} should be {self.expected} and is {self.actual}"


def code_facts(reader: Reader, deployment: Deployment, creations: Iterable[Creation]) -> Iterator[Fact]:
    """Compare the code of each contract with what this checkout compiles to."""
    for creation in creations:
        address = getattr(deployment, creation.name)
        code = reader.code_at(address)
        expected = f"the code of {creation.contract} as compiled here"
        actual = expected if _is_code_of(creation, code) else "other code" if code else "no code"
        yield Fact(f"{creation.contract} at {address}", expected, actual)


def lasting_facts(reader: Reader, profile: Profile, deployment: Deployment) -> Iterator[Fact]:
    """Yield what holds from the deployment on: settings and wiring that nobody can change, and roles."""
    yield from _core_facts(reader, profile, deployment)
    yield from _governance_facts(reader, profile, deployment)
    yield from _role_facts(reader, deployment)


def first_facts(reader: Reader, profile: Profile, deployment: Deployment) -> Iterator[Fact]:
    """Yield what holds at the end of a deployment, and for as long as no proposal changes it."""
    governor = reader.contract("ParityGovernor", deployment.governor)
    timelock = reader.contract("ParityTimelock", deployment.timelock)
    voting = profile.governance.voting
    yield Fact("ParityGovernor.votingDelay", voting.delay_s, governor.votingDelay())
    yield Fact("ParityGovernor.votingPeriod", voting.period_s, governor.votingPeriod())
    yield Fact(
        "ParityGovernor.lateQuorumVoteExtension",
        voting.late_quorum_extension_s,
        governor.lateQuorumVoteExtension(),
    )
    yield Fact("ParityGovernor.proposalThreshold", voting.proposal_threshold, governor.proposalThreshold())
    yield Fact("ParityGovernor.quorumNumerator", voting.quorum_percent, governor.quorumNumerator())
    yield Fact("ParityTimelock.getMinDelay", profile.governance.timelock_s, timelock.getMinDelay())


def _core_facts(reader: Reader, profile: Profile, deployment: Deployment) -> Iterator[Fact]:
    wallet = reader.contract("StakeWallet", deployment.stake_wallet)
    yield Fact("StakeWallet.token", deployment.usdfc, wallet.token())
    yield Fact("StakeWallet.unbondDelay", profile.unbond_delay, wallet.unbondDelay())
    yield Fact("StakeWallet.minCloseDelay", profile.unbond_delay, wallet.minCloseDelay())
    yield Fact("StakeWallet.maxPause", profile.max_pause, wallet.maxPause())
    yield Fact("StakeWallet.authority", deployment.access_manager, wallet.authority())
    for name in (*MODULES, *COURTS):
        module = getattr(deployment, name)
        yield Fact(f"StakeWallet.isModule({name})", True, wallet.isModule(module))  # what the chain gives
        yield Fact(f"StakeWallet.isPausable({name})", name in MODULES, wallet.isPausable(module))
    reputation = reader.contract("RunnerReputation", deployment.runner_reputation)
    yield Fact("RunnerReputation.stakeWallet", deployment.stake_wallet, reputation.stakeWallet())
    for name in (*MODULES, *COURTS):
        is_module = reputation.isModule(getattr(deployment, name))
        yield Fact(f"RunnerReputation.isModule({name})", True, is_module)  # a bool is what the chain gives
    yield Fact("RunnerReputation.settings", as_arguments(profile.settings), tuple(reputation.settings()))
    escrow = reader.contract("TaskEscrow", deployment.task_escrow)
    yield Fact("TaskEscrow.authority", deployment.access_manager, escrow.authority())
    yield Fact("TaskEscrow.stakeWallet", deployment.stake_wallet, escrow.stakeWallet())
    yield Fact("TaskEscrow.runnerReputation", deployment.runner_reputation, escrow.runnerReputation())
    yield Fact("TaskEscrow.beacon", deployment.beacon, escrow.beacon())
    yield Fact("TaskEscrow.treasury", deployment.treasury, escrow.treasury())
    yield Fact("TaskEscrow.auditCourt", deployment.audit_court, escrow.auditCourt())
    yield Fact("TaskEscrow.wideningStep", profile.widening_step, escrow.wideningStep())
    yield from _monitoring_facts(reader, profile, deployment)
    version = deployment.params_id
    params = tuple(escrow.paramsOf(version))
    yield Fact(f"TaskEscrow.paramsOf({version})", as_arguments(profile.params), params)
    yield from _federated_facts(reader, profile, deployment)
    yield from _court_facts(reader, profile, deployment)


def _federated_facts(reader: Reader, profile: Profile, deployment: Deployment) -> Iterator[Fact]:
    charter = reader.contract("SessionCharter", deployment.session_charter)
    yield Fact("SessionCharter.authority", deployment.access_manager, charter.authority())
    yield Fact("SessionCharter.runnerReputation", deployment.runner_reputation, charter.runnerReputation())
    yield Fact("SessionCharter.taskEscrow", deployment.task_escrow, charter.taskEscrow())
    yield Fact("SessionCharter.beacon", deployment.beacon, charter.beacon())
    yield Fact("SessionCharter.wideningStep", profile.widening_step, charter.wideningStep())
    params = tuple(charter.paramsOf(1))
    yield Fact("SessionCharter.paramsOf(1)", as_arguments(profile.session_params), params)
    federated = reader.contract("FederatedLearning", deployment.federated_learning)
    yield Fact("FederatedLearning.stakeWallet", deployment.stake_wallet, federated.stakeWallet())
    yield Fact(
        "FederatedLearning.runnerReputation", deployment.runner_reputation, federated.runnerReputation()
    )
    yield Fact("FederatedLearning.taskEscrow", deployment.task_escrow, federated.taskEscrow())
    yield Fact("FederatedLearning.charter", deployment.session_charter, federated.charter())
    yield Fact("FederatedLearning.treasury", deployment.treasury, federated.treasury())


def _monitoring_facts(reader: Reader, profile: Profile, deployment: Deployment) -> Iterator[Fact]:
    monitoring = reader.contract("PeerMonitoring", deployment.peer_monitoring)
    yield Fact("PeerMonitoring.stakeWallet", deployment.stake_wallet, monitoring.stakeWallet())
    yield Fact("PeerMonitoring.runnerReputation", deployment.runner_reputation, monitoring.runnerReputation())
    yield Fact("PeerMonitoring.beacon", deployment.beacon, monitoring.beacon())
    yield Fact("PeerMonitoring.treasury", deployment.treasury, monitoring.treasury())
    yield Fact("PeerMonitoring.settings", as_arguments(profile.monitoring), tuple(monitoring.settings()))


def _court_facts(reader: Reader, profile: Profile, deployment: Deployment) -> Iterator[Fact]:
    court = reader.contract("AuditCourt", deployment.audit_court)
    yield Fact("AuditCourt.authority", deployment.access_manager, court.authority())
    yield Fact("AuditCourt.stakeWallet", deployment.stake_wallet, court.stakeWallet())
    yield Fact("AuditCourt.runnerReputation", deployment.runner_reputation, court.runnerReputation())
    yield Fact("AuditCourt.taskEscrow", deployment.task_escrow, court.taskEscrow())
    yield Fact("AuditCourt.beacon", deployment.beacon, court.beacon())
    yield Fact("AuditCourt.treasury", deployment.treasury, court.treasury())
    yield Fact("AuditCourt.wideningStep", profile.widening_step, court.wideningStep())
    version = deployment.params_id
    rules = tuple(court.rulesOf(version))
    yield Fact(f"AuditCourt.rulesOf({version})", as_arguments(profile.audits), rules)


def _governance_facts(reader: Reader, profile: Profile, deployment: Deployment) -> Iterator[Fact]:
    token = reader.contract("ParityToken", deployment.parity_token)
    yield Fact("ParityToken.totalSupply", profile.governance.supply, token.totalSupply())
    governor = reader.contract("ParityGovernor", deployment.governor)
    yield Fact("ParityGovernor.token", deployment.parity_token, governor.token())
    yield Fact("ParityGovernor.timelock", deployment.timelock, governor.timelock())
    manager = reader.contract("ParityAccessManager", deployment.access_manager)
    for contract, name, method, expected in RESTRICTED:
        target = getattr(deployment, name)
        role = manager.getTargetFunctionRole(target, selector(contract, method))
        yield Fact(f"the role that {contract}.{method} asks for", expected, role)
        closed = manager.isTargetClosed(target)
        yield Fact(
            f"AccessManager.isTargetClosed({contract}), for {method}", False, closed
        )  # as the chain says


def _role_facts(reader: Reader, deployment: Deployment) -> Iterator[Fact]:
    held, meant = members(reader, deployment), members_meant(deployment)
    for name, (role, accounts) in meant.items():
        yield Fact(f"holders of {name}", _listed(accounts), _listed(held.get(role, set())))
    known = {role for role, _ in meant.values()}
    for (address, number), accounts in held.items():
        if (address, number) not in known:
            yield Fact(f"holders of role {number} at {address}", _listed(set()), _listed(accounts))


def _listed(accounts: set[str]) -> str:
    return ", ".join(sorted(accounts)) or "nobody"


def _is_code_of(creation: Creation, code: bytes) -> bool:
    """Compare with the compiler's output, whose zeros stand where immutables were filled in."""
    compiled = bytes(creation.container().contract_type.get_runtime_bytecode() or b"")
    return len(code) == len(compiled) and all(
        made in (written, 0) for made, written in zip(compiled, code, strict=True)
    )
