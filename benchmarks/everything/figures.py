"""Figures beside peers' figures, as the benchmarks print them, and the file in which the newest of each are kept."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

RECORD = Path(__file__).with_name("record.jsonl")
_MORE_IS_BETTER = ("1/s", "answers/s", "events/s", "accuracy", "share")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure of `suite`, the median of `runs`; `machine` and `on` (a date) tell where and when. `quick`: of a small run."""

    suite: str
    name: str
    ours: float
    peer: float | None
    unit: str
    peer_name: str = ""
    runs: int = 1
    machine: str = ""
    on: str = ""
    quick: bool = False

    @property
    def times_better(self) -> float | None:
        """Return how many times better ours is; below 1 the peer's is. None also where a share is good or bad by whose it is."""
        if not self.peer or not self.ours or self.unit.startswith("share of"):
            return None
        return self.ours / self.peer if self.unit in _MORE_IS_BETTER else self.peer / self.ours


def read_documents(suite: str, text: str) -> list[Figure]:
    """Read what a benchmark printed with JSON=1. Lines that are no documents are progress, and left out."""
    documents = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    return [figure for document in documents for figure in _figures(suite, document)]


def medians(suite: str, runs: Iterable[list[Figure]]) -> list[Figure]:
    """Return the median of each figure beside each peer over some runs, in the order of the first."""
    found: dict[tuple[str, str], list[Figure]] = {}
    for figures in runs:
        for one in figures:
            found.setdefault((one.name, one.peer_name), []).append(one)
    return [
        Figure(
            suite=suite,
            name=name,
            ours=median(one.ours for one in same),
            peer=median(peers) if (peers := [one.peer for one in same if one.peer is not None]) else None,
            unit=same[0].unit,
            peer_name=beside,
            runs=sum(one.runs for one in same),
        )
        for (name, beside), same in found.items()
    ]


def load(path: Path = RECORD) -> list[Figure]:
    """Read the record; none where there is no file."""
    if not path.exists():
        return []
    return [Figure(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]


def keep(figures: list[Figure], path: Path = RECORD) -> None:
    """Put the figures of some suites in the place of the ones that these suites had; those of others stay."""
    suites = {figure.suite for figure in figures}
    kept = [figure for figure in load(path) if figure.suite not in suites]
    lines = [json.dumps(asdict(figure), ensure_ascii=False) + "\n" for figure in (*kept, *figures)]
    path.write_text("".join(lines), encoding="utf-8")


def value(name: str, *, path: Path = RECORD) -> float:
    """Return a recorded figure of ours by its name. KeyError when it was never measured."""
    return {figure.name: figure.ours for figure in load(path)}[name]


def _figures(suite: str, document: dict[str, Any]) -> list[Figure]:
    if "ours" in document:
        peer = document.get("peer")
        return [
            Figure(
                suite=suite, name=document["name"], ours=document["ours"], peer=peer, unit=document["unit"]
            )
        ]
    if "case" in document:
        name = f"{document['benchmark']}: {document['case']}"
        ours, peer, beside = document["value"], document["peer_value"], document["peer"]
        return [
            Figure(
                suite=suite,
                name=name,
                ours=ours,
                peer=peer,
                unit=document["unit"],
                peer_name=beside,
                runs=document.get("runs", 1),
            )
        ]
    if "strategy" in document:
        name = f"profit of {document['strategy']}"
        return [Figure(suite=suite, name=name, ours=document["profit"], peer=None, unit="USDFC")]
    return [
        Figure(
            suite=suite,
            name=f"{row['query']}, {row['clients']} clients",
            ours=row["parity"]["rate"],
            peer=row["postgraphile"]["rate"] if "postgraphile" in row else None,
            unit="answers/s",
        )
        for row in document["rows"]
    ]
