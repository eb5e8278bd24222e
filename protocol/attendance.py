"""Working for somebody who waits on a connection, for as long as that is so."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from typing import Any, TypeVar

_T = TypeVar("_T")


class NobodyWaits(Exception):
    """Whoever asked has closed the connection."""


async def while_waited_for(
    receive: Callable[[], Awaitable[MutableMapping[str, Any]]], work: Coroutine[Any, Any, _T]
) -> _T:
    """Do `work`, or cancel it and raise `NobodyWaits` when the connection is closed. `receive` is ASGI's, its body read."""

    async def left() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    working, leaving = asyncio.create_task(work), asyncio.create_task(left())
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise NobodyWaits
        return working.result()
    finally:
        working.cancel()
        leaving.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)
