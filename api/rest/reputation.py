"""Runners' records: one runner, its history, the leaderboard, and the network in figures."""

from datetime import datetime

from pydantic import Field, computed_field

from api.database import Record
from api.graphql.scalars import read_address
from api.queries import accounts, chain, runners
from api.queries import totals as counts
from api.rest.endpoint import Endpoint
from api.rest.models import AddressText, Amount, HashText, Height, Model, PageInfo, Runner, read
from api.rest.reads import equal, page_of, reading, unknown
from api.rest.requests import ByNode, EventsOfNode, Fresh, Paged
from api.services import Services
from api.shared import heartbeats
from protocol.money import format_usdfc

_READ = (400, 503)
_ONE = (400, 404, 503)


class Stake(Model):
    """The owner's stake, which backs all its runners. Base units."""

    bonded: Amount
    locked: Amount
    unbonding: Amount
    release_block: Height

    @classmethod
    def of(cls, record: Record | None) -> "Stake":
        """Read a ledger entry; an owner without one has staked nothing."""
        nothing = {"bonded": 0, "locked": 0, "unbonding": 0, "release_block": 0}
        stake: Stake = cls.model_validate({**nothing, **(record or {})})
        return stake


class Offer(Model):
    """A model on offer, with the prices asked per 1,000 tokens."""

    model: str
    digest: str
    context: int
    input_price: Amount
    output_price: Amount


class HeartbeatSeen(Model):
    """What a runner last said about itself; nobody vouches for it."""

    version: str
    slots: int
    busy: int
    received_at: datetime


class RunnerProfile(Runner):
    """A runner with its record, stake, offers and last heartbeat."""

    rank: int = Field(description="place by score among all runners, from 1")
    stake: Stake
    models: list[Offer]
    heartbeat: HeartbeatSeen | None


class ReputationChange(Model):
    """One change of a runner's score, in millionths."""

    node: AddressText
    ref: HashText = Field(description="what it was for: a task id")
    outcome: str
    score: int
    block_number: Height
    tx_hash: HashText
    timestamp: datetime = Field(validation_alias="block_time")


class ReputationChanges(Model):
    """One page of changes, newest first."""

    events: list[ReputationChange]
    page_info: PageInfo


class Ranked(Runner):
    """A runner with its place."""

    rank: int


class Leaderboard(Model):
    """One page of runners, best score first."""

    runners: list[Ranked]
    page_info: PageInfo


class NetworkFigures(Model):
    """The network in figures. Amounts are sums over all accounts or all tasks, in base units."""

    block: Height = Field(description="block that the figures are as of")
    tasks: dict[str, int] = Field(description="tasks by status")
    runners: dict[str, int] = Field(description="runners by status")
    bonded: Amount = Field(description="stake")
    locked: Amount = Field(description="part of the stake that backs seats in running tasks")
    unbonding: Amount
    free: Amount = Field(description="spendable in the StakeWallet")
    escrowed: Amount = Field(description="held for running tasks")
    paid: Amount = Field(description="paid to runners' owners")
    fees: Amount = Field(description="paid to the treasury")
    slashed: Amount = Field(description="stake that owners lost")

    @computed_field(description="`paid` in USDFC")  # type: ignore[prop-decorator]  # pydantic's own way
    @property
    def paid_usdfc(self) -> str:
        """Return what was paid as a decimal."""
        return format_usdfc(int(self.paid))


async def get_runner(services: Services, asked: ByNode, _body: None) -> RunnerProfile:
    """Return one runner."""
    node = read_address(asked.id)
    async with reading(services, asked.min_block) as snapshot:
        found = await snapshot.fetch(runners.by_nodes(snapshot.tables), [node])
        if not found:
            raise unknown("runner", asked.id)
        record = found[0]
        rank = await runners.rank_of(snapshot, node, record["score"])
        balances = await snapshot.fetch(accounts.balances_of(snapshot.tables), [record["owner"]])
        offers = await snapshot.fetch(runners.offers_of(snapshot.tables), [node])
    beats = await heartbeats.of(services.shared, [node])
    profile: RunnerProfile = read(
        RunnerProfile,
        record,
        rank=rank + 1,
        stake=Stake.of(balances[0] if balances else None),
        models=[read(Offer, offer) for offer in offers],
        heartbeat=read(HeartbeatSeen, beats[0]) if beats else None,
    )
    return profile


async def list_events(services: Services, asked: EventsOfNode, _body: None) -> ReputationChanges:
    """Return one page of a runner's history."""
    where = equal(node=read_address(asked.id), outcome=asked.outcome)
    async with reading(services, asked.min_block) as snapshot:
        page = await runners.event_page(snapshot, page_of(asked), where=where)
    return ReputationChanges(
        events=[read(ReputationChange, row) for row in page.rows], page_info=PageInfo.of(page)
    )


async def leaderboard(services: Services, asked: Paged, _body: None) -> Leaderboard:
    """Return one page of runners by score."""
    async with reading(services, asked.min_block) as snapshot:
        page = await runners.page(snapshot, page_of(asked))
        first = page.rows[0] if page.rows else None
        before = await runners.rank_of(snapshot, first["node"], first["score"]) if first else 0
    ranked = [read(Ranked, row, rank=before + place) for place, row in enumerate(page.rows, 1)]
    return Leaderboard(runners=ranked, page_info=PageInfo.of(page))


async def network_stats(services: Services, asked: Fresh, _body: None) -> NetworkFigures:
    """Return the network in figures."""
    async with reading(services, asked.min_block) as snapshot:
        state = await chain.require_sync_state(snapshot)
        counted = await counts.totals(snapshot)
    amounts = {name: str(counted.get(name, 0)) for name in _AMOUNTS}
    return NetworkFigures(
        block=max(state["indexed_number"], 0),
        tasks=counts.tasks_by_status(counted),
        runners=counts.runners_by_status(counted),
        fees=str(counted.get("fee", 0)),
        **amounts,
    )


_AMOUNTS = ("bonded", "locked", "unbonding", "free", "escrowed", "paid", "slashed")

ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/api/v1/runners/{id}",
        operation_id="get_runner_by_node",
        summary="One runner; the same as /api/v1/reputation/runners/{id}",
        handle=get_runner,
        answer=RunnerProfile,
        parameters=ByNode,
        problems=_ONE,
    ),
    Endpoint(
        method="GET",
        path="/api/v1/reputation/runners/{id}",
        summary="One runner with record, stake, offers and last heartbeat",
        handle=get_runner,
        answer=RunnerProfile,
        parameters=ByNode,
        problems=_ONE,
    ),
    Endpoint(
        method="GET",
        path="/api/v1/reputation/runners/{id}/events",
        summary="Changes of a runner's score, newest first",
        handle=list_events,
        answer=ReputationChanges,
        parameters=EventsOfNode,
        problems=_READ,
    ),
    Endpoint(
        method="GET",
        path="/api/v1/reputation/leaderboard",
        summary="Runners by score, best first",
        handle=leaderboard,
        answer=Leaderboard,
        parameters=Paged,
        problems=_READ,
    ),
    Endpoint(
        method="GET",
        path="/api/v1/reputation/stats",
        operation_id="reputation_stats",
        summary="The network in figures; the same as /api/v1/network/stats",
        handle=network_stats,
        answer=NetworkFigures,
        parameters=Fresh,
        problems=_READ,
    ),
    Endpoint(
        method="GET",
        path="/api/v1/network/stats",
        summary="The network in figures: tasks, runners, stakes, payments",
        handle=network_stats,
        answer=NetworkFigures,
        parameters=Fresh,
        problems=_READ,
    ),
)
