"""A line to one runner: a prompt goes out, the answer comes back, and a voucher follows every few tokens received.

The runner says what is due; what is promised is the smaller of that and our own count of what has arrived. So a runner
that lies gets nothing for it, and one that dies has cost the prompt at most.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any

import httpx
import structlog

from client.gateway.book import Entry
from client.gateway.channels import Channels
from client.gateway.events import Chunk, Due, read_events
from client.records import Offer
from protocol.errors import InputError, ParityError
from protocol.streaming import (
    CHUNK_TOKENS,
    PAYMENT_HEADER,
    Payment,
    Receipt,
    Tariff,
    answer_hash,
    prompt_hash,
    prompt_tokens,
)

_TURN_OVERHEAD = 64
"""Tokens of chat template around each turn that a count may hold."""
_MAX_REFUSAL = 65_536
_AS_IT_IS = {"accept-encoding": "identity"}
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)

log = structlog.get_logger()


class RunnerRefused(ParityError):
    """The runner did not answer. `status` is HTTP's (0 when it could not be reached); nothing was received.

    `is_certain`: it said so, or never got the prompt. Otherwise it may have read it.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int,
        code: str,
        hint: str | None = None,
        due: int | None = None,
        is_certain: bool = True,
    ) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.code = code
        self.due = due
        self.is_certain = is_certain

    @property
    def may_try_another(self) -> bool:
        """Return whether another runner might answer."""
        return self.status in (0, 402, 404, 429) or self.status >= 500


class Line:
    """One prompt at a time on one channel."""

    def __init__(
        self,
        channels: Channels,
        entry: Entry,
        offer: Offer,
        *,
        http: httpx.AsyncClient,
        deliveries: asyncio.TaskGroup,
    ) -> None:
        self._channels = channels
        self._deliveries = deliveries
        self._identity = entry.channel_id
        self.offer = offer
        self._http = http
        self._tariff = Tariff(offer.input_price, offer.output_price)
        self.busy = asyncio.Lock()

    @property
    def entry(self) -> Entry:
        """Return the channel as the book has it."""
        return self._channels.book.entry(self._identity)

    def needs(self, turns: Sequence[Mapping[str, Any]], limit: int) -> int:
        """Return what an answer of `limit` tokens could cost, beyond what is promised already."""
        entry = self.entry
        reading = self._tariff.cost(prompt_tokens(turns), limit + CHUNK_TOKENS)
        return max(0, entry.spent + reading - entry.promised)

    async def ask(
        self, body: Mapping[str, Any], turns: Sequence[Mapping[str, Any]]
    ) -> AsyncGenerator[Chunk, None]:
        """Send a prompt and give the events of its answer, paying along.

        Raises `RunnerRefused` before the first event, `StreamBroken` after it.
        """
        before = self.entry.spent
        count = _Count(self._tariff, spent=before, turns=turns)
        try:
            # On disk at each step: whoever goes on after a kill has to know what the runner may have given.
            self._channels.book.spend(self._identity, count.total)
            response = await self._post(body, count)
            async with aclosing(response), aclosing(read_events(response)) as events:
                async for event in events:
                    if isinstance(event, Chunk):
                        count.received(event)
                        yield event
                    elif isinstance(event, Due):
                        self._pay(count.owed(event))
                        self._channels.book.spend(self._identity, count.total)
                    else:
                        self._check(event, count)
        except RunnerRefused as error:
            if error.is_certain:
                # What was promised for it is credit, or every refusal would cost a prompt.
                count.nothing_came(before)
            raise
        finally:
            self._channels.book.spend(self._identity, count.total)

    async def _post(self, body: Mapping[str, Any], count: "_Count") -> httpx.Response:
        try:
            return await self._send(body, count.total)
        except RunnerRefused as error:
            # A prompt that broke off may be owed still: no more than one chunk, or somebody counts wrong.
            if error.due is None or error.due > count.total + self._tariff.cost(0, CHUNK_TOKENS):
                raise
            count.arrears(error.due)
            return await self._send(body, count.total)

    async def _send(self, body: Mapping[str, Any], cumulative: int) -> httpx.Response:
        voucher = self._channels.sign(self.entry, cumulative)
        payment = Payment(channel=self.entry.channel, voucher=voucher)
        request = self._http.build_request(
            "POST",
            f"{self.offer.url}/v1/chat/completions",
            json={**body, "stream": True, "model": self.offer.reference},
            headers={PAYMENT_HEADER: payment.to_header(), **_AS_IT_IS},
        )
        try:
            response = await self._http.send(request, stream=True)
        except httpx.HTTPError as error:
            raise RunnerRefused(
                f"{self.offer.url} cannot be reached ({str(error) or type(error).__name__})",
                status=0,
                code="unreachable",
                is_certain=isinstance(error, _NEVER_SENT),
            ) from error
        if response.is_success:
            return response
        async with aclosing(response):
            raise _refusal(response.status_code, await _beginning(response))

    def _pay(self, cumulative: int) -> None:
        voucher = self._channels.sign(self.entry, cumulative)
        self._deliveries.create_task(self._deliver(voucher.to_json()))

    async def _deliver(self, voucher: dict[str, str]) -> None:
        try:
            url = f"{self.offer.url}/v1/parity/vouchers"
            async with self._http.stream("POST", url, json=voucher, headers=_AS_IT_IS) as answer:
                await _beginning(answer)
        except httpx.HTTPError as error:
            log.info("voucher_not_delivered", error=str(error))  # the next one says as much, and more

    def _check(self, receipt: Receipt, count: "_Count") -> None:
        try:
            signer = receipt.signer(self._channels.domain)
        except InputError:
            signer = None
        genuine = (
            receipt.channel_id == self._identity
            and signer == self.offer.node
            and receipt.prompt == count.prompt
            and receipt.answer == answer_hash("".join(count.texts))
        )
        if not genuine:
            log.warning("receipt_wrong", node=self.offer.node)


