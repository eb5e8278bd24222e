"""A runner's counter and a client's channel on one chain, in this process, over real HTTP and a real model."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette

from client.gateway.book import Book
from client.gateway.channels import Channels
from client.gateway.line import Line
from client.records import Offer
from devnet.accounts import LOCAL
from devnet.ports import free_port
from protocol.chain import Chain
from protocol.documents import ModelOffer
from protocol.money import USDFC
from protocol.sender import Sender
from runner.executors.llm import LlmExecutor
from runner.profile import offers_of
from runner.settings import RunnerSettings
from runner.streaming.answering import Counter
from runner.streaming.engine import ChatEngine
from runner.streaming.limits import Limits
from runner.streaming.server import StreamServer
from runner.streaming.serving import _Server
from runner.streaming.tabs import Tabs
from runner.streaming.till import Redeemer, Till

NODE, OWNER, PAYER = LOCAL.node(0), LOCAL.owner(0), LOCAL.payer
LIMITS = Limits.of(RunnerSettings(_env_file=None))
TURNS = [{"role": "user", "content": "Count from one to twenty, in words."}]


@asynccontextmanager
async def served(app: Starlette, *, limits: Limits = LIMITS) -> AsyncIterator[str]:
    """Serve an application on a free port, as a runner does."""
    port = free_port()
    server = _Server(
        limits.config(app, host="127.0.0.1", port=port, log_level="error", timeout_graceful_shutdown=1)
    )
    async with asyncio.TaskGroup() as group:
        group.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110 (uvicorn has no event for it)
            await asyncio.sleep(0.01)
        yield f"http://127.0.0.1:{port}"
        server.should_exit = True


@dataclass
class Shop:
    """Both ends. `line` is the client's, `till` the runner's."""

    chain: Chain
    till: Till
    tabs: Tabs
    url: str
    offer: Offer
    channels: Channels
    http: httpx.AsyncClient
    deliveries: asyncio.TaskGroup

    async def line(self, *, deposit: int = USDFC, offer: Offer | None = None) -> Line:
        entry = await self.channels.open(node=NODE.address, owner=OWNER.address, amount=deposit)
        return Line(self.channels, entry, offer or self.offer, http=self.http, deliveries=self.deliveries)

    async def answer(self, line: Line, turns: list[dict[str, str]] = TURNS, **body: Any) -> str:
        asked = {"messages": turns, "temperature": 0, "max_tokens": 60, **body}
        return "".join([chunk.text async for chunk in line.ask(asked, turns)])

    async def delivered(self, line: Line) -> None:
        """Wait until the runner has every voucher that the client signed."""
        for _ in range(200):
            tab = self.tabs.tab(line.entry.channel_id)
            if tab is not None and tab.promised == line.entry.promised:
                return
            await asyncio.sleep(0.01)
        raise AssertionError("a voucher did not arrive")

    def redeemer(self, *, least: int = 0) -> Redeemer:
        return Redeemer(
            till=self.till,
            chain=self.chain,
            sender=Sender(self.chain, NODE),
            owner=OWNER.address,
            least=least,
            interval_s=60,
        )


@asynccontextmanager
async def shop(
    chain: Chain,
    engine_url: str,
    folder: Path,
    *,
    model_offers: Callable[[], dict[str, ModelOffer]] | None = None,
    limits: Limits = LIMITS,
) -> AsyncIterator[Shop]:
    """Open a shop whose files are in `folder`; one used before is taken up again, as by a restart."""
    executor = LlmExecutor(engine_url, slots=1)
    settings = RunnerSettings(_env_file=None)
    offers = offers_of(await executor.models(), settings)
    (offer,) = offers.values()
    async with AsyncExitStack() as stack:
        tabs = stack.enter_context(closing(Tabs.open(folder / "tabs.sqlite")))
        till = Till(chain=chain, tabs=tabs, node=NODE.address, owner=OWNER.address)
        counter = Counter(till=till, engine=ChatEngine(engine_url), places=executor.places, account=NODE)
        app = StreamServer(counter, model_offers or (lambda: offers), waiting=4, limits=limits).starlette()
        url = await stack.enter_async_context(served(app, limits=limits))
        book = stack.enter_context(closing(Book.open(folder / "book.sqlite")))
        http = await stack.enter_async_context(httpx.AsyncClient(timeout=60))
        deliveries = await stack.enter_async_context(asyncio.TaskGroup())
        yield Shop(
            chain=chain,
            till=till,
            tabs=tabs,
            url=url,
            offer=Offer(
                node=NODE.address,
                owner=OWNER.address,
                label="runner-1",
                name=offer.name,
                digest=offer.digest,
                context=offer.context,
                input_price=int(offer.input_price),
                output_price=int(offer.output_price),
                url=url,
            ),
            channels=Channels(chain, book, PAYER),
            http=http,
            deliveries=deliveries,
        )
