"""The pace of a rehearsal's chain: quick while nothing presses, slower while auditors sit.

A panel has 24 blocks to sit down: six minutes on Filecoin, 24 seconds here, in which several auditors on one machine share
two processors and one model engine with everything else. So blocks take their time while votes are owed, and no more
than a tenth of Filecoin's.
"""

import asyncio
from typing import Final

import structlog

from devnet.anvil import Anvil
from devnet.soak.load import Record
from protocol.chain import Chain
from protocol.enums import AuditStage
from protocol.errors import ChainError, RpcUnavailable
from runner.auditing.cases import Cases

_SITTING: Final = (AuditStage.VOTING, AuditStage.REVEALING)
PATIENT_S: Final = 3
_POLL_S: Final = 1.0

log = structlog.get_logger()


class Clock:
    """Sets the interval between blocks: `quick_s`, or `PATIENT_S` seconds while a panel sits."""

    def __init__(self, anvil: Anvil, chain: Chain, record: Record, *, quick_s: int) -> None:
        self._anvil, self._record, self._quick_s = anvil, record, quick_s
        self._cases = Cases(chain)
        self._interval_s = quick_s

    async def run(self) -> None:
        """Set the pace until cancelled."""
        while True:
            try:
                await self._set(max(self._quick_s, PATIENT_S) if await self._panel_sits() else self._quick_s)
            except (RpcUnavailable, ChainError) as error:
                log.info("pace_not_set", error=str(error))
            await asyncio.sleep(_POLL_S)

    async def _panel_sits(self) -> bool:
        for task_id in tuple(self._record.audited):
            if (await self._cases.case(task_id)).stage in _SITTING:
                return True
        return False

    async def _set(self, interval_s: int) -> None:
        if interval_s != self._interval_s:
            await self._anvil.rpc("evm_setIntervalMining", interval_s)
            self._interval_s = interval_s
