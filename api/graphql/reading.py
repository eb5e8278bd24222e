"""What one operation reads: a snapshot, and loaders that join all lookups of a level into one statement."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence

from strawberry.dataloader import DataLoader

from api.chain_link import ChainLink
from api.database import Record, Snapshot
from api.freshness import require_block
from api.queries import accounts, audits, documents, monitoring, prompts, runners, sessions, tasks
from api.shared import heartbeats
from api.shared.state import SharedState
from api.tickets import Draw, DrawKey, draws_of

Load = Callable[[Snapshot, Sequence[bytes]], Awaitable[Sequence[Record]]]
One = DataLoader[bytes, Record | None]
Many = DataLoader[bytes, list[Record]]


class Reading:
    """Loaders over one snapshot. Closed by whoever opened it."""

    def __init__(self, snapshot: Snapshot, link: ChainLink, shared: SharedState) -> None:
        self.snapshot = snapshot
        self._link, self._shared = link, shared
        self._past: dict[int, Reading] = {}
        self.task = _one(snapshot, tasks.by_ids, key="task_id")
        self.seats = _many(snapshot, tasks.seats_of, key="task_id")
        self.timeline = _many(snapshot, tasks.timelines_of, key="task_id")
        self.prompt = _one(snapshot, prompts.by_ids, key="task_id")
        self.runner = _one(snapshot, runners.by_nodes, key="node")
        self.offers = _many(snapshot, runners.offers_of, key="node")
        self.balance = _one(snapshot, accounts.balances_of, key="account")
        self.document = _one(snapshot, documents.by_digests, key="digest")
        self.rounds = _many(snapshot, sessions.rounds_of, key="session_id")
        self.participants = _many(snapshot, sessions.participants_of, key="session_id")
        self.session_timeline = _many(snapshot, sessions.timelines_of, key="session_id")
        self.contributions = _many(snapshot, sessions.contributions_of, key="session_id")
        self.audit = _one(snapshot, audits.by_tasks, key="task_id")
        self.panels = _many(snapshot, audits.panels_of, key="task_id")
        self.votes = _many(snapshot, audits.votes_of, key="task_id")
        self.duty_reports: DataLoader[tuple[bytes, bytes], list[Record]] = DataLoader(
            load_fn=lambda duties: _reports(snapshot, duties)
        )
        self.heartbeat = _shared(shared, heartbeats.of, key="node")
        self.draws: DataLoader[DrawKey, list[Draw]] = DataLoader(
            load_fn=lambda keys: draws_of(link, snapshot, keys)
        )

    async def require(self, min_block: int | None) -> None:
        """Raise `IndexBehind` unless the snapshot holds `min_block`."""
        await require_block(self.snapshot, min_block)

    @property
    def is_past(self) -> bool:
        """Say whether it reads as of an earlier block."""
        return self.snapshot.as_of is not None

    def at(self, block: int | None) -> "Reading":
        """Give the reading of an earlier block within the same snapshot; this one, if there is no block."""
        if block is None:
            return self
        if block not in self._past:
            self._past[block] = Reading(self.snapshot.at(block), self._link, self._shared)
        return self._past[block]

    async def close(self) -> None:
        """Give the snapshot's connection back."""
        await self.snapshot.close()


def _one(snapshot: Snapshot, load: Load, *, key: str) -> One:
    async def batch(keys: list[bytes]) -> list[Record | None]:
        rows = {row[key]: row for row in await load(snapshot, keys)}
        return [rows.get(wanted) for wanted in keys]

    return DataLoader(load_fn=batch)


def _shared(
    shared: SharedState,
    load: Callable[[SharedState, Sequence[bytes]], Awaitable[Sequence[Record]]],
    *,
    key: str,
) -> One:
    async def batch(keys: list[bytes]) -> list[Record | None]:
        rows = {row[key]: row for row in await load(shared, keys)}
        return [rows.get(wanted) for wanted in keys]

    return DataLoader(load_fn=batch)


async def _reports(snapshot: Snapshot, duties: list[tuple[bytes, bytes]]) -> list[list[Record]]:
    groups: defaultdict[tuple[bytes, bytes], list[Record]] = defaultdict(list)
    for row in await monitoring.reports_of(snapshot, duties):
        groups[row["round"], row["monitor"]].append(row)
    return [groups[duty] for duty in duties]


def _many(snapshot: Snapshot, load: Load, *, key: str) -> Many:
    async def batch(keys: list[bytes]) -> list[list[Record]]:
        groups: defaultdict[bytes, list[Record]] = defaultdict(list)
        for row in await load(snapshot, keys):
            groups[row[key]].append(row)
        return [groups[wanted] for wanted in keys]

    return DataLoader(load_fn=batch)
