"""Transactions while the node is away, dies, or its answer is lost."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import psutil
import pytest

from devnet.accounts import LocalAccounts
from devnet.anvil import Anvil
from protocol.chain import Chain
from protocol.deployment import Deployment
from protocol.errors import RpcUnavailable
from protocol.money import USDFC
from protocol.sender import Sender

SOMEBODY = "0x000000000000000000000000000000000000bEEF"


@pytest.fixture
async def chain(anvil: Anvil, deployment: Deployment) -> AsyncIterator[Chain]:
    async with Chain.connect(anvil.url, deployment) as connected:
        yield connected


async def nonces(chain: Chain, address: str) -> int:
    return await chain.w3.eth.get_transaction_count(address)


async def test_a_node_that_dies_is_said_to_be_unavailable_and_the_next_send_starts_afresh(
    anvil: Anvil, chain: Chain, accounts: LocalAccounts
):
    sender = Sender(chain, accounts.outsider)
    await sender.send(chain.token.functions.mint(SOMEBODY, 1), label="mint")
    await anvil.process.stop(grace_s=5)
    with pytest.raises(RpcUnavailable):
        await sender.send(chain.token.functions.mint(SOMEBODY, 1), label="mint")


async def test_a_node_that_is_away_while_a_transaction_waits_is_waited_for(
    anvil: Anvil, deployment: Deployment, accounts: LocalAccounts
):
    async with Chain.connect(anvil.url, deployment, timeout_s=0.3) as chain:
        await anvil.rpc("evm_setAutomine", False)
        sent: asyncio.Queue[str] = asyncio.Queue()
        sending = asyncio.create_task(
            Sender(chain, accounts.outsider).send(
                chain.token.functions.mint(SOMEBODY, 7), label="mint", on_sent=sent.put_nowait
            )
        )
        first = await sent.get()
        os.kill(anvil.process.pid, signal.SIGSTOP)
        await stopped(anvil.process.pid)
        with pytest.raises(RpcUnavailable):
            await chain.block_number()
        os.kill(anvil.process.pid, signal.SIGCONT)
        await anvil.mine()
        assert (await sending).transaction_hash == first


async def test_a_transaction_whose_answer_was_lost_is_not_sent_a_second_time(
    anvil: Anvil, deployment: Deployment, accounts: LocalAccounts
):
    lost = 0

    async def lose_first_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal lost
        node, to_node = await asyncio.open_connection("127.0.0.1", urlsplit(anvil.url).port)
        while request := await reader.read(65_536):
            to_node.write(request)
            answer = await node.read(65_536)
            if b"eth_sendRawTransaction" in request and not lost:
                lost += 1
                break
            writer.write(answer)
        to_node.close()
        writer.close()

    async with await asyncio.start_server(lose_first_answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with Chain.connect(f"http://127.0.0.1:{port}", deployment) as chain:
            sender = Sender(chain, accounts.outsider)
            before = await nonces(chain, sender.address)
            receipt = await sender.send(chain.token.functions.mint(SOMEBODY, 5 * USDFC), label="mint")
            assert lost == 1
            assert await nonces(chain, sender.address) == before + 1
            assert await chain.call(chain.token.functions.balanceOf(SOMEBODY)) == 5 * USDFC
            assert receipt.raw["status"] == 1


async def stopped(pid: int) -> None:
    """Wait until a process is stopped."""
    async with asyncio.timeout(10):
        while psutil.Process(pid).status() != psutil.STATUS_STOPPED:  # noqa: ASYNC110 (another process's state)
            await asyncio.sleep(0.02)
