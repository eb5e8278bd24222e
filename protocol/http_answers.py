"""Answers of HTTP servers that may be hostile: read whole, up to a size and within a time."""

import asyncio
from typing import Any

import httpx


async def ask(
    http: httpx.AsyncClient, method: str, path: str, *, most_bytes: int, within_s: float, **more: Any
) -> httpx.Response:
    """Send a request and give its answer, of `most_bytes` at most when unpacked, within `within_s` seconds in all.

    `more` goes to httpx as it is. Raises `httpx.HTTPError`: an answer that is too large, or does not end in time, is as good
    as none.
    """
    try:
        async with asyncio.timeout(within_s), http.stream(method, path, **more) as answer:
            content = await _whole(answer, most_bytes=most_bytes)
    except TimeoutError as error:
        raise httpx.ReadTimeout(f"no whole answer within {within_s:g} s") from error
    return httpx.Response(answer.status_code, content=content, request=answer.request)


async def _whole(answer: httpx.Response, *, most_bytes: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in answer.aiter_bytes():
        size += len(part)
        if size > most_bytes:
            raise httpx.DecodingError(f"an answer of more than {most_bytes:,} bytes", request=answer.request)
        parts.append(part)
    return b"".join(parts)
