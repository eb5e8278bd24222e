"""Bytes that no contract emits, in the name of ours: the indexer refuses what it cannot fold, and loses nothing that follows.

What folds all the same is believed, since nothing tells it from the truth; it goes with its block when that is undone.
"""

import random
from contextlib import suppress
from typing import Any

import pytest

from indexer.errors import FoldError, InconsistentChain
from indexer.events import TOPIC
from protocol.abi import event_topics
from tests.indexer.conftest import Rig
from tests.indexer.contract_events import ADDRESSES, NODES, OWNERS, PAYERS
from tests.indexer.simulated_node import Block
from tests.indexer.test_follow import assert_equal_to_fresh_fold

TYPES = [(name, topic, event) for name, topics in event_topics().items() for topic, event in topics.items()]
LIES = 40


def a_word(rng: random.Random) -> bytes:
    """A word that means something to the chain as often as not."""
    return rng.choice(
        [
            bytes(TOPIC),
            b"\xff" * TOPIC,
            rng.randbytes(TOPIC),
            rng.randrange(300).to_bytes(TOPIC, "big"),
            (2 ** rng.randrange(256)).to_bytes(TOPIC, "big"),
            rng.choice([*NODES, *OWNERS, *PAYERS]).rjust(TOPIC, b"\0"),
        ]
    )


def a_lie(rng: random.Random, block: Block, index: int) -> dict[str, Any]:
    """An event of the ABI by its contract and topic; the rest is any bytes, often of the right length."""
    contract, topic, event = rng.choice(TYPES)
    indexed = [argument["indexed"] for argument in event.entry["inputs"]]
    words = indexed.count(False) if rng.random() < 0.5 else rng.randrange(24)
    data = b"".join(a_word(rng) for _ in range(words)) + rng.randbytes(rng.choice([0, 0, 0, 1, 31]))
    topics = [
        topic,
        *(a_word(rng) for _ in range(indexed.count(True) if rng.random() < 0.9 else rng.randrange(3))),
    ]
    return {
        "address": "0x" + ADDRESSES[contract].hex(),
        "topics": ["0x" + word.hex() for word in topics],
        "data": "0x" + data.hex(),
        "blockNumber": hex(block.number),
        "blockHash": "0x" + block.hash.hex(),
        "transactionHash": "0x" + rng.randbytes(32).hex(),
        "transactionIndex": "0x0",
        "logIndex": hex(index),
        "blockTimestamp": hex(block.timestamp),
    }


@pytest.mark.parametrize("seed", range(3))
async def test_arbitrary_events_leave_nothing_behind(rig: Rig, seed: int) -> None:
    rng = random.Random(seed)
    refused = 0
    rig.node.grow(20, nulls=0)
    async with rig.follower() as follower:
        await follower.step()
        for _ in range(LIES):
            rig.node.grow(1, nulls=0)
            lies = [a_lie(rng, rig.node.head, index) for index in range(rng.choice([1, 1, 3]))]
            rig.node.faults.lies = {"eth_getLogs": [lies]}
            with suppress(InconsistentChain):
                try:
                    await follower.step()
                except FoldError:
                    refused += 1
            rig.node.drop(1)
        rig.node.faults.lies = {}
        rig.node.grow(3, nulls=0)
        await follower.step()
    assert refused > LIES // 2
    await assert_equal_to_fresh_fold(rig)
