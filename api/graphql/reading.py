"""What one operation reads: a snapshot, and loaders that join all lookups of a level into one statement."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar

from strawberry.dataloader import DataLoader

from api.chain_link import ChainLink
from api.database import Record, Snapshot
from api.freshness import require_block
from api.governance import Governance, ProposalRecord
from api.graphql.below import Below, pages_below
from api.paging import Page
from api.queries import (
    accounts,
    audits,
    channels,
    documents,
    monitoring,
    prompts,
    runners,
    sessions,
    tasks,
    votes,
)
from api.shared import heartbeats
from api.shared.state import SharedState
from api.statements import Tables
from api.tickets import Draw, DrawKey, draws_of

Load = Callable[[Tables], str]
"""Writes a statement that asks for what belongs to a list of ids, its `$1`."""
Fetch = Callable[[SharedState, Sequence[bytes]], Awaitable[Sequence[Record]]]
Found = Mapping[bytes, Any]
"""Rows by key: one of each, or the list of all."""
One = DataLoader[bytes, Record | None]
Many = DataLoader[bytes, list[Record]]
L = TypeVar("L")


class loader(Generic[L]):  # noqa: N801  # used as a decorator is, like `property`
    """A loader of a reading, made when it is first used: most readings use few of them."""

    def __init__(self, make: Callable[["Reading"], L]) -> None:
        self._make = make
        self._name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, reading: "Reading", owner: type) -> L:
        made = self._make(reading)
        reading.__dict__[self._name] = made
        return made


class RowLoader(loader[Any]):
    """A loader of rows by `key`, a column: one of each, or `many`."""

    def __init__(self, load: Load, *, key: str, many: bool) -> None:
        super().__init__(lambda reading: (_many if many else _one)(reading.snapshot, load, key=key))
        self.load = load
        self.key = key
        self.many = many

    def found(self, rows: Iterable[Record]) -> Found:
        """Put rows by their keys."""
        if not self.many:
            return {row[self.key]: row for row in rows}
        groups: dict[bytes, list[Record]] = {}
        for row in rows:
            groups.setdefault(row[self.key], []).append(row)
        return groups


class SharedLoader(RowLoader):
    """A loader of rows of the shared state, one of each: by its own connection, which sees to it that the tables are there."""

    def __init__(self, load: Load, fetch: Fetch, *, key: str) -> None:
        super().__init__(load, key=key, many=False)
        self._make = lambda reading: _shared(reading.shared, fetch, key=key)


def _one_of(load: Load, *, key: str) -> RowLoader:
    return RowLoader(load, key=key, many=False)


def _all_of(load: Load, *, key: str) -> RowLoader:
    return RowLoader(load, key=key, many=True)


@dataclass(frozen=True, slots=True)
class Ahead:
    """A loader that a field below will ask: for the object's own id, or for what `load` finds by it."""

    loader: str
    load: Load | None = None


