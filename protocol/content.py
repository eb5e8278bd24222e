"""The content store. Whatever it returns is checked against the digest asked for, so it need not be trusted."""

import asyncio
import io
import time
import warnings
from collections.abc import Callable
from concurrent.futures import Future
from threading import BoundedSemaphore, Thread
from typing import Any, Protocol, TypeVar

from protocol.cid import digest_of, digest_to_cid
from protocol.documents import MAX_DOCUMENT_BYTES
from protocol.errors import ContentMismatch, ContentTooLarge, ContentUnavailable

T = TypeVar("T")

_ONE_RAW_BLOCK = {"cid-version": "1", "raw-leaves": "true", "pin": "true"}
_ADD_AGAIN_AFTER_S = (0.1, 0.4)
_THREADS = 16
"""Looking for content that nobody has blocks a thread until the timeout, so there are more than one is busy with."""


class ContentStore(Protocol):
    """Where documents lie, named by the SHA-256 digest of their bytes."""

    async def add(self, content: bytes) -> bytes:
        """Store and pin content; give its digest. `ContentTooLarge`, `ContentUnavailable`."""
        ...

    async def get(self, digest: bytes, *, max_bytes: int = MAX_DOCUMENT_BYTES) -> bytes:
        """Fetch content. `ContentUnavailable`, `ContentMismatch`, `ContentTooLarge`."""
        ...

    async def pin(self, digest: bytes) -> None:
        """Keep content until `unpin`. `ContentUnavailable`."""
        ...

    async def unpin(self, digest: bytes) -> None:
        """Let content go; not having it is no error. `ContentUnavailable` if the store does not answer."""
        ...


class IpfsStore:
    """A `ContentStore` on the RPC of an IPFS node (Kubo's paths).

    The client blocks, so each call runs in a worker thread; the node gets `timeout_s` seconds to find something.
    """

    def __init__(self, api: str, *, timeout_s: float = 20.0) -> None:
        self._api = api
        self._timeout_s = timeout_s
        self._places = BoundedSemaphore(_THREADS)

    async def add(self, content: bytes) -> bytes:
        """See `ContentStore.add`."""
        digest = digest_of(content)
        if len(content) > MAX_DOCUMENT_BYTES:
            raise ContentTooLarge(f"content: {len(content):,} bytes; one block holds {MAX_DOCUMENT_BYTES:,}")
        stored = await self._call(lambda client: _put(client, content), what=digest_to_cid(digest))
        if stored != digest_to_cid(digest):
            raise ContentMismatch(
                f"the IPFS node stored {stored}, not {digest_to_cid(digest)}",
                hint="Use a node that knows CIDv1 raw blocks, such as Kubo.",
            )
        return digest

    async def get(self, digest: bytes, *, max_bytes: int = MAX_DOCUMENT_BYTES) -> bytes:
        """See `ContentStore.get`."""
        cid = digest_to_cid(digest)
        until = time.monotonic() + self._timeout_s
        content = await self._call(
            lambda client: _read(client, cid, max_bytes=max_bytes, until=until), what=cid
        )
        if digest_of(content) != digest:
            raise ContentMismatch(
                f"{cid}: the store returned other content than asked for",
                hint="Do not use it. Fetch from another node, and distrust this one.",
            )
        return content

    async def pin(self, digest: bytes) -> None:
        """See `ContentStore.pin`."""
        cid = digest_to_cid(digest)
        await self._call(lambda client: client.pin.add(cid), what=cid)

    async def unpin(self, digest: bytes) -> None:
        """See `ContentStore.unpin`."""
        cid = digest_to_cid(digest)
        await self._call(lambda client: _unpin(client, cid), what=cid)

    async def _call(self, call: Callable[[Any], T], *, what: str) -> T:
        answer: Future[T] = Future()

        def work() -> None:
            with self._places:
                if not answer.set_running_or_notify_cancel():
                    return
                try:
                    answer.set_result(self._in_thread(call, what))
                except BaseException as error:  # noqa: BLE001 (a thread's border: whoever awaits gets it)
                    answer.set_exception(error)

        # A daemon's thread, not a pool's: a pool is waited for at exit, and a stop must not wait for lost content.
        Thread(target=work, name="ipfs", daemon=True).start()
        try:
            async with asyncio.timeout(self._timeout_s * 2):
                return await asyncio.wrap_future(answer)
        except TimeoutError as error:
            raise self._unavailable(what, "no answer in time") from error

    def _in_thread(self, call: Callable[[Any], T], what: str) -> T:
        # Imported here because a process that only hashes documents need not load an HTTP stack (0.2 s).
        import ipfshttpclient  # noqa: PLC0415

        # The client still passes urllib3 an argument that urllib3 2 ignores and warns of, on every call.
        warnings.filterwarnings("ignore", message="The 'strict' parameter", category=FutureWarning)
        try:
            with ipfshttpclient.Client(self._api, timeout=self._timeout_s) as client:
                return call(client)
        except (ipfshttpclient.exceptions.Error, OSError) as error:
            raise self._unavailable(what, _reason(error)) from error

    def _unavailable(self, what: str, why: str) -> ContentUnavailable:
        return ContentUnavailable(
            f"{what}: not available from the IPFS node at {self._api} ({why})",
            hint="Check that the node is running and that IPFS_API is right. If both are, nobody has the content any more.",
        )


def _reason(error: Exception) -> str:
    """Say why a call failed; what the HTTP stack says of a lost connection holds objects' addresses and the URL again."""
    import ipfshttpclient  # noqa: PLC0415 (see _in_thread)

    match error:
        case ipfshttpclient.exceptions.TimeoutError():
            return "no answer in time"
        case ipfshttpclient.exceptions.ConnectionError():
            return "no connection"
        case ipfshttpclient.exceptions.ProtocolError():
            return "the connection broke"
        case _:
            return str(error)


def _put(client: Any, content: bytes) -> str:
    """Add, and again if refused: a node can fail for a moment when two callers store equal content at once."""
    import ipfshttpclient  # noqa: PLC0415 (see _in_thread)

    for pause in _ADD_AGAIN_AFTER_S:
        try:
            return _put_once(client, content)
        except ipfshttpclient.exceptions.StatusError:
            time.sleep(pause)
    return _put_once(client, content)


def _put_once(client: Any, content: bytes) -> str:
    return str(client.add(io.BytesIO(content), opts=_ONE_RAW_BLOCK)["Hash"])


def _read(client: Any, cid: str, *, max_bytes: int, until: float) -> bytes:
    """Read at most `max_bytes`, whatever the node sends: neither its length header nor its manners are trusted."""
    received = bytearray()
    with client.cat(cid, length=max_bytes + 1, stream=True) as chunks:
        for chunk in chunks:
            received += chunk
            if len(received) > max_bytes:
                raise ContentTooLarge(
                    f"{cid}: longer than {max_bytes:,} bytes", hint="It cannot be a document."
                )
            if time.monotonic() > until:
                raise TimeoutError(f"{len(received):,} bytes came, then time was up")
    return bytes(received)


def _unpin(client: Any, cid: str) -> None:
    from ipfshttpclient.exceptions import StatusError  # noqa: PLC0415 (see _in_thread)

    try:
        client.pin.rm(cid)
    except StatusError:
        return  # the node answered: it was not pinned
