"""The real contracts through a gateway as imposing as Filecoin's: everything is found, and nothing twice."""

import asyncio
from pathlib import Path

from devnet.accounts import LocalAccounts
from devnet.anvil import Anvil
from indexer import schema as versions
from indexer import service
from indexer.settings import IndexerSettings
from protocol.chain import Chain
from protocol.deployment import Deployment, save_deployment
from protocol.networks import LOCAL
from tests.indexer.imposing_proxy import ImposingProxy, Limits
from tests.indexer.processes import environment, indexer_process, wait_until_indexed
from tests.indexer.test_on_anvil import Network, differences


def settings_for(urls: list[str], deployment: Deployment, database_url: str, folder: Path) -> IndexerSettings:
    save_deployment(deployment, folder=folder)
    return IndexerSettings(
        database_url=database_url,
        filecoin_rpc=",".join(urls),
        filecoin_chain_id=deployment.chain_id,
        deployments_dir=folder,
        indexer_port=0,
        ipfs_api="/ip4/127.0.0.1/tcp/1/http",
    )


async def mine(anvil: Anvil, blocks: int) -> None:
    """Mine empty blocks, few at a time: one long call outlasts its caller on a busy machine."""
    for first in range(0, blocks, 200):
        await anvil.mine(min(200, blocks - first))


async def live_a_while(anvil: Anvil, deployment: Deployment, accounts: LocalAccounts, *, quiet: int) -> None:
    """Two tasks with a quiet stretch between them, and blocks on top; the head is a block that all can see."""
    async with Chain.connect(anvil.url, deployment) as chain:
        network = Network(chain, anvil, accounts)
        await network.answer(await network.submit(), answers=[b"\x01" * 32] * 3)
        await mine(anvil, quiet)
        await network.answer(await network.submit(), answers=[b"\x01" * 32, b"\x01" * 32, None])
        await anvil.mine(70)
        await anvil.mine(8 - await anvil.block_number() % 10 if await anvil.block_number() % 10 < 8 else 1)


async def assert_indexed_like_the_node_itself(settings: IndexerSettings, anvil: Anvil) -> None:
    deployment = settings.deployment()
    schema = versions.version_of(deployment)
    head = bytes.fromhex((await anvil.rpc("eth_getBlockByNumber", "latest", False))["hash"][2:])
    running = asyncio.create_task(service.run(settings))
    try:
        waiting = asyncio.create_task(wait_until_indexed(settings.database_url, schema, block_hash=head))
        await asyncio.wait({running, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        assert not running.done(), running
        direct = settings.model_copy(update={"filecoin_rpc": anvil.url})
        async with service.connect_chain(direct, deployment, LOCAL) as chain:
            assert await differences(settings, chain, deployment, schema) == []
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_caps_null_rounds_and_refusals_leave_no_gap(
    anvil: Anvil, deployment: Deployment, accounts: LocalAccounts, postgres_url: str, tmp_path: Path
) -> None:
    await live_a_while(anvil, deployment, accounts, quiet=700)
    async with ImposingProxy.before(anvil.url, Limits()) as (proxy, url):
        await assert_indexed_like_the_node_itself(
            settings_for([url], deployment, postgres_url, tmp_path), anvil
        )
        said = set(proxy.refused)
        assert any("block range exceeds maximum of 50" in text for text in said)
        assert any("too many events" in text for text in said)
        assert "too many requests" in said
        assert proxy.widest <= 50


async def test_history_that_the_first_endpoint_lacks_comes_from_the_next(
    anvil: Anvil, deployment: Deployment, accounts: LocalAccounts, postgres_url: str, tmp_path: Path
) -> None:
    await live_a_while(anvil, deployment, accounts, quiet=2200)
    async with (
        ImposingProxy.before(anvil.url, Limits()) as (near, near_url),
        ImposingProxy.before(anvil.url, Limits(lookback=None)) as (_archive, archive_url),
    ):
        settings = settings_for([near_url, archive_url], deployment, postgres_url, tmp_path)
        await assert_indexed_like_the_node_itself(settings, anvil)
        assert any("lookbacks of more than" in text for text in near.refused)
        assert near.requests > len(near.refused), "the near endpoint still serves what it has"


async def test_history_that_no_endpoint_has_ends_the_process_with_the_remedy(
    anvil: Anvil, deployment: Deployment, postgres_url: str, tmp_path: Path
) -> None:
    await mine(anvil, 2200)
    async with ImposingProxy.before(anvil.url, Limits()) as (_proxy, url):
        env = environment(database_url=postgres_url, rpc_url=url, deployment=deployment, folder=tmp_path)
        async with indexer_process(env) as process:
            assert process.stdout is not None
            said = (await process.stdout.read()).decode()
            assert await process.wait() == 1
    assert "hint: Put an archive node" in said
