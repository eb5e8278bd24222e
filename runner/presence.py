"""Telling an API server that this runner is alive, for people who look at dashboards.

Neither work nor money depends on it: a server that is away, refuses or lies changes nothing but what it shows.
"""

import asyncio
from http import HTTPStatus
from importlib.metadata import version
from typing import Any, TypeVar

import httpx
import structlog
from eth_account.messages import encode_defunct
from eth_account.signers.local import LocalAccount
from pydantic import BaseModel, Field, ValidationError

from protocol.errors import ApiError
from protocol.http_answers import ask
from protocol.tls import trusted_authorities
from runner.parts import Parts

INTERVAL_S = 30.0
_SHORTEST_PAUSE_S = 1.0
_TIMEOUT_S = 10.0
_MAX_ANSWER_BYTES = 64 << 10
_MESSAGE = "/api/v1/auth/message"
_SESSIONS = "/api/v1/auth/sessions"
_HEARTBEAT = "/api/v1/runners/heartbeat"

Answer = TypeVar("Answer", bound=BaseModel)

log = structlog.get_logger()


class _Message(BaseModel):
    message: str = Field(max_length=4_096)


class _Session(BaseModel):
    token: str = Field(max_length=4_096)


class Presence:
    """Sends heartbeats to one server, in a session that the node key signs in for (EIP-4361)."""

    def __init__(self, parts: Parts, account: LocalAccount, *, url: str, every_s: float = INTERVAL_S) -> None:
        self._parts = parts
        self._account = account
        self._url = url.rstrip("/")
        self._every_s = every_s
        self._token: str | None = None
        self._fault: str | None = None

    async def run(self) -> None:
        """Send heartbeats until cancelled. A server that does not take them is asked again, and logged once."""
        pause_s = _SHORTEST_PAUSE_S
        async with httpx.AsyncClient(
            base_url=self._url, verify=trusted_authorities(), timeout=_TIMEOUT_S
        ) as http:
            while True:
                taken = await self._told(http)
                pause_s = self._every_s if taken else min(2 * pause_s, self._every_s)
                await asyncio.sleep(pause_s)

    async def _told(self, http: httpx.AsyncClient) -> bool:
        try:
            await self.beat(http)
        except (httpx.HTTPError, ApiError) as error:
            fault = str(error) or type(error).__name__
            if fault != self._fault:
                log.warning("heartbeat_not_taken", server=self._url, error=fault)
            self._fault = fault
            return False
        if self._fault is not None:
            log.info("heartbeat_taken", server=self._url)
        self._fault = None
        return True

    async def beat(self, http: httpx.AsyncClient) -> None:
        """Send one heartbeat, signing in where there is no session or it has ended; `ApiError`, `httpx.HTTPError`."""
        if self._token is None:
            self._token = await self._sign_in(http)
        answer = await self._send(http, self._token)
        if answer.status_code == HTTPStatus.UNAUTHORIZED:
            self._token = await self._sign_in(http)
            answer = await self._send(http, self._token)
        _require_success(answer)

    async def _send(self, http: httpx.AsyncClient, token: str) -> httpx.Response:
        settings = self._parts.settings
        body = {
            "node": self._parts.node,
            "version": version("parity"),
            "slots": settings.runner_slots,
            "busy": self._parts.journal.slots_held(),
            "url": settings.stream_url,
        }
        headers = {"Authorization": f"Bearer {token}"}
        return await _ask(http, "POST", _HEARTBEAT, json=body, headers=headers)

    async def _sign_in(self, http: httpx.AsyncClient) -> str:
        address = {"address": self._account.address}
        text = _read(await _ask(http, "GET", _MESSAGE, params=address), _Message).message
        self._require_own_message(text)
        signed = self._account.sign_message(encode_defunct(text=text))
        body = {"message": text, "signature": "0x" + signed.signature.hex()}
        return _read(await _ask(http, "POST", _SESSIONS, json=body), _Session).token

    def _require_own_message(self, text: str) -> None:
        """Refuse to sign what would sign this node in anywhere else: the server wrote the text, and may be hostile."""
        host = httpx.URL(self._url).netloc.decode()
        lines = text.split("\n")
        expected = [f"{host} wants you to sign in with your Ethereum account:", self._account.address]
        chain = f"Chain ID: {self._parts.chain.deployment.chain_id}"
        if lines[:2] != expected or lines.count(chain) != 1:
            raise ApiError(
                HTTPStatus.OK,
                "foreign-message",
                f"{self._url} asks for a signature of a message that does not sign {self._account.address} in to {host}",
                hint="Check SERVER_URL. Behind a proxy, have it pass the Host header on.",
            )


async def _ask(http: httpx.AsyncClient, method: str, path: str, **more: Any) -> httpx.Response:
    return await ask(http, method, path, most_bytes=_MAX_ANSWER_BYTES, within_s=_TIMEOUT_S, **more)


def _read(answer: httpx.Response, kind: type[Answer]) -> Answer:
    _require_success(answer)
    try:
        return kind.model_validate_json(answer.content)
    except ValidationError as error:
        raise ApiError(
            answer.status_code,
            "malformed",
            f"{answer.request.url} does not answer as a Parity API does",
            hint="Check SERVER_URL, and that server and runner are of one version.",
        ) from error


def _require_success(answer: httpx.Response) -> None:
    if not answer.is_success:
        raise ApiError(
            answer.status_code,
            "refused",
            f"{answer.request.url} answers {answer.status_code}: {_said(answer)}",
        )


def _said(answer: httpx.Response) -> str:
    """Return what a problem document (RFC 9457) says, or the status's own words."""
    try:
        problem = answer.json()
    except (ValueError, RecursionError):
        problem = None
    detail = problem.get("detail") if isinstance(problem, dict) else None
    return str(detail or answer.reason_phrase)[:200]
