"""An indexer to which a node talks nonsense writes none of it, and goes on when it hears the truth again."""

import asyncio
from pathlib import Path

import pytest

from client.money import faucet
from devnet.accounts import LOCAL
from devnet.anvil import Anvil
from indexer.settings import IndexerSettings
from protocol.chain import Chain
from protocol.deployment import Deployment, save_deployment
from protocol.sender import Sender
from tests.bent_node import BentNode
from tests.indexer.test_on_anvil import assert_verified, indexer


@pytest.mark.parametrize("seed", [1, 2])
async def test_nonsense_leaves_no_trace(
    anvil: Anvil, deployment: Deployment, postgres_url: str, tmp_path: Path, seed: int
) -> None:
    save_deployment(deployment, folder=tmp_path)
    async with (
        BentNode(anvil.url, seed=seed, share=0.3).serving() as node,
        Chain.connect(anvil.url, deployment) as chain,
    ):
        settings = IndexerSettings(
            database_url=postgres_url,
            filecoin_rpc=node.url,
            filecoin_chain_id=deployment.chain_id,
            deployments_dir=tmp_path,
            indexer_port=0,
            ipfs_api="/ip4/127.0.0.1/tcp/1/http",
        )
        async with indexer(settings):
            for _ in range(6):
                await faucet(chain, amount=1, sender=Sender(chain, LOCAL.outsider))
                await asyncio.sleep(0.3)
            assert node.bent > 0
            node.share = 0
            await assert_verified(settings, anvil)
