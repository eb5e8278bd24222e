"""Files of any length on an IPFS node, named by their CIDs and checked against them whatever the node says."""

import asyncio
import io
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import IO, Any

import httpx

from protocol.errors import ConfigError, ContentMismatch, ContentTooLarge, ContentUnavailable
from protocol.tls import trusted_authorities
from protocol.unixfs import Cid, cid_of_file, layout_of, parse_cid

MAX_FILE_BYTES = 1 << 30
"""The longest file that is fetched: 1 GiB."""
_IN_MEMORY_BYTES = 16 << 20

Told = Callable[[int], None]
"""Is told how many bytes have passed so far."""


class FileStore:
    """Files on the RPC of an IPFS node (Kubo's paths). `timeout_s` is how long the node may be silent."""

    def __init__(self, api: str, *, timeout_s: float = 20.0) -> None:
        self._api = api
        self._url = http_url(api)
        self._timeout_s = timeout_s

    async def upload(self, file: IO[bytes], *, name: str = "file", on_progress: Told | None = None) -> str:
        """Store and pin a file, and give its CID, which is computed here and must be what the node says.

        Raises `ContentUnavailable`, and `ContentMismatch` if the node stored something else.
        """
        expected = await asyncio.to_thread(cid_of_file, file)
        file.seek(0)
        options = {"cid-version": "1", "raw-leaves": "true", "chunker": "size-262144", "pin": "true"}
        body: Any = _Counted(file, on_progress or _ignore)
        answer = await self._post("add", params=options, what=name, files={"file": (name, body)})
        said = self._field(answer, "Hash", what=name)
        if parse_cid(said) != expected:
            raise ContentMismatch(
                f"{name}: the IPFS node stored {said}, not {expected}",
                hint="Use a node that lays files out as Kubo does (cid-version 1, raw leaves).",
            )
        return str(expected)

    async def download(
        self, cid: str, into: IO[bytes], *, max_bytes: int = MAX_FILE_BYTES, on_progress: Told | None = None
    ) -> int:
        """Write a file's bytes, checked against its CID, and give their number. `into` must be readable as well.

        Raises `InputError` for what is no CID, `ContentTooLarge` as soon as more than `max_bytes` came,
        `ContentUnavailable`, `ContentMismatch`.
        """
        wanted = parse_cid(cid)
        size = 0
        async with self._stream("cat", what=cid, arg=str(wanted.modern)) as chunks:
            async for chunk in chunks:
                size += len(chunk)
                if size > max_bytes:
                    raise ContentTooLarge(
                        f"{cid}: longer than {max_bytes:,} bytes",
                        hint="Use a larger limit, if you trust it.",
                    )
                await asyncio.to_thread(into.write, chunk)
                (on_progress or _ignore)(size)
        await asyncio.to_thread(self._check, into, wanted, cid)
        return size

    async def fetch(self, cid: str, *, max_bytes: int = MAX_FILE_BYTES) -> bytes:
        """Return a file's bytes, checked against its CID; errors as `download`."""
        with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES) as file:
            await self.download(cid, file, max_bytes=max_bytes)
            file.seek(0)
            return file.read()

    async def pin(self, cid: str) -> None:
        """Keep a file until `unpin`; the node fetches what it lacks. `ContentUnavailable`."""
        await self._post("pin/add", params={"arg": str(parse_cid(cid).modern)}, what=cid)

    async def unpin(self, cid: str) -> bool:
        """Let a file go, and say whether it was pinned. `ContentUnavailable` if the node does not answer."""
        wanted = str(parse_cid(cid).modern)
        async with self._client() as client:
            try:
                answer = await client.post("/api/v0/pin/rm", params={"arg": wanted})
            except httpx.HTTPError as error:
                raise self._unavailable(cid, error) from error
        return answer.is_success  # a node that refuses has no such pin

    def _check(self, file: IO[bytes], wanted: Cid, cid: str) -> None:
        if layout_of(file, wanted) is None:
            raise ContentMismatch(
                f"{cid}: what the node returned cannot be shown to be this file",
                hint="Do not use it. It is other content, a directory, or laid out in an unusual way: in that case add "
                "the file again with parity-client storage upload-file and use the CID that prints.",
            )

    async def _post(self, path: str, *, what: str, params: dict[str, str], **body: Any) -> httpx.Response:
        async with self._client() as client:
            try:
                answer = await client.post(f"/api/v0/{path}", params=params, **body)
                answer.raise_for_status()
            except httpx.HTTPError as error:
                raise self._unavailable(what, error) from error
        return answer

    @asynccontextmanager
    async def _stream(self, path: str, *, what: str, arg: str) -> AsyncIterator[AsyncIterator[bytes]]:
        async with self._client() as client:
            try:
                async with client.stream("POST", f"/api/v0/{path}", params={"arg": arg}) as answer:
                    answer.raise_for_status()
                    yield answer.aiter_bytes()
            except httpx.HTTPError as error:
                raise self._unavailable(what, error) from error

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(verify=trusted_authorities(), base_url=self._url, timeout=self._timeout_s)

    def _field(self, answer: httpx.Response, name: str, *, what: str) -> str:
        try:
            return str(answer.json()[name])
        except (ValueError, KeyError, TypeError) as error:
            raise ContentUnavailable(
                f"{what}: the IPFS node at {self._api} answers as no IPFS node does",
                hint="Check that IPFS_API is the RPC address of an IPFS node.",
            ) from error

    def _unavailable(self, what: str, error: httpx.HTTPError) -> ContentUnavailable:
        why = str(error).partition("\n")[0] or type(error).__name__
        return ContentUnavailable(
            f"{what}: not available from the IPFS node at {self._api} ({why})",
            hint="Check that the node is running and that IPFS_API is right. If both are, nobody has the content any more.",
        )


def http_url(api: str) -> str:
    """Turn a multiaddress, such as /ip4/127.0.0.1/tcp/5001/http, into a URL; `ConfigError` if it is no HTTP address."""
    match api.strip("/").split("/"):
        case ["ip4" | "dns" | "dns4" | "dns6", host, "tcp", port, *rest]:
            pass
        case ["ip6", address, "tcp", port, *rest]:
            host = f"[{address}]"
        case _:
            raise _no_http(api)
    if rest not in ([], ["http"], ["https"]):
        raise _no_http(api)
    return f"{rest[0] if rest else 'http'}://{host}:{port}"


def _no_http(api: str) -> ConfigError:
    return ConfigError(
        f"IPFS_API: {api!r} is not an HTTP address", hint="Use one such as /ip4/127.0.0.1/tcp/5001/http."
    )


class _Counted(io.RawIOBase):
    """A file that tells how much of it has been read."""

    def __init__(self, file: IO[bytes], told: Told) -> None:
        self._file = file
        self._told = told

    def read(self, size: int = -1) -> bytes:
        chunk = self._file.read(size)
        self._told(self._file.tell())
        return chunk

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True


def _ignore(_: int) -> None:
    """Nobody wants to know."""
