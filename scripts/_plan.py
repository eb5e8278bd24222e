"""The steps of a deployment, in order: the contracts, then the calls that wire them and hand their administration over."""

from collections.abc import Iterator

from scripts._governance_plan import governance_calls, governance_creations
from scripts._profiles import Profile, as_arguments
from scripts._steps import Call, Creation, Parties

MODULES = ("task_escrow", "federated_learning")
"""What moves ledger entries and records outcomes: the contracts that StakeWallet and RunnerReputation are wired to."""

COURTS: tuple[str, ...] = ("audit_court", "peer_monitoring")
"""Modules too, which the guardian cannot pause: their bonds decide what has begun."""

FIRST_PARAMS = 1
"""The parameter version that a deployment adds."""


def creations(profile: Profile, parties: Parties) -> Iterator[Creation]:
    """Yield what must be created; a profile that is not local finds its token in the addresses already."""
    if profile.local:
        yield Creation(name="usdfc", contract="TestUSDFC", arguments=lambda _: ())
    yield Creation(name="beacon", contract=profile.beacon, arguments=lambda _: ())
    yield Creation(
        name="access_manager", contract="ParityAccessManager", arguments=lambda _: (parties.deployer,)
    )
    yield from governance_creations(profile, parties)
    yield Creation(
        name="stake_wallet",
        contract="StakeWallet",
        arguments=lambda at: (
            at["access_manager"],
            at["usdfc"],
            profile.unbond_delay,
            profile.max_pause,
        ),
    )
    yield Creation(
        name="runner_reputation",
        contract="RunnerReputation",
        arguments=lambda at: (at["stake_wallet"], as_arguments(profile.settings)),
    )
    yield Creation(
        name="audit_court",
        contract="AuditCourt",
        arguments=lambda at: (
            at["access_manager"],
            at["stake_wallet"],
            at["runner_reputation"],
            at["beacon"],
            parties.treasury or at["timelock"],
            profile.widening_step,
        ),
    )
    yield Creation(
        name="task_escrow",
        contract="TaskEscrow",
        arguments=lambda at: (
            at["access_manager"],
            at["stake_wallet"],
            at["runner_reputation"],
            at["beacon"],
            parties.treasury or at["timelock"],
            at["audit_court"],
            profile.widening_step,
        ),
    )
    yield from _federated_creations(profile, parties)


def _federated_creations(profile: Profile, parties: Parties) -> Iterator[Creation]:
    yield Creation(
        name="session_charter",
        contract="SessionCharter",
        arguments=lambda at: (
            at["access_manager"],
            at["runner_reputation"],
            at["task_escrow"],
            at["beacon"],
            profile.widening_step,
        ),
    )
    yield Creation(
        name="federated_learning",
        contract="FederatedLearning",
        arguments=lambda at: (
            (
                at["stake_wallet"],
                at["runner_reputation"],
                at["task_escrow"],
                at["session_charter"],
                parties.treasury or at["timelock"],
            ),
        ),
    )
    yield Creation(
        name="peer_monitoring",
        contract="PeerMonitoring",
        arguments=lambda at: (
            at["stake_wallet"],
            at["runner_reputation"],
            at["beacon"],
            parties.treasury or at["timelock"],
            as_arguments(profile.monitoring),
        ),
    )


def calls(profile: Profile, parties: Parties) -> tuple[Call, ...]:
    """Return what must be called once all contracts are there."""
    return (
        _wire("StakeWallet", "stake_wallet", MODULES, COURTS),
        _wire("RunnerReputation", "runner_reputation", (*MODULES, *COURTS)),
        Call(
            what="wire AuditCourt to TaskEscrow",
            contract="AuditCourt",
            target="audit_court",
            method="wire",
            arguments=lambda at: (at["task_escrow"],),
            done=lambda court, at: str(court.taskEscrow()) == at["task_escrow"],
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
        Call(
            what="add the first session parameters",
            contract="SessionCharter",
            target="session_charter",
            method="addParams",
            arguments=lambda _: (as_arguments(profile.session_params),),
            done=lambda charter, _: int(charter.latestParamsId()) > 0,
            evm_gas=105_000,
        ),
        Call(
            what="add the first rules of audits",
            contract="AuditCourt",
            target="audit_court",
            method="addRules",
            arguments=lambda _: (FIRST_PARAMS, as_arguments(profile.audits)),
            done=lambda court, _: int(court.rulesOf(FIRST_PARAMS).minBond) > 0,
            evm_gas=72_000,
        ),
        *governance_calls(parties),
    )


def _wire(contract: str, target: str, *lists: tuple[str, ...]) -> Call:
    """Name the modules to `contract`, all in the one call that it takes."""
    names = [name for part in lists for name in part]
    return Call(
        what=f"wire {contract} to its modules",
        contract=contract,
        target=target,
        method="wire",
        arguments=lambda at: tuple([at[name] for name in part] for part in lists),
        done=lambda wired, at: all(wired.isModule(at[name]) for name in names),
        evm_gas=53_000 + 25_000 * len(names),
    )
