"""Endpoints for operators: whether the process is alive and ready, and how far the index is."""

import asyncio
from datetime import datetime

from pydantic import Field

from api.database import Record
from api.fields import NoParameters
from api.queries import chain
from api.queries import totals as counts
from api.rest.endpoint import Graded
from api.rest.models import AddressText, HashText, Height, Model
from api.services import Services
from protocol.errors import ChainError, ParityError

CHAIN_TIMEOUT_S = 2.0


class Health(Model):
    """The process answers."""

    status: str


class Readiness(Model, Graded):
    """Whether requests may be sent here; if not, why."""

    ready: bool
    reasons: list[str]
    lag_blocks: int | None = Field(None, description="blocks that the index is behind the chain")

    @property
    def http_status(self) -> int:
        """Return 200 or 503."""
        return 200 if self.ready else 503


class Contracts(Model):
    """Addresses of the deployment."""

    usdfc: AddressText
    stake_wallet: AddressText
    runner_reputation: AddressText
    task_escrow: AddressText


class ServerStatus(Model):
    """How far the index is, what is in it, and what this server is set to."""

    chain_id: int
    phase: str
    head: Height
    indexed_block: Height
    indexed_hash: HashText | None
    finalized_block: Height
    lag_blocks: int
    reorgs: int
    updated_at: datetime
    tasks: dict[str, int] = Field(description="tasks by status")
    live: bool = Field(description="whether new blocks reach this process at once")
    relayer: AddressText | None = Field(
        description="account that pays for relayed orders, if this server has one"
    )
    contracts: Contracts


async def health(_services: Services, _asked: NoParameters, _body: None) -> Health:
    """Answer that the process is alive."""
    return Health(status="ok")


async def ready(services: Services, _asked: NoParameters, _body: None) -> Readiness:
    """Answer whether the database answers and the index is near the chain's head."""
    try:
        async with services.database.reading() as snapshot:
            state = await chain.sync_state(snapshot)
    except ParityError as error:
        return Readiness(ready=False, reasons=[error.message])
    if state is None:
        return Readiness(ready=False, reasons=["the index is empty: start parity-indexer"])
    lag = max(await _head(services, state) - state["indexed_number"], 0)
    reasons = []
    if state["phase"] == "refold":
        reasons.append("the index is being rebuilt after a deep reorganisation")
    allowed = services.settings.ready_lag_blocks
    if lag > allowed:
        reasons.append(f"the index is {lag} blocks behind the chain; up to {allowed} are allowed")
    return Readiness(ready=not reasons, reasons=reasons, lag_blocks=lag)


async def status(services: Services, _asked: NoParameters, _body: None) -> ServerStatus:
    """Return the whole picture; 503 while there is no index."""
    async with services.database.reading() as snapshot:
        state = await chain.require_sync_state(snapshot)
        counted = await counts.totals(snapshot)
    deployment = services.link.deployment
    return ServerStatus(
        chain_id=state["chain_id"],
        phase=state["phase"],
        head=state["head_number"],
        indexed_block=max(state["indexed_number"], 0),
        indexed_hash=state["indexed_hash"],
        finalized_block=max(state["finalized_number"], 0),
        lag_blocks=max(state["head_number"] - state["indexed_number"], 0),
        reorgs=state["reorgs"],
        updated_at=state["updated_at"],
        tasks=counts.tasks_by_status(counted),
        live=services.feed.connected,
        relayer=services.relay.address,
        contracts=Contracts(
            usdfc=deployment.usdfc,
            stake_wallet=deployment.stake_wallet,
            runner_reputation=deployment.runner_reputation,
            task_escrow=deployment.task_escrow,
        ),
    )


async def _head(services: Services, state: Record) -> int:
    """Ask the chain itself, since an indexer that died no longer knows; its own word if the chain is away."""
    known: int = state["head_number"]
    try:
        async with asyncio.timeout(CHAIN_TIMEOUT_S):
            return max(known, await (await services.link.chain()).block_number())
    except (ChainError, TimeoutError):
        return known
