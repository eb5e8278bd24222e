"""What a proposal would change: the newest versions of the protocol's parameters, with other values in some fields."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import click

from protocol.deployment import Deployment
from protocol.errors import InputError
from scripts._encoding import encode_call, function_of
from scripts._session import Session

Struct = tuple[int, ...]
Chosen = dict[str, int | None]


@dataclass(frozen=True, slots=True)
class Subject:
    """A struct of numbers that governance adds versions of; its options begin with `prefix`."""

    contract: str
    method: str
    prefix: str = ""

    def fields(self) -> Iterator[tuple[str, int]]:
        """Yield each field's name and how many bits it holds."""
        for field in function_of(self.contract, self.method)["inputs"][-1]["components"]:
            yield field["name"], int(field["type"].removeprefix("uint"))

    def key(self, field: str) -> str:
        """Return under which name click hands over what was chosen for a field."""
        return f"{self.prefix}_{field}".strip("_")

    def changed(self, latest: Struct, chosen: Chosen) -> tuple[Struct, list[str]]:
        """Return the struct with what was chosen, and what that changes in words."""
        struct, changes = [], []
        for (field, _), old in zip(self.fields(), latest, strict=True):
            wanted = chosen[self.key(field)]
            new = old if wanted is None else wanted
            struct.append(new)
            if new != old:
                changes.append(f"{self.prefix} {field} from {old} to {new}".strip())
        return tuple(struct), changes


TASKS = Subject("TaskEscrow", "addParams")
AUDITS = Subject("AuditCourt", "addRules")
SESSIONS = Subject("SessionCharter", "addParams", prefix="session")


@dataclass(frozen=True, slots=True)
class Agenda:
    """The calls of a proposal, all or none of which are made, and in words what they change."""

    targets: list[str]
    calls: list[bytes]
    changes: str


def change_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add an option for each field that a proposal may change, within what its type can hold."""
    for subject in (SESSIONS, AUDITS, TASKS):
        for field, bits in reversed(list(subject.fields())):
            key = subject.key(field)
            option = re.sub(r"(?=[A-Z])", "-", key).lower().replace("_", "-")
            command = click.option(f"--{option}", key, type=click.IntRange(0, 2**bits - 1))(command)
    return command


def agenda_of(session: Session, deployment: Deployment, chosen: Chosen) -> Agenda:
    """Put together what the chosen values ask for; what the contracts would refuse in the end is refused now."""
    escrow = session.contract("TaskEscrow", deployment.task_escrow)
    charter = session.contract("SessionCharter", deployment.session_charter)
    newest = int(escrow.latestParamsId())
    params, changes = TASKS.changed(_struct(escrow.paramsOf(newest)), chosen)
    rules, rule_changes = AUDITS.changed(_latest_rules(session, deployment, newest), chosen)
    terms, term_changes = SESSIONS.changed(_struct(charter.paramsOf(charter.latestParamsId())), chosen)
    steps = []
    if changes or rule_changes:
        # A version has no audits before it has rules of its own, and those are never changed.
        steps.append((deployment.task_escrow, encode_call("TaskEscrow", "addParams", params)))
        steps.append((deployment.audit_court, encode_call("AuditCourt", "addRules", newest + 1, rules)))
    if term_changes:
        steps.append((deployment.session_charter, encode_call("SessionCharter", "addParams", terms)))
    if not steps:
        raise InputError(
            "nothing would change",
            field="options",
            hint="Set a parameter to another value, such as --fee-bps 300.",
        )
    targets, calls = [target for target, _ in steps], [call for _, call in steps]
    _try(session, deployment, targets, calls)
    return Agenda(targets, calls, ", ".join([*changes, *rule_changes, *term_changes]))


def _struct(answer: Any) -> Struct:
    return tuple(int(value) for value in answer)


def _latest_rules(session: Session, deployment: Deployment, newest: int) -> Struct:
    """Return the rules of the newest version that has some; zeros, which the court refuses, where none has."""
    court = session.contract("AuditCourt", deployment.audit_court)
    for version in range(newest, 0, -1):
        rules = _struct(court.rulesOf(version))
        if any(rules):
            return rules
    return tuple(0 for _ in AUDITS.fields())


def _try(session: Session, deployment: Deployment, targets: list[str], calls: list[bytes]) -> None:
    """Make the calls one after the other without sending them.

    The AccessManager makes them for whoever may: one call of the timelock's that contains them all.
    """
    steps = [
        encode_call("ParityAccessManager", "execute", target, call)
        for target, call in zip(targets, calls, strict=True)
    ]
    batch = encode_call("ParityAccessManager", "multicall", steps)
    session.simulate(deployment.access_manager, batch, sender=deployment.timelock)