class Reading:
    """Loaders over one snapshot. Closed by whoever opened it."""

    snapshot: Snapshot
    link: ChainLink
    shared: SharedState

    task = _one_of(tasks.by_ids, key="task_id")
    seats = _all_of(tasks.seats_of, key="task_id")
    timeline = _all_of(tasks.timelines_of, key="task_id")
    prompt = _one_of(prompts.by_ids, key="task_id")
    runner = _one_of(runners.by_nodes, key="node")
    offers = _all_of(runners.offers_of, key="node")
    balance = _one_of(accounts.balances_of, key="account")
    document = _one_of(documents.by_digests, key="digest")
    session = _one_of(sessions.by_ids, key="session_id")
    rounds = _all_of(sessions.rounds_of, key="session_id")
    participants = _all_of(sessions.participants_of, key="session_id")
    session_timeline = _all_of(sessions.timelines_of, key="session_id")
    contributions = _all_of(sessions.contributions_of, key="session_id")
    audit = _one_of(audits.by_tasks, key="task_id")
    panels = _all_of(audits.panels_of, key="task_id")
    channel = _one_of(channels.by_ids, key="channel_id")
    votes = _all_of(audits.votes_of, key="task_id")
    heartbeat = SharedLoader(heartbeats.by_nodes, heartbeats.of, key="node")

    def __init__(self, snapshot: Snapshot, link: ChainLink, shared: SharedState) -> None:
        self.snapshot = snapshot
        self.link, self.shared = link, shared
        self._past: dict[int, Reading] = {}

    @cached_property
    def duty_reports(self) -> DataLoader[tuple[bytes, bytes], list[Record]]:
        """Load what monitors said in rounds, by round and monitor."""
        return DataLoader(load_fn=lambda duties: _reports(self.snapshot, duties))

    @cached_property
    def draws(self) -> DataLoader[DrawKey, list[Draw]]:
        """Load the lottery of tasks."""
        return DataLoader(load_fn=lambda keys: draws_of(self.link, self.snapshot, keys))

    @cached_property
    def below(self) -> DataLoader[Below, Page]:
        """Load pages of what belongs to objects."""
        return pages_below(self.snapshot)

    @cached_property
    def proposal(self) -> DataLoader[int, ProposalRecord | None]:
        """Load proposals, from the governor at the chain's head."""
        return DataLoader(load_fn=lambda ids: _proposals(self.link, ids))

    @cached_property
    def proposal_timeline(self) -> DataLoader[int, list[Record]]:
        """Load what became of proposals."""
        return DataLoader(load_fn=lambda ids: _proposal_timelines(self.snapshot, ids))

    async def require(self, min_block: int | None) -> None:
        """Raise `IndexBehind` unless the snapshot holds `min_block`."""
        await require_block(self.snapshot, min_block)

    @property
    def is_past(self) -> bool:
        """Return whether it reads as of an earlier block."""
        return self.snapshot.tables.as_of is not None

    def at(self, block: int | None) -> "Reading":
        """Return the reading of an earlier block within the same snapshot; this one, if there is no block."""
        if block is None:
            return self
        if block not in self._past:
            self._past[block] = Reading(self.snapshot.at(block), self.link, self.shared)
        return self._past[block]

    async def close(self) -> None:
        """Return the snapshot's connection to the pool."""
        await self.snapshot.close()


def _one(snapshot: Snapshot, load: Load, *, key: str) -> One:
    async def batch(keys: list[bytes]) -> list[Record | None]:
        rows = {row[key]: row for row in await snapshot.fetch(load(snapshot.tables), keys)}
        return [rows.get(wanted) for wanted in keys]

    return DataLoader(load_fn=batch)


def _shared(shared: SharedState, load: Fetch, *, key: str) -> One:
    async def batch(keys: list[bytes]) -> list[Record | None]:
        rows = {row[key]: row for row in await load(shared, keys)}
        return [rows.get(wanted) for wanted in keys]

    return DataLoader(load_fn=batch)


async def _reports(snapshot: Snapshot, duties: list[tuple[bytes, bytes]]) -> list[list[Record]]:
    groups: defaultdict[tuple[bytes, bytes], list[Record]] = defaultdict(list)
    for row in await monitoring.reports_of(snapshot, duties):
        groups[row["round"], row["monitor"]].append(row)
    return [groups[duty] for duty in duties]


async def _proposals(link: ChainLink, ids: list[int]) -> list[ProposalRecord | None]:
    found = await (await Governance.over(link)).by_ids(ids)
    return [found.get(wanted) for wanted in ids]


async def _proposal_timelines(snapshot: Snapshot, ids: list[int]) -> list[list[Record]]:
    groups: defaultdict[int, list[Record]] = defaultdict(list)
    for row in await votes.timelines_of(snapshot, ids):
        groups[int(row["proposal_id"])].append(row)
    return [groups[wanted] for wanted in ids]


def _many(snapshot: Snapshot, load: Load, *, key: str) -> Many:
    async def batch(keys: list[bytes]) -> list[list[Record]]:
        groups: defaultdict[bytes, list[Record]] = defaultdict(list)
        for row in await snapshot.fetch(load(snapshot.tables), keys):
            groups[row[key]].append(row)
        return [groups[wanted] for wanted in keys]

    return DataLoader(load_fn=batch)


def loader_named(name: str) -> RowLoader:
    """Return a loader of rows by its name."""
    found = Reading.__dict__[name]
    assert isinstance(found, RowLoader)
    return found
