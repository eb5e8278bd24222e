"""The votes that this runner has sealed, on disk before the chain hears of them: one that cannot be opened costs stake."""

import json
from dataclasses import dataclass, replace

from protocol.audit import AuditEvidence, Ballot, parse_evidence
from protocol.cid import digest_of
from protocol.commitment import new_salt
from protocol.documents import canonical
from runner.journal import Journal

_HELD = "audits"
"""Fact with the cases and rounds in which a vote was sealed and which are not over."""
VALID = "valid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """A sealed vote with the document that says why, which nobody sees before the vote is opened.

    `due`: it has, or may still get, a seat in which it has to be opened.
    """

    ballot: Ballot
    evidence: bytes
    due: bool


class Ballots:
    """Votes by task and round, in the runner's journal."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def held(self) -> list[tuple[bytes, int]]:
        """List task and round of the votes whose case is not over, oldest first."""
        return [(bytes.fromhex(str(task)), int(round_)) for task, round_ in self._held()]

    def due(self) -> int:
        """Count the votes that still have to be opened."""
        found = [self.of(task, round_) for task, round_ in self.held()]
        return sum(sealed is not None and sealed.due for sealed in found)

    def of(self, task_id: bytes, round_: int) -> Sealed | None:
        """Return the vote that is sealed, or is about to be."""
        text = self._journal.fact(_name(task_id, round_))
        return _read(text) if text else None

    def seal(self, task_id: bytes, round_: int, evidence: AuditEvidence) -> Sealed:
        """Keep a vote with a fresh salt, in one write and once: a second call gives what counts already."""
        if found := self.of(task_id, round_):
            return found
        content = canonical(evidence)
        ballot = Ballot(valid=evidence.finding == VALID, evidence=digest_of(content), salt=new_salt())
        sealed = Sealed(ballot=ballot, evidence=content, due=True)
        with self._journal.together():
            self._write(task_id, round_, sealed)
            self._journal.set_fact(_HELD, json.dumps([*self._held(), [task_id.hex(), round_]]))
        return sealed

    def set_due(self, task_id: bytes, round_: int, *, due: bool) -> None:
        """Record whether a vote still has to be opened, by what the chain has."""
        sealed = self.of(task_id, round_)
        if sealed is not None and sealed.due is not due:
            self._write(task_id, round_, replace(sealed, due=due))

    def close(self, task_id: bytes) -> None:
        """Forget the votes in a case that is over."""
        with self._journal.together():
            for task, round_ in self.held():
                if task == task_id:
                    self._journal.set_fact(_name(task, round_), "")
            left = [entry for entry in self._held() if entry[0] != task_id.hex()]
            self._journal.set_fact(_HELD, json.dumps(left))

    def _held(self) -> list[list[str | int]]:
        held: list[list[str | int]] = json.loads(self._journal.fact(_HELD) or "[]")
        return held

    def _write(self, task_id: bytes, round_: int, sealed: Sealed) -> None:
        written = {
            "evidence": sealed.evidence.decode(),
            "salt": sealed.ballot.salt.hex(),
            "due": sealed.due,
        }
        self._journal.set_fact(_name(task_id, round_), json.dumps(written))


def _name(task_id: bytes, round_: int) -> str:
    return f"audit {task_id.hex()} {round_}"


def _read(text: str) -> Sealed:
    kept = json.loads(text)
    content = kept["evidence"].encode()
    ballot = Ballot(
        valid=parse_evidence(content).finding == VALID,
        evidence=digest_of(content),
        salt=bytes.fromhex(kept["salt"]),
    )
    return Sealed(ballot=ballot, evidence=content, due=kept["due"])
