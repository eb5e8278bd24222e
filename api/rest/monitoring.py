"""Peer monitoring: duties and their reports, figures of the newest epochs, and one runner's part."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import Field

from api.database import Record, Snapshot
from api.fields import AddressIn
from api.graphql.scalars import read_address, write_address
from api.queries import monitoring, runners
from api.rest.endpoint import Endpoint
from api.rest.models import AddressText, HashText, Height, Model, PageInfo, read
from api.rest.reads import bytes_or_none, equal, page_of, reading, unknown
from api.rest.requests import MAX_HEIGHT, ByNode, Fresh, Paged
from api.services import Services
from api.watching import watch_of
from protocol.errors import ChainError

MAX_EPOCHS = 1000
DEFAULT_EPOCHS = 24
_PATH = "/api/v1/reputation/monitoring"
_READ = (400, 503)
_epochs: Any = Field(
    DEFAULT_EPOCHS, ge=1, le=MAX_EPOCHS, description="how many of the newest epochs are counted"
)


class ListAssignments(Paged):
    """Which duties."""

    node: AddressIn | None = Field(None, description="the monitor's node key")
    epoch: int | None = Field(None, ge=0, le=MAX_HEIGHT, description="number of the epoch")


class OverEpochs(Fresh):
    """How far back."""

    epochs: int = _epochs


class NodeOverEpochs(ByNode):
    """Whose part, and how far back."""

    epochs: int = _epochs


class MonitorReport(Model):
    """What a monitor said of a runner."""

    target: AddressText
    kind: str
    evidence: HashText = Field(description="SHA-256 digest of a document on IPFS; zero when there is none")
    counted: bool = Field(description="false when its owner had reported before, or the target was gone")
    revealed_tx: HashText
    revealed_at: datetime


class Assignment(Model):
    """One monitor's duty in one round, once something was heard of it or its silence was reported."""

    round: HashText
    epoch: int | None = Field(description="null for the judges' round of a challenge")
    monitor: AddressText
    committed_block: Height | None
    committed_tx: HashText | None
    revealed_block: Height | None
    revealed_tx: HashText | None
    mark: str | None = Field(description="silent or lying, when somebody reported it")
    mark_target: AddressText | None
    mark_block: Height | None
    reports: list[MonitorReport]


class Assignments(Model):
    """One page of duties, of which something was heard last first."""

    assignments: list[Assignment]
    page_info: PageInfo


class Duties(Model):
    """What monitors did."""

    rounds: int = Field(description="duties of which something was heard")
    committed: int
    revealed: int
    reports: int
    silent: int = Field(description="duties in which they were silent, as somebody reported")
    lying: int = Field(description="duties in which they lied, as somebody reported")


class MonitoringFigures(Model):
    """The newest epochs in figures."""

    epochs: int = Field(description="epochs that are counted")
    first_epoch: int | None
    last_epoch: int | None
    since_block: Height | None
    duties: Duties
    reports: dict[str, int] = Field(description="reports by kind")
    verdicts: dict[str, int] = Field(description="verdicts by ruling")


class Watching(Model):
    """Whom a runner is to watch in an epoch, and by which block it commits and reveals."""

    epoch: int
    commit_by: Height
    reveal_by: Height
    targets: list[AddressText]


class RunnerMetrics(Model):
    """One runner's part over the newest epochs: as a monitor, and as one that is watched."""

    node: AddressText
    epochs: int = Field(description="epochs that are counted")
    since_block: Height | None
    monitor_missed: int = Field(description="rounds of all its life in which it was silent or lied")
    as_monitor: Duties
    reports: dict[str, int] = Field(description="counted reports about it by kind")
    verdicts: dict[str, int] = Field(description="verdicts about it by ruling")
    watching: Watching | None = Field(
        description="its duty in the newest epoch; null before the first, and while the chain does not answer"
    )


