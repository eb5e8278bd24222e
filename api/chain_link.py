"""The connection to the chain, made when first needed: reads of the index work while the chain's node is away."""

import asyncio
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from protocol.chain import Chain
from protocol.deployment import Deployment


class ChainLink:
    """Connects once; a failed attempt is made again at the next use. Raises what `Chain.connect` raises."""

    def __init__(self, rpc_url: str, deployment: Deployment) -> None:
        self.deployment = deployment
        self._rpc_url = rpc_url
        self._lock = asyncio.Lock()
        self._stack = AsyncExitStack()
        self._chain: Chain | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def chain(self) -> Chain:
        """Return the checked connection."""
        async with self._lock:
            if self._chain is None:
                self._chain = await self._stack.enter_async_context(
                    Chain.connect(self._rpc_url, self.deployment)
                )
            return self._chain
