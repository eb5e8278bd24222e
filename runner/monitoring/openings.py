"""What this runner has committed to say about others, on disk before the chain hears of it."""

import json
from collections.abc import Iterable

from protocol.commitment import new_salt
from protocol.enums import ReportKind
from protocol.monitoring import Opening, Report, opening
from runner.journal import Journal

_OPEN = "monitoring"
"""Fact with the rounds that something remains to be done about."""


class Openings:
    """Reports and salts by round, in the runner's journal."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def rounds(self) -> list[int]:
        """List the rounds that are not over, oldest first."""
        return [int(text) for text in json.loads(self._journal.fact(_OPEN) or "[]")]

    def of(self, round_: int) -> Opening | None:
        """Return what is committed to, or is about to be."""
        text = self._journal.fact(_name(round_))
        return _read(text) if text else None

    def seal(self, round_: int, reports: Iterable[Report]) -> Opening:
        """Keep reports with a fresh salt, in one write and once: a second call gives what counts already."""
        if found := self.of(round_):
            return found
        made = opening(reports, new_salt())
        with self._journal.together():
            self._journal.set_fact(_name(round_), _written(made))
            self._journal.set_fact(_OPEN, json.dumps([*map(str, self.rounds()), str(round_)]))
        return made

    def due(self) -> list[int]:
        """List the rounds whose sealed reports are still to be revealed."""
        return [round_ for round_ in self.rounds() if not self._journal.fact(_revealed(round_))]

    def reveal(self, round_: int) -> None:
        """Note that what was sealed for a round needs no reveal any more."""
        if self.of(round_) is not None:
            self._journal.set_fact(_revealed(round_), "yes")

    def close(self, round_: int) -> None:
        """Forget a round that is over."""
        with self._journal.together():
            self._journal.set_fact(_name(round_), "")
            self._journal.set_fact(_revealed(round_), "")
            left = [str(other) for other in self.rounds() if other != round_]
            self._journal.set_fact(_OPEN, json.dumps(left))


def _name(round_: int) -> str:
    return f"monitoring {round_:x}"


def _revealed(round_: int) -> str:
    return f"monitoring {round_:x} revealed"


def _written(made: Opening) -> str:
    reports = [[report.target, int(report.kind), report.evidence.hex()] for report in made.reports]
    return json.dumps({"reports": reports, "salt": made.salt.hex()})


def _read(text: str) -> Opening:
    kept = json.loads(text)
    reports = tuple(
        Report(target=target, kind=ReportKind(kind), evidence=bytes.fromhex(evidence))
        for target, kind, evidence in kept["reports"]
    )
    return Opening(reports=reports, salt=bytes.fromhex(kept["salt"]))
