import asyncio

from devnet.anvil import Anvil
from protocol.chain import Chain
from protocol.deployment import Deployment


async def test_calls_cancelled_at_any_moment_leave_the_connection_usable(
    anvil: Anvil, deployment: Deployment
) -> None:
    async with Chain.connect(anvil.url, deployment) as chain:
        for _ in range(20):
            calls = [asyncio.ensure_future(chain.block_number()) for _ in range(10)]
            await asyncio.sleep(0)
            for number, call in enumerate(calls):
                await asyncio.sleep(0.001 * (number % 3))
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)
        async with asyncio.timeout(60):
            assert await chain.block_number() > 0
