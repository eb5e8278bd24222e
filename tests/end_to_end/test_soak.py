"""A network day in little: real daemons of which one cheats, and everything accounted for at the end."""

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from devnet.accounts import LOCAL
from devnet.progress import Progress
from devnet.records import hold_lock
from devnet.soak.plan import SoakPlan
from devnet.soak.rehearsal import rehearse

pytestmark = pytest.mark.timeout(600)


async def test_a_cheat_is_convicted_by_real_daemons_and_every_token_is_accounted_for(tmp_path: Path) -> None:
    # Without liars, who take three monitoring epochs to be found out, learning and faults: `make soak` has them all.
    plan = SoakPlan(tasks=3, runners=5, fault_every_s=0, commands=False, await_liars=False, sessions=False)
    state = tmp_path / "day"
    with hold_lock(state):
        outcome = await rehearse(plan, state=state, progress=Progress(Console(file=StringIO())))
    assert {finding.what: finding.found for finding in outcome.findings if not finding.holds} == {}
    cheat = outcome.standing[0]
    assert cheat.fortune.slashed > 0
    assert cheat.record.wrong > 0
    assert outcome.evidence.books.fortunes[LOCAL.owner(0).address] == cheat.fortune
    assert outcome.done["prompt by quorum"] == 1
    assert outcome.done["chat"] == 1
