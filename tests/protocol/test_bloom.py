"""A block's Bloom filter names whoever spoke in it, as the chain makes it."""

import secrets

from devnet.accounts import LOCAL
from devnet.anvil import Anvil
from protocol.blocks import block_at, logs_between
from protocol.bloom import bloom_of, may_name
from protocol.chain import Chain
from protocol.deployment import Deployment
from protocol.sender import Sender


async def test_a_block_names_the_contract_that_spoke_and_its_topics(
    anvil: Anvil, deployment: Deployment
) -> None:
    async with Chain.connect(anvil.url, deployment) as chain:
        revoke = chain.escrow.functions.revokeAll()
        receipt = await Sender(chain, LOCAL.payer).send(revoke, label="revoke")
        block = await block_at(chain, receipt.block_number)
        (log,) = await logs_between(chain, block.number, block.number, addresses=[deployment.task_escrow])
        assert may_name(block.bloom, bytes.fromhex(deployment.task_escrow[2:]))
        assert all(may_name(block.bloom, bytes(topic)) for topic in log["topics"])
        assert bloom_of([bytes.fromhex(log["address"][2:]), *map(bytes, log["topics"])]) == block.bloom
        strangers = sum(may_name(block.bloom, secrets.token_bytes(20)) for _ in range(200))
        assert strangers < 10


async def test_an_empty_block_names_nobody(anvil: Anvil, deployment: Deployment) -> None:
    async with Chain.connect(anvil.url, deployment) as chain:
        await anvil.mine(1)
        block = await block_at(chain)
        assert not may_name(block.bloom, bytes.fromhex(deployment.task_escrow[2:]))


def test_a_filter_that_is_none_tells_nothing() -> None:
    assert may_name(b"", b"\1" * 20)
