import pytest

from devnet.accounts import LOCAL
from devnet.anvil import Anvil
from devnet.errors import ProcessFailed
from devnet.ports import LOOPBACK, free_port, is_taken
from protocol.chain import Chain
from protocol.enums import RunnerStatus
from protocol.errors import ChainError


async def test_a_chain_survives_a_restart_with_its_blocks_receipts_and_balances(tmp_path):
    state = tmp_path / "chain.json"
    gift = {"from": LOCAL.client.address, "to": LOCAL.outsider.address, "value": hex(10**18)}
    async with Anvil.start(dump_state=state) as anvil:
        sent = await anvil.rpc("eth_sendTransaction", gift)
        await anvil.mine(3)
        receipt = await anvil.rpc("eth_getTransactionReceipt", sent)
        block = await anvil.rpc("eth_getBlockByNumber", "0x1", False)
        balance = await anvil.rpc("eth_getBalance", LOCAL.outsider.address, "latest")
    async with Anvil.start(load_state=state) as anvil:
        assert await anvil.block_number() == 4
        assert await anvil.rpc("eth_getTransactionReceipt", sent) == receipt
        assert await anvil.rpc("eth_getBlockByNumber", "0x1", False) == block
        assert await anvil.rpc("eth_getBalance", LOCAL.outsider.address, "latest") == balance


async def test_a_chain_with_a_block_time_mines_without_transactions():
    async with Anvil.start(block_time_s=0.05) as anvil:
        first = await anvil.block_number()
        while await anvil.block_number() < first + 3:
            pass


async def test_a_chain_listens_on_loopback_only_and_frees_its_port():
    async with Anvil.start(port=free_port()) as anvil:
        assert anvil.url.startswith(f"http://{LOOPBACK}:")
        assert is_taken(anvil.port)
    assert not is_taken(anvil.port)


async def test_a_taken_port_is_told_with_the_tail_of_the_log(tmp_path):
    async with Anvil.start() as first:
        with pytest.raises(ProcessFailed, match="anvil ended with status") as caught:
            async with Anvil.start(port=first.port, log=tmp_path / "anvil.log"):
                pass
    assert "Address already in use" in str(caught.value)


async def test_a_refused_call_carries_the_nodes_own_words():
    async with Anvil.start() as anvil:
        with pytest.raises(ChainError, match="no_such_method"):
            await anvil.rpc("no_such_method")


async def test_the_deployed_state_has_contracts_and_three_registered_runners(anvil, deployment):
    async with Chain.connect(anvil.url, deployment) as chain:
        assert await chain.call(chain.reputation.functions.activeRunners()) == 3
        for node in LOCAL.nodes(3):
            assert (await chain.call(chain.reputation.functions.runnerOf(node.address)))[
                3
            ] == RunnerStatus.ACTIVE
        assert await chain.call(chain.token.functions.balanceOf(LOCAL.client.address)) > 0


async def test_what_a_test_does_to_its_chain_is_not_seen_by_the_next(anvil, deployed):
    before = await anvil.block_number()
    await anvil.mine(7)
    async with Anvil.start(load_state=deployed.state) as other:
        assert await other.block_number() == before
