"""What must hold when the rehearsal is over, beside the ledger: who lost stake and score, and whether the index tells the same."""

import asyncio
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from devnet.accounts import LOCAL
from devnet.demo import Reputation
from devnet.ledger.books import Books, Fortune
from devnet.ledger.findings import Finding
from devnet.network import Network
from devnet.services import base_environment, runner_name
from devnet.soak.plan import SoakPlan
from protocol.chain import Chain
from protocol.money import format_usdfc

_START_SCORE = 500_000
_MONITOR_MISSED = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How one runner came out. Amounts are USDFC base units; `missed_duties` counts monitor's reports not given, or lies."""

    name: str
    role: str
    fortune: Fortune
    record: Reputation
    missed_duties: int

    @property
    def profit(self) -> int:
        """Return what settlements paid its owner less what they took of its stake."""
        return self.fortune.paid - self.fortune.slashed


async def standings(chain: Chain, plan: SoakPlan, books: Books) -> list[Standing]:
    """Read how each runner came out."""
    found = []
    for number in range(plan.runners):
        score = await chain.call(chain.reputation.functions.scoreOf(LOCAL.node(number).address))
        found.append(
            Standing(
                name=runner_name(number),
                role=plan.role_of(number),
                fortune=books.fortunes[LOCAL.owner(number).address],
                record=Reputation(*score[:4]),
                missed_duties=score[_MONITOR_MISSED],
            )
        )
    return found


def judge(plan: SoakPlan, standing: list[Standing]) -> Iterator[Finding]:
    """Return whether each got what it deserved."""
    for number in plan.cheats:
        cheat = standing[number]
        caught = cheat.fortune.slashed > 0 and cheat.record.score < _START_SCORE
        yield Finding(f"{cheat.name} ({cheat.role}) is slashed and has lost score", caught, _words(cheat))
    for number in plan.liars if plan.await_liars else ():
        liar = standing[number]
        yield Finding(
            f"{liar.name} ({liar.role}) is marked as a bad monitor", liar.missed_duties > 0, _words(liar)
        )
    guilty = {*plan.cheats, *plan.half_trained}
    wronged = [one for number, one in enumerate(standing) if number not in guilty and one.fortune.slashed > 0]
    yield Finding(
        "no honest runner is slashed", not wronged, "; ".join(map(_words, wronged)) or "none lost stake"
    )
    honest = [one.profit for number, one in enumerate(standing) if number not in guilty]
    cheating = [standing[number].profit for number in plan.cheats]
    better = sum(honest) / len(honest) > max(cheating)
    yield Finding(
        "honest work earned more than cheating",
        better,
        f"{format_usdfc(sum(honest) // len(honest))} on average, against {format_usdfc(max(cheating))} at best",
    )


def _words(one: Standing) -> str:
    record = one.record
    return (
        f"{one.name}: slashed {format_usdfc(one.fortune.slashed)}, score {record.score / 10_000:.1f} %, "
        f"{record.right} right, {record.wrong} wrong, {record.missed} missed"
    )


async def index_is_true(network: Network) -> Finding:
    """Have the indexer compare its tables with a fresh fold of the chain, and with the contracts."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "indexer", "verify",
        env={**base_environment(), **network.environment, "LOG_LEVEL": "error"},
        cwd=network.plan.state,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await child.communicate()
    last = output.decode().strip().splitlines()[-1:] or [""]
    return Finding("the index is equal to a fresh fold of the chain", child.returncode == 0, last[0])
