"""Tasks and runners from contract events, over this runner's own RPC. No server has to tell it anything.

Events only say that a task exists; what it is worth doing now is asked from the chain's state. So an event that a
reorganisation undoes costs a look, and one that is seen twice costs nothing.
"""

import asyncio
import time
from collections import deque
from itertools import pairwise
from typing import Any

import structlog
from web3 import AsyncWeb3
from web3.exceptions import Web3Exception

from protocol.abi import event_topics
from protocol.blocks import Head, Log, block_at, logs_between
from protocol.bloom import may_name
from protocol.chain import Chain
from protocol.errors import RpcUnavailable
from protocol.order import ORDER_FIELDS, Order
from runner.heard import KEPT_BLOCKS
from runner.journal import Journal
from runner.situation import Situation

_LONGEST_PAUSE_S = 15.0
_LEAST_PAUSE_S = 0.1
"""Between two looks, however many hints come."""
_ARRIVALS = 5
_SHARE_BEFORE_DUE = 0.85
_CREEP = 0.05
"""Share of the distance by which the first question comes earlier, each time that it found its block there."""
_SOON = 10, 5
"""What the distance between blocks is divided by for the pause after a first question that came too early, and later."""
_SOON_QUESTIONS = 3
_BLOCKS_AHEAD = 2
"""Block times that are waited at most before the first question after a block, unless blocks come regularly."""
_REGULAR = 2.0
"""Blocks come regularly when the longest of the last distances between them is at most this many times the shortest."""
_SILENT_BLOCKS = 16
"""Blocks in which nothing was said before the cursor is written again: so many are read again by the next start."""
_CURSOR = "cursor"
_NAMES = ("TaskSubmitted", "RunnerRegistered", "RunnerProfileChanged", "RunnerRetirement")

log = structlog.get_logger()


class Pace:
    """When to ask for the next block: when it is due by the last ones' distances, and then more often.

    When blocks are seen says only that they came before. So after a first question that found its block the next comes a little
    earlier, until one comes too early: a regular block costs little more than one question, and is seen soon.
    """

    def __init__(self, block_time_s: float) -> None:
        self._most_s = min(max(block_time_s / 2, _LEAST_PAUSE_S), 5.0)
        self._longest_wait_s = _BLOCKS_AHEAD * block_time_s
        self._arrivals: deque[tuple[float, int]] = deque(maxlen=_ARRIVALS)
        self._questions = 0
        self._may_creep = False

    def arrived(self, height: int, now_s: float) -> None:
        """Note that block `height` was seen."""
        self._may_creep, self._questions = self._questions <= 1, 0
        if self._arrivals and height <= self._arrivals[-1][1]:
            self._arrivals.clear()
        self._arrivals.append((now_s, height))

    def pause_s(self, now_s: float) -> float:
        """Return how long to wait before asking again; to be called once after each question.

        A local chain may come with any interval, or none: what the network's profile says bounds the wait only while the
        blocks themselves show no rhythm.
        """
        self._questions += 1
        if len(self._arrivals) < 2:
            return self._most_s
        (first_s, low), (last_s, high) = self._arrivals[0], self._arrivals[-1]
        distance_s = (last_s - first_s) / (high - low)
        most_s, share = self._most_s, _SHARE_BEFORE_DUE
        if self._is_regular():
            most_s = max(most_s, distance_s / 5)
            share = 1.0 - _CREEP if self._may_creep else 1.0
        else:
            distance_s = min(distance_s, self._longest_wait_s)
        until_due_s = last_s + share * distance_s - now_s
        again_s = distance_s / _SOON[self._questions > _SOON_QUESTIONS]
        return max(until_due_s, min(max(again_s, _LEAST_PAUSE_S), most_s))

    def _is_regular(self) -> bool:
        """Return whether the last arrivals came one block at a time and evenly."""
        if len(self._arrivals) < _ARRIVALS:
            return False
        seen = list(self._arrivals)
        distances = [(b_s - a_s) / (b - a) for (a_s, a), (b_s, b) in pairwise(seen)]
        return max(distances) <= _REGULAR * min(distances)