class _Count:
    """Our own count of one answer."""

    def __init__(self, tariff: Tariff, *, spent: int, turns: Sequence[Mapping[str, Any]]) -> None:
        self._tariff = tariff
        self._spent = spent
        self._reading = prompt_tokens(turns)
        size = sum(len(str(turn.get("content") or "").encode()) for turn in turns)
        self._most_read = size + _TURN_OVERHEAD * (len(turns) + 1)
        self._tokens = 0
        self._size = 0
        self.prompt = prompt_hash(turns)
        self.texts: list[str] = []

    @property
    def total(self) -> int:
        """Return what the channel has earned by this count."""
        return self._spent + self._tariff.cost(self._reading, self._tokens)

    def received(self, chunk: Chunk) -> None:
        """Count an event; a token is a byte at least, but for one that ends the answer."""
        self.texts.append(chunk.text)
        self._size += len(chunk.text.encode("utf-8", "surrogatepass"))
        self._tokens = min(self._tokens + max(0, chunk.tokens), self._size + 1)

    def owed(self, due: Due) -> int:
        """Return what to promise: what is due, but never more than what has arrived."""
        self._reading = max(0, min(due.input_tokens, self._most_read))
        return min(due.cumulative, self.total)

    def arrears(self, due: int) -> None:
        """Take over what an answer that broke off had earned."""
        self._spent += max(0, due - self.total)

    def nothing_came(self, before: int) -> None:
        """Count nothing, not even the prompt: the channel has earned what it had `before`."""
        self._spent, self._reading, self._tokens = before, 0, 0


async def _beginning(response: httpx.Response) -> bytes:
    """Read what a runner says, as far as anybody needs it."""
    body = b""
    with contextlib.suppress(httpx.HTTPError):
        async for piece in response.aiter_raw():
            body += piece
            if len(body) > _MAX_REFUSAL:
                break
    return body


def _refusal(status: int, body: bytes) -> RunnerRefused:
    try:
        document = json.loads(body)
        error = document["error"]
        return RunnerRefused(
            str(error["message"]),
            status=status,
            code=str(error.get("code")),
            hint=error.get("hint"),
            due=int(document["due"]) if "due" in document else None,
        )
    except (ValueError, OverflowError, RecursionError, KeyError, TypeError, AttributeError):
        return RunnerRefused(f"the runner answered {status}", status=status, code="unreadable")
