"""REST reads of tasks, prompts, runners and models."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from api.database import Snapshot
from api.fields import NoParameters
from api.filters import Where
from api.freshness import require_block
from api.graphql.operation import MIN_BLOCK_WAIT_S
from api.graphql.scalars import read_address
from api.paging import MAX_PAGE, PageRequest, page_request
from api.queries import documents, prompts, runners, tasks
from api.rejections import NotFound
from api.rest import models
from api.rest.requests import ById, ListPrompts, ListRunners, ListTasks, Paged
from api.services import Services


async def list_tasks(services: Services, asked: ListTasks, _body: None) -> models.Tasks:
    """Return one page of tasks, newest first."""
    where = equal(
        client=bytes_or_none(asked.client),
        payer=bytes_or_none(asked.payer),
        node=bytes_or_none(asked.node),
        status=asked.status,
    )
    async with reading(services, asked.min_block) as snapshot:
        page = await tasks.page(snapshot, page_of(asked), where=where)
    return models.Tasks(
        tasks=[models.read(models.Task, row) for row in page.rows], page_info=models.PageInfo.of(page)
    )


async def get_task(services: Services, asked: ById, _body: None) -> models.TaskWithSeats:
    """Return one task with its seats and documents."""
    identity = bytes.fromhex(asked.id[2:])
    async with reading(services, asked.min_block) as snapshot:
        found = await snapshot.fetch(tasks.by_ids(snapshot.tables), [identity])
        if not found:
            raise unknown("task", asked.id)
        record = found[0]
        seats = await snapshot.fetch(tasks.seats_of(snapshot.tables), [identity])
        digests = [digest for digest in (record["spec"], record["result"]) if digest]
        contents = {
            row["digest"]: row["content"]
            for row in await snapshot.fetch(documents.by_digests(snapshot.tables), digests)
        }
    task: models.TaskWithSeats = models.read(
        models.TaskWithSeats,
        record,
        seats=[models.read(models.Seat, seat) for seat in seats],
        spec_document=contents.get(record["spec"]),
        result_document=contents.get(record["result"]),
    )
    return task


async def list_prompts(services: Services, asked: ListPrompts, _body: None) -> models.Prompts:
    """Return one page of prompts, newest first."""
    where = equal(
        creator=bytes_or_none(asked.creator),
        client_id=asked.client_id,
        model=asked.model,
        status=asked.status,
    )
    async with reading(services, asked.min_block) as snapshot:
        page = await prompts.page(snapshot, page_of(asked), where=where)
    return models.Prompts(
        prompts=[models.read(models.Prompt, row) for row in page.rows], page_info=models.PageInfo.of(page)
    )


async def get_prompt(services: Services, asked: ById, _body: None) -> models.Prompt:
    """Return one prompt, by its task's id."""
    async with reading(services, asked.min_block) as snapshot:
        found = await snapshot.fetch(prompts.by_ids(snapshot.tables), [bytes.fromhex(asked.id[2:])])
    if not found:
        raise unknown("prompt", asked.id)
    prompt: models.Prompt = models.read(models.Prompt, found[0])
    return prompt


async def list_runners(services: Services, asked: ListRunners, _body: None) -> models.Runners:
    """Return one page of runners, best score first."""
    where = equal(owner=bytes_or_none(asked.owner), status=asked.status, model=asked.model)
    async with reading(services, asked.min_block) as snapshot:
        page = await runners.page(snapshot, page_of(asked), where=where)
    return models.Runners(
        runners=[models.read(models.Runner, row) for row in page.rows], page_info=models.PageInfo.of(page)
    )


async def list_models(services: Services, _asked: NoParameters, _body: None) -> models.OfferedModels:
    """Return the models on offer."""
    async with reading(services, None) as snapshot:
        rows = await runners.models(snapshot)
    return models.OfferedModels(models=[models.read(models.OfferedModel, row) for row in rows])


@asynccontextmanager
async def reading(services: Services, min_block: int | None) -> AsyncIterator[Snapshot]:
    """Yield a snapshot that holds a block, waiting for it a while."""
    if min_block is not None:
        await services.feed.wait_for(min_block, timeout_s=MIN_BLOCK_WAIT_S)
    async with services.database.reading() as snapshot:
        await require_block(snapshot, min_block)
        yield snapshot


def page_of(asked: Paged) -> PageRequest:
    """Read the four arguments of a page."""
    return page_request(
        first=asked.first, after=asked.after, last=asked.last, before=asked.before, most=MAX_PAGE
    )


def bytes_or_none(address: str | None) -> bytes | None:
    """Read an address, if one was given."""
    return read_address(address) if address else None


def equal(**values: object) -> Where:
    """Demand that columns have these values, where one was given."""
    return {name: {"eq": value} for name, value in values.items() if value is not None}


def unknown(what: str, identity: str) -> NotFound:
    """Return the error that the index holds nothing of that id."""
    return NotFound(
        f"the index knows no {what} {identity}",
        field="id",
        hint="If it was just submitted, pass the transaction's block as minBlock.",
    )
