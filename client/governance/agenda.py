"""What a proposal would change: the newest versions of the parameters, with other values in some fields."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from protocol.abi import load_abi
from protocol.chain import Chain
from protocol.errors import InputError

Struct = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Subject:
    """A struct of numbers that governance adds versions of; the names of its parameters begin with `prefix`."""

    contract: str
    method: str
    prefix: str = ""

    def fields(self) -> Iterator[tuple[str, int]]:
        """Yield each parameter's name, such as `fee-bps`, and how many bits it holds."""
        entry = next(e for e in load_abi(self.contract) if e.get("name") == self.method)
        for field in entry["inputs"][-1]["components"]:
            name = re.sub(r"(?=[A-Z])", "-", field["name"]).lower()
            yield f"{self.prefix}{name}", int(field["type"].removeprefix("uint"))

    def changed(self, latest: Struct, wanted: Mapping[str, int]) -> tuple[Struct, list[str]]:
        """Return the struct with what is wanted, and what that changes in words."""
        struct, changes = [], []
        for (name, _), old in zip(self.fields(), latest, strict=True):
            new = wanted.get(name, old)
            struct.append(new)
            if new != old:
                changes.append(f"{name} from {old} to {new}")
        return tuple(struct), changes


TASKS = Subject("TaskEscrow", "addParams")
AUDITS = Subject("AuditCourt", "addRules")
SESSIONS = Subject("SessionCharter", "addParams", prefix="session-")
SUBJECTS = (TASKS, AUDITS, SESSIONS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Agenda:
    """The calls of a proposal, all or none of which are made, and what they change in words."""

    targets: tuple[str, ...]
    calls: tuple[bytes, ...]
    changes: str


def parameter_names() -> tuple[str, ...]:
    """List what can be changed."""
    return tuple(name for subject in SUBJECTS for name, _ in subject.fields())


async def draw_up(chain: Chain, wanted: Mapping[str, int]) -> Agenda:
    """Put together what the wanted values ask for; what the contracts would refuse in the end is refused now.

    Raises `InputError` for an unknown parameter, a value that it cannot hold, or no change; `TransactionReverted`.
    """
    _check(wanted)
    escrow, charter = chain.escrow.functions, chain.charter.functions
    newest = int(await chain.call(escrow.latestParamsId()))
    params, changes = TASKS.changed(await chain.call(escrow.paramsOf(newest)), wanted)
    rules, rule_changes = AUDITS.changed(await _latest_rules(chain, newest), wanted)
    latest = await chain.call(charter.paramsOf(await chain.call(charter.latestParamsId())))
    terms, term_changes = SESSIONS.changed(latest, wanted)
    steps: list[tuple[Any, str, list[Any]]] = []
    if changes or rule_changes:
        # A version has no audits before it has rules of its own, and those are never changed.
        steps += [(chain.escrow, "addParams", [params]), (chain.court, "addRules", [newest + 1, rules])]
    if term_changes:
        steps.append((chain.charter, "addParams", [terms]))
    if not steps:
        raise InputError(
            "nothing would change",
            field="--set",
            hint="Set a parameter to another value, such as --set fee-bps=300.",
        )
    agenda = Agenda(
        targets=tuple(str(contract.address) for contract, _, _ in steps),
        calls=tuple(_bytes(contract.encode_abi(method, args=args)) for contract, method, args in steps),
        changes=", ".join([*changes, *rule_changes, *term_changes]),
    )
    await _try(chain, agenda)
    return agenda


def _check(wanted: Mapping[str, int]) -> None:
    sizes = {name: bits for subject in SUBJECTS for name, bits in subject.fields()}
    for name, value in wanted.items():
        if name not in sizes:
            raise InputError(
                f"--set: there is no parameter {name!r}",
                field="--set",
                hint=f"Choose of {', '.join(parameter_names())}.",
            )
        if not 0 <= value < 2 ** sizes[name]:
            raise InputError(
                f"--set: {name} cannot be {value}",
                field="--set",
                hint=f"Use a whole number from 0 to {2 ** sizes[name] - 1}.",
            )


async def _latest_rules(chain: Chain, newest: int) -> Struct:
    """Return the rules of the newest version that has some; zeros, which the court refuses, where none has."""
    for version in range(newest, 0, -1):
        rules: Struct = tuple(await chain.call(chain.court.functions.rulesOf(version)))
        if any(rules):
            return rules
    return tuple(0 for _ in AUDITS.fields())


async def _try(chain: Chain, agenda: Agenda) -> None:
    """Make the calls one after the other without sending them.

    The AccessManager makes them for whoever may: one call of the timelock's that contains them all.
    """
    place = chain.w3.to_checksum_address(chain.deployment.access_manager)
    manager = chain.w3.eth.contract(address=place, abi=load_abi("ParityAccessManager"))
    steps = [
        _bytes(manager.encode_abi("execute", args=[target, call]))
        for target, call in zip(agenda.targets, agenda.calls, strict=True)
    ]
    await chain.call(manager.functions.multicall(steps), sender=chain.deployment.timelock)


def _bytes(encoded: str) -> bytes:
    return bytes.fromhex(encoded.removeprefix("0x"))
