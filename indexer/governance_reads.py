"""Ask the governor for what the tables about proposals say of it."""

import asyncpg

from indexer.contract import Contract
from indexer.fold.governance import SUPPORT

_COUNTS = dict(zip(SUPPORT, ("againstVotes", "forVotes", "abstainVotes"), strict=True))
"""Where the governor counts each kind of vote."""

_LAST_WORDS = "SELECT DISTINCT proposal_id, name FROM proposal_events WHERE name IN ('ProposalExecuted', 'ProposalCanceled')"
_STATES = {"ProposalCanceled": 2, "ProposalExecuted": 7}
"""OpenZeppelin's ProposalState for what ends a proposal for good."""


async def compare_with_governor(governor: Contract, view: asyncpg.Connection) -> list[str]:
    """List what the governor and the tables say differently of proposals and votes; empty when they agree."""
    found: list[str] = []
    count = (await governor.read("proposalCount"))["value"]
    created = await view.fetchval("SELECT count(*) FROM proposal_events WHERE name = 'ProposalCreated'")
    if created != count:
        found.append(f"proposal_events: {created} proposals were made, the governor counts {count}")
    for row in await view.fetch(_LAST_WORDS):
        state = (await governor.read("state", int(row["proposal_id"])))["value"]
        if state != _STATES[row["name"]]:
            found.append(
                f"proposal_events {row['proposal_id']}: {row['name']}, the governor says state {state}"
            )
    for row in await view.fetch("SELECT proposal_id, voter FROM proposal_votes"):
        voted = (await governor.read("hasVoted", int(row["proposal_id"]), row["voter"]))["value"]
        if not voted:
            found.append(f"proposal_votes {row['proposal_id']}: 0x{row['voter'].hex()} never voted on it")
    return found + await _uncounted(governor, view)


async def _uncounted(governor: Contract, view: asyncpg.Connection) -> list[str]:
    """Compare the sums of the votes on each proposal that was ever made."""
    sums = {
        (int(row["proposal_id"]), row["support"]): row["weight"]
        for row in await view.fetch(
            "SELECT proposal_id, support, sum(weight) AS weight FROM proposal_votes GROUP BY proposal_id, support"
        )
    }
    found: list[str] = []
    for row in await view.fetch("SELECT proposal_id FROM proposal_events WHERE name = 'ProposalCreated'"):
        proposal = int(row["proposal_id"])
        counted = await governor.read("proposalVotes", proposal)
        found += [
            f"proposal_votes {proposal}: {sums.get((proposal, support), 0)} {support}, the governor counts {counted[name]}"
            for support, name in _COUNTS.items()
            if sums.get((proposal, support), 0) != counted[name]
        ]
    return found
