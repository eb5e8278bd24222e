"""docs/reference/faults.md, made from the record of the trials."""

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from statistics import median

from devnet.faults.matrix import Fault, Step, faults
from devnet.faults.trial import Outcome
from devnet.paths import ROOT

PAGE = Path("docs/reference/faults.md")
RECORD = Path("docs/reference/faults.jsonl")
_OF_ONE_NETWORK = re.compile(r"0x[0-9a-f]{19,}|\bbafk[a-z2-7]{50,}|(?<=127\.0\.0\.1[:/])(?:tcp/)?\d+")

_HEAD = """# Faults

What happens when a process dies or loses what it depends on while a task is under way. `make faults` makes each fault on a real network of this machine
(two runners, one chain with a block a second, Postgres, IPFS node, model engine, indexer, API server) and writes this page from
[its record](faults.jsonl); do not edit it by hand.

In each trial `parity-client` orders an answer from two runners through the relay. When the task has come to the step that the column names, the fault is made. It
lasts 3 to 6 seconds; then the cable is mended, or the process started again. Each process reaches each dependency through a cable of its own, a proxy,
which is cut in one of two ways, chosen by chance: *refused*, connections break and new ones are refused; *silent*, connections stay and nothing arrives.
The runner is the one that came to the step first, so that the task cannot end without it. A client that is killed, or gives up with an error, looks for its order
on the chain and goes on with it, or orders again if there is none.

A figure is **how many seconds after the end of the fault everything was whole**: the task settled, the answer with the client, the index and the API server ready and showing it. What a
task takes by itself, about {life}, is in it. Beside it stands *r* or *s* for how a cable was cut. All trials must end with exactly one order, answered and paid, no runner
slashed, every account and channel equal to what the events of its life come to, and StakeWallet holding what it owes; ✗ marks one that did not, and is
explained below. · is a trial that has not been made yet.
"""


def read(path: Path = ROOT / RECORD) -> dict[str, Outcome]:
    """Read a record; the last line of a cell counts."""
    if not path.exists():
        return {}
    outcomes = (Outcome(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines())
    return {outcome.key: outcome for outcome in outcomes}


def render(outcomes: dict[str, Outcome]) -> str:
    """Return the page."""
    return "\n".join(_lines(outcomes)) + "\n"


def _lines(outcomes: dict[str, Outcome]) -> Iterator[str]:
    settled = [one.whole_s for key, one in outcomes.items() if key.endswith(Step.SETTLED.value)]
    ordered = [one.whole_s for key, one in outcomes.items() if key.endswith(Step.OPEN.value)]
    life = f"{median(ordered):.0f} s from the order" if ordered else "not measured yet"
    yield from _HEAD.format(life=life).splitlines()
    kept = [one for one in outcomes.values() if one.holds]
    yield ""
    yield f"{len(outcomes)} of {len(Step) * len(list(faults()))} trials made, {len(kept)} of them as they must be."
    if settled:
        yield f"After the slowest everything was whole in {max(one.whole_s for one in outcomes.values()):.0f} s."
    yield ""
    yield "| fault | " + " | ".join(step.value for step in Step) + " |"
    yield "|---" * (len(Step) + 1) + "|"
    for fault in faults():
        yield f"| {fault.name} | " + " | ".join(_cells(fault, outcomes)) + " |"
    yield from _told(outcomes.values())
    yield from _broken(outcomes.values())


def _cells(fault: Fault, outcomes: dict[str, Outcome]) -> Iterator[str]:
    for step in Step:
        one = outcomes.get(f"{fault.name}: {step.value}")
        if one is None:
            yield "·"
        else:
            how = f" {one.how[0]}" if one.how else ""
            yield f"{one.whole_s:.0f}{how}{'' if one.holds else ' ✗'}"


def _told(outcomes: Iterable[Outcome]) -> Iterator[str]:
    """List what the client said where it gave up, and when."""
    said: dict[str, list[str]] = {}
    for one in outcomes:
        for error in one.said:
            said.setdefault(_plain(error), []).append(one.key)
    if said:
        yield from ("", "## What the client says", "", "Where it gave up for the time being:", "")
        yield from (f"- `{error}` ({'; '.join(sorted(set(keys)))})" for error, keys in sorted(said.items()))


def _plain(error: str) -> str:
    """Leave out what is another thing in each network: ports, ids of tasks, and what content is called."""
    return " ".join(_OF_ONE_NETWORK.sub("…", error.replace("`", "'")).split())


def _broken(outcomes: Iterable[Outcome]) -> Iterator[str]:
    broken = [one for one in outcomes if not one.holds]
    if broken:
        yield from ("", "## Not as it must be", "")
        for one in broken:
            why = [one.status, f"{one.orders} orders", f"slashed {one.slashed}", *one.unbalanced]
            yield f"- {one.key}: {', '.join(why)}"
