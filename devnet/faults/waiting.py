"""Waiting for what no event tells of, on several processes at once."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

_POLL_S: Final = 0.1
T = TypeVar("T")


async def until(ask: Callable[[], Awaitable[T]]) -> T:
    """Ask again and again until the answer is neither false nor empty, and give it."""
    while not (found := await ask()):  # noqa: ASYNC110 (it happens in another process)
        await asyncio.sleep(_POLL_S)
    return found
