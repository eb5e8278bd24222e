"""The runner's own HTTP server: OpenAI's chat completions for holders of a channel, and vouchers while answers run."""

import asyncio
import json
import sqlite3
from collections.abc import Callable, Mapping
from typing import Any

import structlog
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from protocol.attendance import NobodyWaits, while_waited_for
from protocol.documents import ModelOffer
from protocol.errors import InputError, ParityError, RpcUnavailable
from protocol.streaming import PAYMENT_HEADER, Payment, Tariff
from protocol.voucher import Voucher
from runner.streaming.answering import FINGERPRINT, Answer, Counter, Order
from runner.streaming.chat import MAX_BODY_BYTES, read_request
from runner.streaming.errors import PaymentRefused, StreamRefused
from runner.streaming.limits import Limits

MAX_VOUCHER_BYTES = 2_048
MAX_CONTEXT = 8_192

log = structlog.get_logger()


class StreamServer:
    """The routes. `offers` gives what the runner offers now, by `name@sha256:digest`."""

    def __init__(
        self,
        counter: Counter,
        offers: Callable[[], Mapping[str, ModelOffer]],
        *,
        waiting: int,
        limits: Limits,
    ) -> None:
        self._counter = counter
        self._offers = offers
        self._most_waiting = waiting
        self._limits = limits
        self._inside = 0

    def starlette(self) -> Starlette:
        """Build the ASGI application."""
        handlers: dict[Any, Any] = {
            StreamRefused: _refused,
            InputError: _bad_input,
            RpcUnavailable: _chain_away,
            ParityError: _failed,
            sqlite3.Error: _cannot_write,
            NobodyWaits: _left_alone,
        }
        routes = [
            Route("/health", self.health),
            Route("/v1/models", self.models),
            Route("/v1/chat/completions", self.completions, methods=["POST"]),
            Route("/v1/parity/vouchers", self.vouchers, methods=["POST"]),
        ]
        return Starlette(routes=routes, exception_handlers=handlers)

    async def health(self, _request: Request) -> Response:
        """Answer that the process is alive."""
        return JSONResponse({"status": "ok", "answering": self._inside})

    async def models(self, _request: Request) -> Response:
        """List the models on offer as OpenAI's API does, with their prices beside."""
        rows = [
            {
                "id": reference,
                "object": "model",
                "created": 0,
                "owned_by": "parity",
                "parity": {
                    "context": offer.context,
                    "input_price": offer.input_price,
                    "output_price": offer.output_price,
                },
            }
            for reference, offer in sorted(self._offers().items())
        ]
        return JSONResponse({"object": "list", "data": rows})

    async def completions(self, request: Request) -> Response:
        """Answer a conversation, metered."""
        order = await self._order(request)
        if self._inside >= self._most_waiting:
            raise StreamRefused(
                "too many prompts wait here already",
                code="busy",
                status=503,
                hint="Try again, or another runner.",
            )
        self._inside += 1
        try:
            answer = await while_waited_for(request.receive, Answer.begin(self._counter, order))
        except BaseException:
            self._inside -= 1
            raise
        return AnswerResponse(answer, self._left, reading_s=self._limits.send_timeout_s)

    async def vouchers(self, request: Request) -> Response:
        """Take a voucher for a channel that has a tab here."""
        voucher = Voucher.from_json(_object(await self._body(request, most=MAX_VOUCHER_BYTES)))
        tab = self._counter.till.tabs.tab(voucher.channel_id)
        if tab is None:
            raise PaymentRefused(
                "voucher: no prompt came on this channel", code="channel_unknown", hint="Send one."
            )
        best = await self._counter.till.take(tab, voucher)
        return JSONResponse({"promised": str(best.promised), "earned": str(best.earned)})

    def _left(self) -> None:
        self._inside -= 1

    async def _order(self, request: Request) -> Order:
        payment = request.headers.get(PAYMENT_HEADER)
        if payment is None:
            raise PaymentRefused(
                f"{PAYMENT_HEADER}: missing",
                code="payment_missing",
                hint="Use parity-client gateway, or send a voucher.",
            )
        asked = read_request(await self._body(request, most=MAX_BODY_BYTES))
        if not asked.stream:
            raise StreamRefused(
                "stream: must be true here, since an answer is paid while it comes",
                code="stream_only",
                hint="parity-client gateway gives whole answers too.",
            )
        reference = self._reference(asked.model)
        offer = self._offers()[reference]
        return Order(
            request=asked,
            payment=Payment.from_header(payment),
            reference=reference,
            context=min(offer.context, MAX_CONTEXT),
            tariff=Tariff(int(offer.input_price), int(offer.output_price)),
            wants_fingerprint=request.headers.get(FINGERPRINT) == "1",
        )

    async def _body(self, request: Request, *, most: int) -> bytes:
        within_s = self._limits.receive_timeout_s
        try:
            async with asyncio.timeout(within_s) as clock:
                return await _whole(request, most=most)
        except TimeoutError as error:
            if not clock.expired():
                raise
            raise StreamRefused(
                f"body: not there within {within_s:g} s",
                code="too_slow",
                status=408,
                hint="Send the request at once.",
            ) from error

    def _reference(self, model: str) -> str:
        offers = self._offers()
        named = [reference for reference, offer in offers.items() if model in (reference, offer.name)]
        if not named:
            raise StreamRefused(
                f"model: {model!r} is not offered here",
                code="model_not_found",
                status=404,
                hint=f"Offered: {', '.join(sorted(offers)) or 'nothing'}.",
            )
        return named[0]


