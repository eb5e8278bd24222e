"""The steps that give the protocol's administration to its token holders and take it from the deployer."""

from collections.abc import Iterator

from eth_utils.crypto import keccak

from scripts._encoding import encode_call, selector
from scripts._profiles import Profile, as_arguments
from scripts._steps import Addresses, Call, Creation, Parties

ADMIN, GOVERNANCE, GUARDIAN = 0, 1, 2
"""Roles of the AccessManager: who gives roles, who adds parameter versions and lifts pauses, who pauses."""

RESTRICTED = (
    ("TaskEscrow", "task_escrow", "addParams", GOVERNANCE),
    ("SessionCharter", "session_charter", "addParams", GOVERNANCE),
    ("AuditCourt", "audit_court", "addRules", GOVERNANCE),
    ("StakeWallet", "stake_wallet", "unpause", GOVERNANCE),
    ("StakeWallet", "stake_wallet", "pause", GUARDIAN),
)
"""What asks the AccessManager who may: contract, its name in the deployment file, method, role."""

SET_UP, PROPOSER, CANCELLER, EXECUTOR = (
    bytes(32),
    *(keccak(text=f"{name}_ROLE") for name in ("PROPOSER", "CANCELLER", "EXECUTOR")),
)
"""Roles of the timelock; the first gives the others."""


def governance_creations(profile: Profile, parties: Parties) -> Iterator[Creation]:
    """Yield the vote, the timelock and the governor; the TaskEscrow may need the timelock as its treasury."""
    rules = profile.governance
    yield Creation(
        name="parity_token",
        contract="ParityToken",
        arguments=lambda _: (parties.token_holder, rules.supply),
    )
    yield Creation(
        name="timelock",
        contract="ParityTimelock",
        arguments=lambda _: (rules.timelock_s, parties.deployer),
    )
    yield Creation(
        name="governor",
        contract="ParityGovernor",
        arguments=lambda at: (at["parity_token"], at["timelock"], as_arguments(rules.voting)),
        evm_gas=4_814_000,
    )


def governance_calls(parties: Parties) -> tuple[Call, ...]:
    """Return the hand-over, the last calls of a deployment: after them the deployer may do nothing more."""
    return (
        _appoint("propose", PROPOSER),
        _appoint("cancel", CANCELLER),
        Call(
            what="leave the timelock to itself",
            contract="ParityTimelock",
            target="timelock",
            method="renounceRole",
            arguments=lambda _: (SET_UP, parties.deployer),
            done=lambda timelock, _: not timelock.hasRole(SET_UP, parties.deployer),
            evm_gas=25_000,
        ),
        Call(
            what="hand the AccessManager to the timelock",
            contract="ParityAccessManager",
            target="access_manager",
            method="multicall",
            arguments=lambda at: (_hand_over(at, parties),),
            done=lambda manager, at: bool(manager.hasRole(ADMIN, at["timelock"])[0]),
            evm_gas=350_000,
        ),
    )


def _appoint(what: str, role: bytes) -> Call:
    return Call(
        what=f"let the governor {what}",
        contract="ParityTimelock",
        target="timelock",
        method="grantRole",
        arguments=lambda at: (role, at["governor"]),
        done=lambda timelock, at: bool(timelock.hasRole(role, at["governor"])),
        evm_gas=52_000,
    )


def _hand_over(at: Addresses, parties: Parties) -> list[bytes]:
    """Encode what happens all at once, so that there are never two administrators and never none."""
    steps = (
        ("labelRole", GOVERNANCE, "GOVERNANCE"),
        ("labelRole", GUARDIAN, "GUARDIAN"),
        *(
            ("setTargetFunctionRole", at[name], [selector(contract, method)], role)
            for contract, name, method, role in RESTRICTED
        ),
        ("grantRole", GOVERNANCE, at["timelock"], 0),
        ("grantRole", GUARDIAN, parties.guardian, 0),
        ("grantRole", ADMIN, at["timelock"], 0),
        ("renounceRole", ADMIN, parties.deployer),
    )
    return [encode_call("ParityAccessManager", method, *arguments) for method, *arguments in steps]
