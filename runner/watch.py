"""Tasks and runners from contract events, over this runner's own RPC. No server has to tell it anything.

Events only say that a task exists; what it is worth doing now is asked from the chain's state. So an event that a
reorganisation undoes costs a look, and one that is seen twice costs nothing.
"""

import asyncio
from typing import Any

import structlog
from web3 import AsyncWeb3
from web3.exceptions import Web3Exception

from protocol.abi import event_topics
from protocol.chain import Chain
from protocol.errors import RpcUnavailable
from protocol.order import ORDER_FIELDS, Order
from runner.journal import Journal
from runner.situation import Situation

_LONGEST_PAUSE_S = 15.0
_LEAST_PAUSE_S = 0.1
"""Between two looks, however many hints come."""
_CURSOR = "cursor"
_NAMES = ("TaskSubmitted", "RunnerRegistered", "RunnerProfileChanged", "RunnerRetirement")

log = structlog.get_logger()


class Watch:
    """Follows the chain's head, keeps the journal's tasks and nodes up to it, and rings at each new block."""

    def __init__(self, chain: Chain, journal: Journal, situation: Situation) -> None:
        self._chain = chain
        self._journal = journal
        self._situation = situation
        self._poll_s = min(max(chain.network.block_time_s / 2, 0.1), 5.0)

    async def run(self) -> None:
        """Follow the chain until cancelled; while the node does not answer, ask at growing intervals."""
        pause_s = self._poll_s
        while True:
            try:
                head = await self._chain.block_number()
                if head != self._situation.head_block:
                    await self.catch_up(head)
                    await self._situation.arrive(head)
                if pause_s > self._poll_s:
                    log.info("rpc_back", head_block=head)
                pause_s = self._poll_s
            except (RpcUnavailable, Web3Exception) as error:
                # web3's own are a node's half-truths: a head whose block it does not serve yet, a refused range.
                if pause_s == self._poll_s:
                    log.warning("rpc_unavailable", error=str(error))
                pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
            if pause_s > self._poll_s:
                await asyncio.sleep(pause_s)
            else:
                await asyncio.sleep(min(_LEAST_PAUSE_S, pause_s))
                await self._situation.hinted(within_s=max(0.0, pause_s - _LEAST_PAUSE_S))

    async def catch_up(self, head: int) -> None:
        """Read the events up to block `head` into the journal, a window at a time."""
        begin = await self._resume_block(head)
        while begin <= head:
            end = min(begin + self._chain.network.max_log_blocks - 1, head)
            logs = await self._logs(begin, end)
            block = await self._chain.w3.eth.get_block(end)
            with self._journal.together():
                for entry in logs:
                    self._apply(entry, head=head)
                self._journal.set_fact(_CURSOR, f"{end} {block['hash'].to_0x_hex()}")
            begin = end + 1

    async def _resume_block(self, head: int) -> int:
        """Give the first block to read: after the last one read or, if that was undone, as far back as chains go."""
        cursor = self._journal.fact(_CURSOR)
        first = self._chain.deployment.start_block
        if cursor is None:
            return first
        number, hash_ = int(cursor.split()[0]), cursor.split()[1]
        if number <= head:
            block = await self._chain.w3.eth.get_block(number)
            if block["hash"].to_0x_hex() == hash_:
                return number + 1
        back = max(first, min(number, head) - self._chain.network.finality_blocks)
        log.info("reorganised", cursor_block=number, head_block=head, reading_again_from=back)
        return back

    async def _logs(self, begin: int, end: int) -> list[Any]:
        topics = [
            "0x" + event.topic.hex()
            for contract in ("TaskEscrow", "RunnerReputation")
            for event in event_topics()[contract].values()
            if event.name in _NAMES
        ]
        return await self._chain.w3.eth.get_logs(
            {
                "fromBlock": begin,
                "toBlock": end,
                "address": [self._chain.escrow.address, self._chain.reputation.address],
                "topics": [topics],
            }
        )

    def _apply(self, entry: Any, *, head: int) -> None:
        topic = bytes(entry["topics"][0])
        contract = (
            self._chain.escrow if entry["address"] == self._chain.escrow.address else self._chain.reputation
        )
        name = "TaskEscrow" if contract is self._chain.escrow else "RunnerReputation"
        event = event_topics()[name][topic].name
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


def order_of(values: Any) -> Order:
    """Read an order out of a decoded `TaskSubmitted`."""
    return Order(**{attribute: values[name] for attribute, name, _ in ORDER_FIELDS})
