"""A JSON-RPC provider whose failures are `RpcUnavailable`. Importing it loads web3, so importers do so when needed."""

import asyncio
from typing import Any
from urllib.parse import urlsplit

from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector
from eth_typing import URI
from web3 import AsyncHTTPProvider
from web3._utils.http_session_manager import HTTPSessionManager
from web3.exceptions import Web3ValueError
from web3.providers.rpc.utils import REQUEST_RETRY_ALLOWLIST, ExceptionRetryConfiguration
from web3.types import RPCEndpoint, RPCResponse

from protocol.answers import is_passing, is_reply, is_result
from protocol.errors import RpcUnavailable

_ATTEMPTS = 3
_FIRST_PAUSE_S = 0.1
_REPEATABLE = [method for method in REQUEST_RETRY_ALLOWLIST if method != "eth_sendRawTransaction"]
"""The sender repeats transactions itself: it must know whether an `already known` is of its own making."""
_CHAIN_ID = "eth_chainId"
_NOT_JSON_RPC = "the answer is not JSON-RPC"


class _NoAnswer(Exception):
    """An answer that is none: nonsense, or that there is none just now; then it is worth a pause."""

    def __init__(self, why: str, *, pause_s: float = 0.0) -> None:
        super().__init__(why)
        self.pause_s = pause_s


class _Sessions(HTTPSessionManager):
    """One HTTP session for each node, for one event loop.

    web3's own hands it out under a thread's lock that a helper thread takes: a call that is cancelled in that moment leaves
    the lock taken, and every later call of the process waits for ever.
    """

    async def async_cache_and_return_session(
        self,
        endpoint_uri: URI,
        session: ClientSession | None = None,
        request_timeout: ClientTimeout | None = None,
    ) -> ClientSession:
        """Return the session; nothing is awaited between looking for one and keeping one."""
        del request_timeout
        kept: ClientSession | None = self.session_cache.get_cache_entry(endpoint_uri)
        if kept is None or kept.closed:
            # A connection serves many calls, which web3's own does not let it: a connection a call is a third of its cost.
            kept = session or ClientSession(raise_for_status=True, connector=TCPConnector())
            self.session_cache.cache(endpoint_uri, kept)
        return kept


class RpcProvider(AsyncHTTPProvider):
    """web3's HTTP provider with a time limit for every call; calls that change nothing are tried three times.

    No connection, a broken one, nonsense for an answer, and a block that the node does not have just now, are tried again alike.
    """

    def __init__(self, url: str, *, timeout_s: float) -> None:
        super().__init__(
            url,
            request_kwargs={"timeout": ClientTimeout(total=timeout_s)},
            exception_retry_configuration=ExceptionRetryConfiguration(
                errors=(ClientError, TimeoutError),
                retries=_ATTEMPTS,
                backoff_factor=_FIRST_PAUSE_S,
                method_allowlist=_REPEATABLE,
            ),
        )
        self._request_session_manager = _Sessions()
        self._shown = shown_url(url)
        self._timeout_s = timeout_s
        self._chain_id: str | None = None

    async def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        """Make one call; `RpcUnavailable` if the node does not answer in JSON in time.

        The chain's id is asked for once: web3 wants it again before each read of a contract.
        """
        if method == _CHAIN_ID and self._chain_id is not None:
            return {"jsonrpc": "2.0", "id": 0, "result": self._chain_id}
        response = await self._ask(method, params)
        if method == _CHAIN_ID:
            self._chain_id = response.get("result")
        return response

    async def _ask(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        """Ask; what changes nothing is asked again when there is no answer, as with a node in trouble or one that reorganises."""
        for attempt in range(_ATTEMPTS - 1 if method in _REPEATABLE else 0):
            try:
                return await self._answer(method, params)
            except _NoAnswer as error:
                await asyncio.sleep(error.pause_s * 2**attempt)
        try:
            return await self._answer(method, params)
        except _NoAnswer as error:
            raise self._unavailable(method, str(error)) from error

    async def _answer(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        try:
            response = await super().make_request(method, params)
        except TimeoutError as error:
            raise self._unavailable(method, f"no answer within {self._timeout_s:g} s") from error
        except ClientError as error:
            raise self._unavailable(
                method, str(error).replace(str(self.endpoint_uri), self._shown)
            ) from error
        except (ValueError, RecursionError, Web3ValueError) as error:  # also JSON's and Unicode's
            raise _NoAnswer(_NOT_JSON_RPC) from error
        if not is_reply(response):
            raise _NoAnswer(_NOT_JSON_RPC)
        if "error" in response:
            if method in _REPEATABLE and is_passing(response["error"]):
                raise _NoAnswer(str(response["error"]["message"]), pause_s=_FIRST_PAUSE_S)
        elif not is_result(method, response["result"]):
            raise _NoAnswer("the answer is not what this method gives")
        return response

    def _unavailable(self, method: str, why: str) -> RpcUnavailable:
        return RpcUnavailable(
            f"the chain's node at {self._shown} failed on {method}: {why}",
            hint="Check FILECOIN_RPC and that the node runs (`make up` starts a local one), then try again.",
        )


def shown_url(url: str) -> str:
    """Shorten a URL to what may be shown: host and port. Paths and queries of hosted nodes hold their keys."""
    parts = urlsplit(url)
    host = parts.hostname or "?"
    return f"{parts.scheme}://{host}:{parts.port}" if parts.port else f"{parts.scheme}://{host}"
