import asyncio
from urllib.parse import urlsplit

import pytest

from devnet.accounts import LocalAccounts
from devnet.anvil import Anvil
from protocol.chain import Chain
from protocol.deployment import Deployment
from protocol.errors import RpcUnavailable, TransactionReverted, WrongChain
from protocol.money import USDFC


async def test_a_connection_reads_each_contract(anvil: Anvil, deployment: Deployment):
    async with Chain.connect(anvil.url, deployment) as chain:
        assert await chain.block_number() == await anvil.block_number()
        assert await chain.call(chain.wallet.functions.token()) == deployment.usdfc
        assert await chain.call(chain.escrow.functions.runnerReputation()) == deployment.runner_reputation
        assert (await chain.call(chain.reputation.functions.settings()))[0] == 100 * USDFC
        assert await chain.call(chain.token.functions.decimals()) == 18
        assert await chain.call(chain.beacon.functions.valueAt(1))


async def test_a_refused_read_says_why(anvil: Anvil, deployment: Deployment, accounts: LocalAccounts):
    async with Chain.connect(anvil.url, deployment) as chain:
        with pytest.raises(TransactionReverted) as caught:
            await chain.call(chain.reputation.functions.admit(accounts.outsider.address, 0))
    assert caught.value.name == "RunnerUnknown"
    assert accounts.outsider.address in str(caught.value)


async def test_another_chain_is_refused(anvil: Anvil, deployment: Deployment):
    elsewhere = deployment.model_copy(update={"chain_id": 314159})
    with pytest.raises(WrongChain, match=r"serves chain 31337, not 314159"):
        async with Chain.connect(anvil.url, elsewhere):
            pass


@pytest.mark.parametrize(
    "name",
    ["usdfc", "stake_wallet", "runner_reputation", "task_escrow", "audit_court", "peer_monitoring", "beacon"],
)
async def test_an_address_without_a_contract_is_named(anvil: Anvil, deployment: Deployment, name: str):
    wrong = deployment.model_copy(update={name: "0x000000000000000000000000000000000000dEaD"})
    with pytest.raises(WrongChain, match=name) as caught:
        async with Chain.connect(anvil.url, wrong):
            pass
    assert "started afresh" in str(caught.value.hint)


async def test_a_node_that_is_not_there_is_said_to_be_unavailable(
    unused_tcp_port: int, deployment: Deployment
):
    with pytest.raises(RpcUnavailable, match=f"127.0.0.1:{unused_tcp_port}") as caught:
        async with Chain.connect(f"http://127.0.0.1:{unused_tcp_port}/secret-token", deployment):
            pass
    assert "FILECOIN_RPC" in str(caught.value.hint)
    assert "secret-token" not in str(caught.value)


async def test_a_block_that_the_chain_does_not_have_yet_is_asked_for_again(
    anvil: Anvil, deployment: Deployment
):
    async with Chain.connect(anvil.url, deployment) as chain:
        asked = asyncio.ensure_future(
            chain.call(chain.token.functions.decimals(), block=await anvil.block_number() + 1)
        )
        await asyncio.sleep(0.05)
        await anvil.mine()
        assert await asked == 18


async def test_a_block_that_does_not_come_is_the_nodes_failure(anvil: Anvil, deployment: Deployment):
    async with Chain.connect(anvil.url, deployment) as chain:
        with pytest.raises(RpcUnavailable, match=r"eth_call: .*block height"):
            await chain.call(chain.token.functions.decimals(), block=await anvil.block_number() + 9)


async def _serve(answer: bytes | None) -> asyncio.Server:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        if answer is None:
            await reader.read()
        else:
            head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(answer)}\r\n\r\n"
            writer.write(head.encode() + answer)
        writer.close()

    return await asyncio.start_server(serve, "127.0.0.1", 0)


async def test_a_node_that_never_answers_is_given_up_on(deployment: Deployment):
    async with await _serve(None) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(RpcUnavailable, match=r"no answer within 0\.2 s"):
            async with Chain.connect(f"http://127.0.0.1:{port}", deployment, timeout_s=0.2):
                pass


@pytest.mark.parametrize("answer", [b"<html>Bad gateway</html>", b"", b"[]", b"5", b"{}", b"\xff"])
async def test_an_answer_that_is_no_json_rpc_is_unavailable(answer: bytes, deployment: Deployment):
    async with await _serve(answer) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(RpcUnavailable):
            async with Chain.connect(f"http://127.0.0.1:{port}", deployment, timeout_s=5):
                pass


async def test_calls_that_are_cancelled_at_any_moment_leave_the_connection_usable(
    anvil: Anvil, deployment: Deployment
) -> None:
    async with Chain.connect(anvil.url, deployment) as chain:
        for turns in range(60):
            calls = [asyncio.ensure_future(chain.block_number()) for _ in range(12)]
            for _ in range(turns % 6):
                await asyncio.sleep(0)
            for call in calls:
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)
        async with asyncio.timeout(60):
            assert await chain.block_number() == await anvil.block_number()


async def test_one_connection_serves_many_calls(anvil: Anvil, deployment: Deployment) -> None:
    opened = 0

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal opened
        opened += 1
        node, to_node = await asyncio.open_connection("127.0.0.1", urlsplit(anvil.url).port)
        await asyncio.gather(_pass_on(reader, to_node), _pass_on(node, writer))

    async with await asyncio.start_server(relay, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with Chain.connect(f"http://127.0.0.1:{port}", deployment) as chain:
            for _ in range(5):
                await chain.call(chain.escrow.functions.latestParamsId())
    assert opened == 1


async def test_a_connection_that_the_node_closed_meanwhile_is_opened_again(
    anvil: Anvil, deployment: Deployment
) -> None:
    closing: list[asyncio.StreamWriter] = []

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        node, to_node = await asyncio.open_connection("127.0.0.1", urlsplit(anvil.url).port)
        closing.extend((writer, to_node))
        await asyncio.gather(_pass_on(reader, to_node), _pass_on(node, writer), return_exceptions=True)

    async with await asyncio.start_server(relay, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with Chain.connect(f"http://127.0.0.1:{port}", deployment) as chain:
            for writer in closing:
                writer.transport.abort()
            assert await chain.block_number() == await anvil.block_number()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()
    writer.close()