class AnswerResponse(StreamingResponse):
    """Streams an answer, and closes it however the connection ends, even before the first byte.

    Who does not read for `reading_s` seconds is given up: its answer holds a place in front of the engine, for which others wait.
    """

    def __init__(self, answer: Answer, left: Callable[[], None], *, reading_s: float) -> None:
        super().__init__(
            answer.events(), media_type="text/event-stream", headers={"cache-control": "no-store"}
        )
        self._answer = answer
        self._left = left
        self._reading_s = reading_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See Starlette."""

        async def patiently(message: Message) -> None:
            async with asyncio.timeout(self._reading_s):
                await send(message)

        try:
            await super().__call__(scope, receive, patiently)
        except (TimeoutError, ClientDisconnect):
            log.info("reader_gave_up")
        finally:
            self._left()
            await self._answer.close()


async def _whole(request: Request, *, most: int) -> bytes:
    body = bytearray()
    try:
        async for piece in request.stream():
            body += piece
            if len(body) > most:
                raise StreamRefused(
                    f"body: more than {most:,} bytes", code="body_too_large", status=413, hint="Send less."
                )
    except ClientDisconnect as error:
        raise StreamRefused("body: cut off", code="body_cut_off", hint="Send it again.") from error
    return bytes(body)


def _object(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise StreamRefused(
            f"body: not JSON ({error})", code="invalid_request", hint="Send a JSON object."
        ) from error
    if not isinstance(document, dict):
        raise StreamRefused("body: not a JSON object", code="invalid_request", hint="Send a JSON object.")
    return document


async def _refused(_request: Request, error: StreamRefused) -> Response:
    headers = {503: {"retry-after": "1"}, 408: {"connection": "close"}}.get(error.status)
    return JSONResponse(error.to_json(), status_code=error.status, headers=headers)


async def _bad_input(request: Request, error: InputError) -> Response:
    return await _refused(request, StreamRefused(str(error), code="invalid_request", hint=error.hint))


async def _chain_away(request: Request, error: RpcUnavailable) -> Response:
    return await _refused(request, StreamRefused(str(error), code="chain_away", status=503, hint=error.hint))


async def _failed(request: Request, error: ParityError) -> Response:
    log.warning("stream_failed", error=str(error))
    return await _refused(request, StreamRefused(str(error), code="failed", status=500, hint=error.hint))


async def _cannot_write(request: Request, error: sqlite3.Error) -> Response:
    log.error("tabs_not_written", error=str(error))
    refusal = StreamRefused(
        "the runner cannot keep vouchers now, so nothing is given",
        code="cannot_keep_vouchers",
        status=503,
        hint="Try another runner.",
    )
    return await _refused(request, refusal)


async def _left_alone(_request: Request, _error: NobodyWaits) -> Response:
    log.info("client_left_before_its_answer")
    return Response(status_code=499)  # what proxies log for it; nobody reads it
