"""Notifies webhooks of the chain's events: signed, to those whom they concern, and repeated until they are accepted.

A hint only: whoever misses one finds everything in the index and on the chain.
"""

import asyncio
import hashlib
import hmac
import time
from collections.abc import Sequence
from typing import Any

import httpx
import msgspec
import structlog

from api.database import Record
from api.feed import BlockFeed
from api.graphql.scalars import write_address, write_hex
from api.metrics import HINTS
from api.outbound import outbound_client, post, resolve
from api.rejections import Refusal
from api.shared import webhooks
from api.shared.state import SharedState, repeatedly
from api.shared.webhooks import Delivery

EVENTS = (
    "TaskSubmitted",
    "SeatClaimed",
    "SeatCommitted",
    "SeatRevealed",
    "PhaseChanged",
    "TaskFinalized",
    "ScoreChanged",
)
FOR_EVERYONE = frozenset({"TaskSubmitted"})
"""Events that every webhook may hear of; of the others only the task's parties hear."""

_LONGEST_WAIT_S = 30.0
_AFTER_FAILURE_S = 5.0
_MAX_BLOCKS = 1000
_MAX_EVENTS = 5000

log = structlog.get_logger(__name__)


class Hints:
    """One process's share in telling. All processes together queue each event once, and share the deliveries."""

    def __init__(self, state: SharedState, feed: BlockFeed, *, allow_private: bool) -> None:
        self._state = state
        self._feed = feed
        self._allow_private = allow_private

    async def run(self) -> None:
        """Queue and deliver until cancelled."""
        await repeatedly(self._follow, every_s=_AFTER_FAILURE_S, what="hints")

    async def _follow(self) -> None:
        async with self._feed.listen() as notices, outbound_client() as client:
            while True:
                await queue_events(self._state)
                while deliveries := await webhooks.lease_due(self._state):
                    async with asyncio.TaskGroup() as group:
                        for delivery in deliveries:
                            group.create_task(self._deliver(client, delivery))
                wait_s = await webhooks.next_due_s(self._state, longest_s=_LONGEST_WAIT_S)
                try:
                    await asyncio.wait_for(notices.get(), wait_s)
                except TimeoutError:
                    continue
                while not notices.empty():
                    notices.get_nowait()

    async def _deliver(self, client: httpx.AsyncClient, delivery: Delivery) -> None:
        try:
            # Looked up each time: a name that was public when it was registered may have become private since.
            target = await resolve(delivery.url, allow_private=self._allow_private)
            status = await post(client, target, delivery.body, headers_of(delivery, now=int(time.time())))
            taken = 200 <= status < 300
            why = f"status {status}"
        except (Refusal, httpx.HTTPError, TimeoutError, OSError) as error:
            taken, why = False, str(error) or type(error).__name__
        HINTS.labels("taken" if taken else "refused").inc()
        if taken:
            await webhooks.delivered(self._state, delivery)
            return
        log.info("hint refused", webhook=str(delivery.webhook_id), why=why[:200], attempts=delivery.attempts)
        await webhooks.refused(self._state, delivery)


def headers_of(delivery: Delivery, *, now: int) -> dict[str, str]:
    """Return the headers of a delivery; `Parity-Signature` is over its Unix time and its body."""
    return {
        "Content-Type": "application/json",
        "User-Agent": "Parity-Webhooks/1",
        "Parity-Event": delivery.event,
        "Parity-Delivery": str(delivery.delivery_id),
        "Parity-Signature": f"t={now},v1={signature(delivery.secret, delivery.body, now=now)}",
    }


def signature(secret: bytes, body: bytes, *, now: int) -> str:
    """Sign a body as of a Unix time: HMAC-SHA256 of the time, a full stop and the body, in hex."""
    return hmac.new(secret, f"{now}.".encode() + body, hashlib.sha256).hexdigest()


async def queue_events(state: SharedState) -> None:
    """Queue the events of blocks that webhooks were not told of yet, unless another process is at it."""
    async with state.connection() as connection, connection.transaction():
        await connection.execute(
            "INSERT INTO parity_api.told (block_number)"
            " SELECT indexed_number FROM sync_state ON CONFLICT DO NOTHING"
        )
        told = await connection.fetchval("SELECT block_number FROM parity_api.told FOR UPDATE SKIP LOCKED")
        indexed = await connection.fetchval("SELECT indexed_number FROM sync_state")
        if told is None or indexed is None or told == indexed:
            return
        hooks = await connection.fetch("SELECT * FROM parity_api.webhooks WHERE disabled_at IS NULL")
        if hooks and told < indexed:
            # Old hints help nobody: after a long pause only the last blocks are told of.
            events = await connection.fetch(
                _EVENTS, max(told, indexed - _MAX_BLOCKS), indexed, list(EVENTS), _MAX_EVENTS
            )
            await webhooks.enqueue(connection, _addressed(events, hooks))
        await connection.execute("UPDATE parity_api.told SET block_number = $1", indexed)


def _addressed(events: Sequence[Record], hooks: Sequence[Record]) -> list[Any]:
    items = []
    for event in events:
        body = _body(event)
        parties = {event["client"], event["payer"], event["node"], *event["parties"]}
        for hook in hooks:
            concerned = event["name"] in FOR_EVERYONE or hook["address"] in parties
            if concerned and event["name"] in hook["events"]:
                items.append((hook["webhook_id"], event["name"], body))
    return items


def _body(event: Record) -> bytes:
    return msgspec.json.encode(
        {
            "event": event["name"],
            "taskId": write_hex(event["task_id"]),
            "node": write_address(event["node"]) if event["node"] else None,
            "data": event["data"],
            "blockNumber": event["block_number"],
            "transactionHash": write_hex(event["tx_hash"]),
            "timestamp": event["block_time"],
        }
    )


_EVENTS = """
SELECT e.*, t.client, t.payer,
    ARRAY(SELECT s.node FROM task_seats s WHERE s.task_id = e.task_id
          UNION SELECT s.owner FROM task_seats s WHERE s.task_id = e.task_id) AS parties
FROM task_events e JOIN tasks t ON t.task_id = e.task_id
WHERE e.block_number > $1 AND e.block_number <= $2 AND e.name = ANY($3)
ORDER BY e.block_number, e.tx_index, e.log_index LIMIT $4
"""