class Watch:
    """Follows the chain's head, keeps the journal's tasks and nodes up to it, and rings at each new block.

    A block costs one call, and another for its logs if any of Parity's contracts may have said anything in it.
    """

    def __init__(self, chain: Chain, journal: Journal, situation: Situation) -> None:
        self._chain = chain
        self._journal = journal
        self._situation = situation
        self._heard = situation.heard
        self._pace = Pace(chain.network.block_time_s)
        self._cursor: tuple[int, str] | None = None
        self._written_block = -1
        contracts = (chain.escrow, chain.reputation, chain.court, chain.monitoring, chain.federated)
        self._addresses = [str(contract.address) for contract in contracts]
        self._contracts = {
            chain.escrow.address: (chain.escrow, event_topics()["TaskEscrow"]),
            chain.reputation.address: (chain.reputation, event_topics()["RunnerReputation"]),
        }

    async def run(self) -> None:
        """Follow the chain until cancelled; while the node does not answer, ask at growing intervals."""
        trouble_s = 0.0
        while True:
            try:
                head = await block_at(self._chain)
                if (head.number, head.hash) != self._cursor or self._situation.head_block < 0:
                    await self.follow(head)
                    self._pace.arrived(head.number, time.monotonic())
                    await self._situation.arrive(head.number)
                if trouble_s:
                    log.info("rpc_back", head_block=head.number)
                trouble_s = 0.0
            except (RpcUnavailable, Web3Exception) as error:
                # web3's own are a node's half-truths: a head whose block it does not serve yet, a refused range.
                if not trouble_s:
                    log.warning("rpc_unavailable", error=str(error))
                trouble_s = min(max(2 * trouble_s, 2 * _LEAST_PAUSE_S), _LONGEST_PAUSE_S)
            if trouble_s:
                await asyncio.sleep(trouble_s)
                continue
            pause_s = self._pace.pause_s(time.monotonic())
            await asyncio.sleep(min(_LEAST_PAUSE_S, pause_s))
            await self._situation.hinted(within_s=max(0.0, pause_s - _LEAST_PAUSE_S))

    async def catch_up(self, height: int) -> None:
        """Read what was said up to block `height`."""
        await self.follow(await block_at(self._chain, height))

    async def follow(self, head: Head) -> None:
        """Read what was said up to a block into the journal and into what is heard, a window at a time."""
        begin = await self._resume_block(head)
        while begin <= head.number:
            recent = max(begin, head.number - KEPT_BLOCKS)
            last = head.number if recent == begin else recent - 1
            end = min(begin + self._chain.network.max_log_blocks - 1, last)
            logs = await self._logs(begin, end, head, every=recent == begin)
            block = head if end == head.number else await block_at(self._chain, end)
            self._take(logs, block, head=head.number)
            if recent == begin:
                self._heard.hear(begin, end, logs)
            begin = end + 1

    def _take(self, logs: list[Log], block: Head, *, head: int) -> None:
        """Write what was said up to `block`, and now and then how far that is, where nothing was said."""
        entries = [(entry, event) for entry in logs if (event := self._event(entry)) is not None]
        if (
            entries
            or block.number >= self._written_block + _SILENT_BLOCKS
            or block.number < self._written_block
        ):
            with self._journal.together():
                for entry, event in entries:
                    self._apply(entry, event, head=head)
                self._journal.set_fact(_CURSOR, f"{block.number} {block.hash}")
            self._written_block = block.number
        self._cursor = block.number, block.hash

    async def _resume_block(self, head: Head) -> int:
        """Return the first block to read: after the last one read or, if that was undone, as far back as chains go."""
        first = self._chain.deployment.start_block
        if self._cursor is None:
            self._cursor = _read_cursor(self._journal.fact(_CURSOR))
        if self._cursor is None:
            return first
        number, hash_ = self._cursor
        if number <= head.number and await self._ancestor_hash(number, head) == hash_:
            return number + 1
        self._heard.forget()
        back = max(first, min(number, head.number) - self._chain.network.finality_blocks)
        log.info("reorganised", cursor_block=number, head_block=head.number, reading_again_from=back)
        return back

    async def _ancestor_hash(self, number: int, head: Head) -> str:
        if number == head.number:
            return head.hash
        if number == head.number - 1:
            return head.parent
        return (await block_at(self._chain, number)).hash

    async def _logs(self, begin: int, end: int, head: Head, *, every: bool) -> list[Log]:
        """Read the logs of some blocks: `every` one of Parity's contracts, or those that the journal is made of."""
        alone = begin == end == head.number and self._chain.network.blooms
        if alone and not any(may_name(head.bloom, bytes.fromhex(one[2:])) for one in self._addresses):
            return []
        if every:
            found = await logs_between(self._chain, begin, end, addresses=self._addresses)
            if alone and not found:  # filters err too, but a node that left something out errs more often
                found = await logs_between(self._chain, begin, end, addresses=self._addresses)
            return found
        topics = [
            "0x" + topic.hex()
            for _, events in self._contracts.values()
            for topic, event in events.items()
            if event.name in _NAMES
        ]
        return await logs_between(self._chain, begin, end, addresses=list(self._contracts), topics=[topics])

    def _event(self, entry: Log) -> str | None:
        """Return the name of an event that the journal is made of."""
        _, events = self._contracts.get(entry["address"], (None, {}))
        found = events.get(bytes(entry["topics"][0])) if entry["topics"] else None
        return found.name if found is not None and found.name in _NAMES else None

    def _apply(self, entry: Log, event: str, *, head: int) -> None:
        contract, _ = self._contracts[entry["address"]]
        arguments = contract.events[event]().process_log(entry)["args"]
        match event:
            case "TaskSubmitted":
                self._see_task(arguments, head=head)
            case "RunnerRegistered":
                self._journal.register_node(
                    arguments["node"],
                    owner=arguments["owner"],
                    profile=bytes(arguments["profile"]),
                    block=entry["blockNumber"],
                )
            case "RunnerProfileChanged":
                self._journal.set_profile(arguments["node"], bytes(arguments["profile"]))
            case "RunnerRetirement":
                self._journal.retire_node(arguments["node"])

    def _see_task(self, arguments: Any, *, head: int) -> None:
        order = order_of(arguments["order"])
        if order.claim_by < head:
            return
        if self._journal.see(bytes(arguments["taskId"]), order, seed_block=arguments["seedBlock"]):
            log.info(
                "task_seen", task_id=AsyncWeb3.to_hex(arguments["taskId"]), seed_block=arguments["seedBlock"]
            )


def _read_cursor(text: str | None) -> tuple[int, str] | None:
    if text is None:
        return None
    number, hash_ = text.split()
    return int(number), hash_


def order_of(values: Any) -> Order:
    """Read an order out of a decoded `TaskSubmitted`."""
    return Order(**{attribute: values[name] for attribute, name, _ in ORDER_FIELDS})