async def list_assignments(services: Services, asked: ListAssignments, _body: None) -> Assignments:
    """Return one page of duties with their reports."""
    where = equal(monitor=bytes_or_none(asked.node), epoch=asked.epoch)
    async with reading(services, asked.min_block) as snapshot:
        page = await monitoring.assignment_page(snapshot, page_of(asked), where=where)
        said = await _reports(snapshot, page.rows)
    return Assignments(
        assignments=[read(Assignment, row, reports=said[row["round"], row["monitor"]]) for row in page.rows],
        page_info=PageInfo.of(page),
    )


async def monitoring_stats(services: Services, asked: OverEpochs, _body: None) -> MonitoringFigures:
    """Return the newest epochs in figures."""
    async with reading(services, asked.min_block) as snapshot:
        counted = await monitoring.span(snapshot, asked.epochs)
        return MonitoringFigures(
            epochs=counted["epochs"],
            first_epoch=counted["first"],
            last_epoch=counted["last"],
            since_block=counted["since_block"],
            duties=read(Duties, await monitoring.duties_in(snapshot, asked.epochs)),
            reports=await monitoring.kinds_in(snapshot, asked.epochs),
            verdicts=await monitoring.rulings_in(snapshot, asked.epochs),
        )


async def runner_metrics(services: Services, asked: NodeOverEpochs, _body: None) -> RunnerMetrics:
    """Return one runner's part."""
    node = read_address(asked.id)
    async with reading(services, asked.min_block) as snapshot:
        found = await snapshot.fetch(runners.by_nodes(snapshot.tables), [node])
        if not found:
            raise unknown("runner", asked.id)
        counted = await monitoring.span(snapshot, asked.epochs)
        since_block, first = counted["since_block"] or 0, counted["first"] or 0
        return RunnerMetrics(
            node=write_address(node),
            epochs=counted["epochs"],
            since_block=counted["since_block"],
            monitor_missed=found[0]["monitor_missed"],
            as_monitor=read(Duties, await monitoring.duties_of(snapshot, node, since_block=since_block)),
            reports=await monitoring.kinds_about(snapshot, node, since_block=since_block),
            verdicts=await monitoring.rulings_about(snapshot, node, first_epoch=first),
            watching=await _watching(services, snapshot, node),
        )


async def _watching(services: Services, snapshot: Snapshot, node: bytes) -> Watching | None:
    try:
        watch = await watch_of(services.link, snapshot, node)
    except ChainError:
        return None
    if watch is None:
        return None
    return Watching(
        epoch=watch.epoch,
        commit_by=watch.commit_by,
        reveal_by=watch.reveal_by,
        targets=list(watch.targets),
    )


async def _reports(
    snapshot: Snapshot, duties: Sequence[Record]
) -> defaultdict[tuple[bytes, bytes], list[MonitorReport]]:
    pairs = [(row["round"], row["monitor"]) for row in duties if row["reports"]]
    said: defaultdict[tuple[bytes, bytes], list[MonitorReport]] = defaultdict(list)
    for row in await monitoring.reports_of(snapshot, pairs) if pairs else ():
        said[row["round"], row["monitor"]].append(read(MonitorReport, row))
    return said


ENDPOINTS = (
    Endpoint(
        method="GET",
        path=f"{_PATH}/assignments",
        summary="Monitors' duties and their reports, the most recently reported first",
        handle=list_assignments,
        answer=Assignments,
        parameters=ListAssignments,
        problems=_READ,
    ),
    Endpoint(
        method="GET",
        path=f"{_PATH}/stats",
        summary="The newest monitoring epochs in figures",
        handle=monitoring_stats,
        answer=MonitoringFigures,
        parameters=OverEpochs,
        problems=_READ,
    ),
    Endpoint(
        method="GET",
        path=f"{_PATH}/runners/{{id}}/metrics",
        summary="One runner's part in the monitoring, as monitor and as target",
        handle=runner_metrics,
        answer=RunnerMetrics,
        parameters=NodeOverEpochs,
        problems=(400, 404, 503),
    ),
)
