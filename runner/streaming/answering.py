"""One answer, metered: what is given never runs further ahead of what is paid than one chunk."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Self

import structlog
from eth_account.signers.base import BaseAccount

from protocol.documents import canonical, model_digest, model_name
from protocol.streaming import (
    CHUNK_TOKENS,
    DUE,
    PAY_EVERY,
    RECEIPT,
    Payment,
    Receipt,
    Tariff,
    answer_hash,
    prompt_hash,
    prompt_tokens,
)
from runner.streaming.chat import DONE, ChatRequest, Completion, comment, sse
from runner.streaming.engine import ChatEngine, End, Piece
from runner.streaming.errors import PaymentRefused, StreamRefused
from runner.streaming.tabs import Tab
from runner.streaming.till import Till
from runner.verification.fingerprinting import TokenLikelihood, fingerprint_of

PATIENCE_S = 20.0
"""How long an answer stands still for a voucher before it ends."""
FINGERPRINT = "parity-fingerprint"

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A prompt with its payment: what is asked of which model, at what price."""

    request: ChatRequest
    payment: Payment
    reference: str
    context: int
    tariff: Tariff
    wants_fingerprint: bool


class Counter:
    """Where answers are given: the till, the engine, and the places in front of it."""

    def __init__(
        self, *, till: Till, engine: ChatEngine, places: asyncio.Semaphore, account: BaseAccount
    ) -> None:
        self.till = till
        self.engine = engine
        self.places = places
        self.account = account


class Answer:
    """An answer being given. Use `begin`, then `events` to its end, then `close`, which is safe to call twice."""

    def __init__(self, counter: Counter, order: Order, tab: Tab) -> None:
        self._counter = counter
        self._order = order
        self._tab = tab
        self._turns = order.request.turns()
        self._reading = prompt_tokens(self._turns)
        self._held = AsyncExitStack()
        self._before = 0
        self._counted = 0
        self._texts: list[str] = []
        self._tokens: list[TokenLikelihood] = []
        self._parts: AsyncIterator[Piece | End] | None = None
        self._first: Piece | End | None = None

    @classmethod
    async def begin(cls, counter: Counter, order: Order) -> Self:
        """Take payment for the prompt and have the engine read it; `StreamRefused` before anything is given."""
        tab = await counter.till.open_tab(order.payment.channel)
        answer = cls(counter, order, tab)
        try:
            await answer._held.enter_async_context(counter.till.turn(tab))
            await answer._collect()
            await answer._held.enter_async_context(counter.places)
            name = model_name(order.reference)
            parts = counter.engine.chat(name, answer._turns, order.request.options(context=order.context))
            answer._parts = parts
            answer._first = await anext(parts)
            answer._held.enter_context(counter.till.meter(tab, lambda: answer._earned))
        except BaseException:
            await answer.close()
            raise
        return answer

    async def close(self) -> None:
        """Stop the engine, write down what was earned, and let the next one in."""
        parts, self._parts = self._parts, None
        try:
            if parts is not None:
                await parts.aclose()  # type: ignore[attr-defined]  # an asynchronous generator
                if self._first is not None:  # a prompt that the engine refused costs nothing
                    self._counter.till.tabs.earn(self._tab.channel_id, self._earned)
        finally:
            await self._held.aclose()

    async def events(self) -> AsyncIterator[bytes]:
        """Yield the answer as server-sent events, the bill between them as comments."""
        completion = Completion(
            f"chatcmpl-{self._tab.channel_id.hex()[:8]}-{self._before}", self._order.reference
        )
        yield completion.first()
        try:
            async for part in self._all_parts():
                if isinstance(part, End):
                    for event in self._closing(completion, part):
                        yield event
                    return
                if not await self._may_go_on():
                    yield sse(_unpaid().to_json())
                    return
                yield self._given(completion, part)
                if due := self._due():
                    yield due
        except StreamRefused as error:
            log.warning("stream_broken", error=str(error))
            yield sse(error.to_json())

    @property
    def _earned(self) -> int:
        return self._before + self._order.tariff.cost(self._reading, self._counted)

    async def _collect(self) -> None:
        till, voucher = self._counter.till, self._order.payment.voucher
        self._tab = await till.take(self._tab, voucher)
        self._before = self._tab.earned
        if self._tab.promised < self._earned:
            raise PaymentRefused(
                f"voucher: {self._earned} base units are due for this prompt, {self._tab.promised} are promised",
                code="voucher_too_low",
                hint="Sign a voucher for what is due.",
                due=self._earned,
            )

    async def _all_parts(self) -> AsyncIterator[Piece | End]:
        assert self._first is not None
        assert self._parts is not None
        yield self._first
        # From here on each voucher takes along what was earned: a kill costs what was given since the last, a chunk at most.
        self._counter.till.tabs.earn(self._tab.channel_id, self._earned)
        async for part in self._parts:
            yield part

    async def _may_go_on(self) -> bool:
        return await self._counter.till.until_owed_at_most(
            self._tab.channel_id,
            self._order.tariff.cost(0, CHUNK_TOKENS - 1),
            earned=self._earned,
            timeout_s=PATIENCE_S,
        )

    def _given(self, completion: Completion, piece: Piece) -> bytes:
        count = max(1, len(piece.tokens))
        self._counted += count
        self._texts.append(piece.text)
        self._tokens.extend(piece.tokens)
        return completion.piece(piece.text, count)

    def _due(self) -> bytes | None:
        if self._counted % PAY_EVERY:
            return None
        return comment(DUE, f"{self._earned} {self._reading} {self._counted}")

    def _closing(self, completion: Completion, end: End) -> list[bytes]:
        self._reading = end.input_tokens or self._reading
        self._counted = min(end.output_tokens or self._counted, self._counted)
        self._counter.till.tabs.earn(self._tab.channel_id, self._earned)
        events = [completion.last("length" if end.reason == "length" else "stop")]
        if self._order.request.stream_options.include_usage:
            events.append(completion.usage(self._reading, self._counted))
        events.append(comment(DUE, f"{self._earned} {self._reading} {self._counted}"))
        events += self._receipt()
        return [*events, DONE]

    def _receipt(self) -> list[bytes]:
        events, root = [], bytes(32)
        if self._tokens:
            papers = fingerprint_of(
                self._tab.channel_id, self._order.reference, input_tokens=self._reading, tokens=self._tokens
            )
            root = papers.root
            if self._order.wants_fingerprint:
                events.append(comment(FINGERPRINT, canonical(papers).decode()))
        receipt = Receipt(
            channel_id=self._tab.channel_id,
            prompt=prompt_hash(self._turns),
            answer=answer_hash("".join(self._texts)),
            model=bytes.fromhex(model_digest(self._order.reference)),
            fingerprint=root,
            input_tokens=self._reading,
            output_tokens=self._counted,
            cumulative=self._earned,
        ).signed(self._counter.till.domain, self._counter.account)
        return [*events, comment(RECEIPT, receipt.to_json())]


def _unpaid() -> PaymentRefused:
    return PaymentRefused(
        f"no voucher came for {PATIENCE_S:g} s",
        code="payment_stopped",
        hint="What was given is due with the next prompt on this channel.",
    )
