"""Which runner answers: the cheapest that offers the model and can be reached, on a channel that is open already if any."""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import httpx
import structlog

from client.gateway.channels import Channels
from client.gateway.events import Chunk
from client.gateway.line import Line, RunnerRefused
from client.offers import Market, read_market
from client.parity import Parity
from client.records import Offer
from protocol.errors import InputError, InsufficientFunds, ParityError, RpcUnavailable
from protocol.money import format_usdfc

MARKET_S = 60.0
"""How long what runners offer is remembered."""
SHUN_S = 30.0
"""How long a runner that did not answer is left alone."""
DEFAULT_LIMIT = 512
MOST_LIMIT = 65_536

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What may be locked in channels: for each, and in all together, base units."""

    deposit: int
    total: int


class Lines:
    """All lines of one account."""

    def __init__(
        self,
        parity: Parity,
        channels: Channels,
        budget: Budget,
        *,
        http: httpx.AsyncClient,
        deliveries: asyncio.TaskGroup,
    ) -> None:
        self._parity = parity
        self._channels = channels
        self._budget = budget
        self._http = http
        self._deliveries = deliveries
        self._lines: dict[str, Line] = {}
        self._shunned: dict[str, float] = {}
        self._market: tuple[float, Market] | None = None
        self._opening = asyncio.Lock()

    async def market(self) -> Market:
        """Return what runners offer, not older than `MARKET_S`."""
        if self._market is None or time.monotonic() - self._market[0] > MARKET_S:
            market = await read_market(self._parity.chain, self._parity.profiles, self._parity.api)
            self._market = (time.monotonic(), market)
        return self._market[1]

    async def ask(
        self, body: Mapping[str, Any], turns: Sequence[Mapping[str, Any]]
    ) -> AsyncGenerator[Chunk, None]:
        """Have a conversation answered; other runners are tried until one has begun.

        Raises `InputError` for a model that nobody offers, `RunnerRefused` when none answers, `StreamBroken` when one
        that had begun does not end.
        """
        limit = _limit(body)
        last: ParityError | None = None
        for offer in await self._candidates(str(body["model"])):
            begun = False
            try:
                line = await self._line(offer)
                async with line.busy:
                    # Only now: the prompts before it on this line have used up what there was.
                    await self._fill(line, turns, limit)
                    async with aclosing(line.ask({**body, "max_tokens": limit}, turns)) as chunks:
                        async for chunk in chunks:
                            begun = True
                            yield chunk
            except RunnerRefused as error:
                if begun or not error.may_try_another:
                    raise
                log.info("runner_passed_over", node=offer.node, error=str(error))
                if error.status == HTTPStatus.PAYMENT_REQUIRED:
                    await self._look_at(line)
                self._shunned[offer.node] = time.monotonic() + SHUN_S
                last = error
            else:
                return
        raise last or RunnerRefused(
            "no runner that offers this model serves the streaming path",
            status=503,
            code="no_runner",
            hint="Use `parity-client llm submit`, or start a runner with RUNNER_PORT.",
        )

    async def _candidates(self, model: str) -> list[Offer]:
        market = await self.market()
        reachable = [offer for offer in market.of(market.resolve(model)) if offer.url]
        now = time.monotonic()
        return sorted(
            reachable,
            key=lambda offer: (self._shunned.get(offer.node, 0) > now, offer.node not in self._lines),
        )

    async def _line(self, offer: Offer) -> Line:
        async with self._opening:
            line = self._lines.get(offer.node)
            if line is None or line.offer != offer:  # a runner's address and prices may have changed
                line = await self._known(offer) or await self._new(offer)
            self._lines[offer.node] = line
            return line

    async def _fill(self, line: Line, turns: Sequence[Mapping[str, Any]], limit: int) -> None:
        async with self._opening:
            missing = line.needs(turns, limit) - line.entry.left
            if missing > 0:
                await self._channels.top_up(line.entry, self._allowed(max(missing, self._budget.deposit)))

    async def _look_at(self, line: Line) -> None:
        """Give a line up whose channel the runner has closed, or a reorganisation undone."""
        with contextlib.suppress(RpcUnavailable):
            fresh = await self._channels.refresh(line.entry)
            if fresh.closing or not fresh.deposited:
                self._lines.pop(line.offer.node, None)

    async def _known(self, offer: Offer) -> Line | None:
        for entry in self._channels.book.entries():
            if (entry.channel.node, entry.channel.owner) == (offer.node, offer.owner) and not entry.closing:
                fresh = await self._channels.refresh(entry)
                if fresh.deposited and not fresh.closing:
                    return self._made(fresh.channel_id, offer)
        return None

    async def _new(self, offer: Offer) -> Line:
        amount = self._allowed(self._budget.deposit)
        entry = await self._channels.open(node=offer.node, owner=offer.owner, amount=amount)
        log.info("channel_opened", node=offer.node, deposit=format_usdfc(amount))
        return self._made(entry.channel_id, offer)

    def _made(self, identity: bytes, offer: Offer) -> Line:
        entry = self._channels.book.entry(identity)
        return Line(self._channels, entry, offer, http=self._http, deliveries=self._deliveries)

    def _allowed(self, amount: int) -> int:
        held = sum(entry.deposited for entry in self._channels.book.entries())
        if held + amount > self._budget.total:
            raise InsufficientFunds(
                f"budget: {format_usdfc(held)} of {format_usdfc(self._budget.total)} USDFC are in channels already;"
                f" {format_usdfc(amount)} more are needed",
                hint="Start the gateway with a higher --budget, or close channels: parity-client channel close.",
            )
        return amount


def _limit(body: Mapping[str, Any]) -> int:
    for field in ("max_completion_tokens", "max_tokens"):
        limit = body.get(field)
        if limit is None:
            continue
        if not isinstance(limit, int) or isinstance(limit, bool) or not 1 <= limit <= MOST_LIMIT:
            raise InputError(
                f"{field}: expected a whole number from 1 to {MOST_LIMIT:,}",
                field=field,
                hint="Ask for so many tokens, or leave it out.",
            )
        return limit
    return DEFAULT_LIMIT
