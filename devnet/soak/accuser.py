"""Somebody who looks for cheats: offers bargains that no honest runner can take, and challenges what comes back.

Whoever challenges puts up a bond, and loses it if the answer stands; what it knows of the answer is its own affair. This one
buys from a runner it distrusts, and three auditors that the beacon draws judge the answer by their own copies of the model.
"""

import asyncio
from typing import Final

import structlog
from web3.exceptions import Web3Exception

from devnet.accounts import LOCAL
from devnet.soak.load import Load
from protocol.chain import Chain
from protocol.enums import AuditStage
from protocol.errors import ParityError
from protocol.sender import Sender
from runner.auditing.cases import Cases

_CHALLENGED: Final = "challenged bargain"
_POLL_S: Final = 0.5

log = structlog.get_logger()


class Accuser:
    """Challenges with the local payer's money."""

    def __init__(self, chain: Chain, load: Load) -> None:
        self._chain, self._load = chain, load
        self._sender = Sender(chain, LOCAL.payer)
        self._cases = Cases(chain)

    async def test(self) -> bytes:
        """Buy one bargain, challenge the answer unless the beacon has already called a panel, and wait for its end."""
        task_id = await self._load.order_audited(bargain=True)
        following = asyncio.ensure_future(self._load.follow(task_id, _CHALLENGED))
        while not following.done():
            try:
                if await self._may_be_challenged(task_id):
                    await self._sender.send(self._chain.court.functions.challenge(task_id), label="challenge")
            except (ParityError, Web3Exception) as error:
                log.info("not_challenged", error=str(error))
            await asyncio.wait({following}, timeout=_POLL_S)
        await following
        return task_id

    async def _may_be_challenged(self, task_id: bytes) -> bool:
        case = await self._cases.case(task_id)
        if case.stage is AuditStage.OPEN:
            return await self._chain.block_number() >= case.draw_block
        return case.stage is AuditStage.CLEARED
