"""The indexer on the real contracts: tables, contracts and a fresh fold agree, whatever the chain does."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak

from devnet.accounts import LocalAccounts
from devnet.anvil import Anvil
from indexer import schema as versions
from indexer import service
from indexer.chain import ChainReader
from indexer.contract_reads import compare_with_contracts
from indexer.settings import IndexerSettings
from indexer.verify import compare_with_fresh_fold
from protocol.chain import Chain
from protocol.commitment import Reveal, commitment, new_salt
from protocol.deployment import Deployment, save_deployment
from protocol.enums import Mode
from protocol.money import USDFC
from protocol.networks import LOCAL
from protocol.order import Order
from protocol.sender import Sender
from protocol.typed_data import Domain, escrow_domain, task_id, wallet_domain
from protocol.voucher import Channel, channel_id, sign_voucher
from tests.indexer.processes import environment, indexer_process, wait_until_indexed
from tests.voting import governor, vote_holder, vote_token


class Network:
    """The contracts as people use them."""

    def __init__(self, chain: Chain, anvil: Anvil, accounts: LocalAccounts) -> None:
        self.chain = chain
        self.anvil = anvil
        self.payer = Sender(chain, accounts.payer)
        self.nodes = [Sender(chain, accounts.node(number)) for number in range(3)]
        self.owner = Sender(chain, accounts.owner(0))

    async def submit(self) -> bytes:
        order = await an_order(self)
        await self.payer.send(self.chain.escrow.functions.submit(order.as_tuple()), label="submit")
        await self.anvil.mine(4)
        deployment = self.chain.deployment
        return task_id(order, escrow_domain(deployment.chain_id, deployment.task_escrow))

    @property
    def domain(self) -> Domain:
        deployment = self.chain.deployment
        return wallet_domain(deployment.chain_id, deployment.stake_wallet)

    def id_of(self, terms: Channel) -> bytes:
        return channel_id(terms, self.domain)

    async def open_channel(self, accounts: LocalAccounts) -> Channel:
        terms = Channel(
            payer=self.payer.address,
            node=accounts.node(0).address,
            owner=accounts.owner(0).address,
            amount=5 * USDFC,
            close_delay=await self.chain.call(self.chain.wallet.functions.minCloseDelay()),
            open_by=await self.chain.block_number() + 100,
            salt=secrets.token_bytes(32),
        )
        await self.payer.send(self.chain.wallet.functions.openChannel(terms.as_tuple()), label="open channel")
        return terms

    async def answer(self, task: bytes, *, answers: list[bytes | None]) -> None:
        """Have the three runners take the task; None never reveals."""
        functions = self.chain.escrow.functions
        for node in self.nodes:
            await node.send(functions.claim(task), label="claim")
        reveals = []
        for seat, (node, result) in enumerate(zip(self.nodes, answers, strict=True)):
            opened = Reveal(
                result=result or bytes(32),
                fingerprint=bytes(32),
                input_tokens=5,
                output_tokens=9,
                salt=new_salt(),
            )
            reveals.append(opened)
            await node.send(
                functions.commit(task, seat, commitment(task, node.address, opened)), label="commit"
            )
        for seat, (node, result) in enumerate(zip(self.nodes, answers, strict=True)):
            if result is not None:
                opened = reveals[seat]
                values = (
                    opened.result,
                    opened.fingerprint,
                    opened.input_tokens,
                    opened.output_tokens,
                    opened.salt,
                )
                await node.send(functions.reveal(task, seat, values), label="reveal")
        if None in answers:
            await self.anvil.mine(130)
            await self.payer.send(functions.advance(task), label="advance")


async def an_order(network: Network, **changes: Any) -> Order:
    """Make an order for three seats that the payer pays itself."""
    fields: dict[str, Any] = {
        "client": network.payer.address,
        "payer": network.payer.address,
        "reward": 3 * USDFC,
        "bond": 2 * USDFC,
        "input_price": 0,
        "output_price": 0,
        "params_id": 1,
        "replicas": 3,
        "quorum": 2,
        "mode": Mode.QUORUM,
        "claim_by": await network.chain.block_number() + 1000,
        "retention": 10,
        "client_epoch": 0,
        "spec": secrets.token_bytes(32),
        "salt": secrets.token_bytes(32),
    }
    return Order(**(fields | changes))


@pytest.fixture
async def network(anvil: Anvil, deployment: Deployment, accounts: LocalAccounts) -> AsyncIterator[Network]:
    async with Chain.connect(anvil.url, deployment) as chain:
        yield Network(chain, anvil, accounts)


@pytest.fixture
def settings(anvil: Anvil, deployment: Deployment, postgres_url: str, tmp_path: Path) -> IndexerSettings:
    save_deployment(deployment, folder=tmp_path)
    return IndexerSettings(
        database_url=postgres_url,
        filecoin_rpc=anvil.url,
        filecoin_chain_id=deployment.chain_id,
        deployments_dir=tmp_path,
        indexer_port=0,
        ipfs_api="/ip4/127.0.0.1/tcp/1/http",
    )


@asynccontextmanager
async def indexer(settings: IndexerSettings) -> AsyncIterator[None]:
    """Index while the test's block runs, which is cancelled if the indexer fails."""
    async with asyncio.TaskGroup() as group:
        task = group.create_task(service.run(settings))
        yield
        task.cancel()


async def assert_verified(settings: IndexerSettings, anvil: Anvil) -> None:
    deployment = settings.deployment()
    schema = versions.version_of(deployment)
    head = (await anvil.rpc("eth_getBlockByNumber", "latest", False))["hash"]
    await wait_until_indexed(settings.database_url, schema, block_hash=bytes.fromhex(head[2:]))
    async with service.connect_chain(settings, deployment, LOCAL) as chain:
        assert await differences(settings, chain, deployment, schema) == []


async def differences(
    settings: IndexerSettings, chain: ChainReader, deployment: Deployment, schema: str
) -> list[str]:
    by_fold = await compare_with_fresh_fold(settings.database_url, chain, deployment, schema=schema)
    return by_fold + await compare_with_contracts(settings.database_url, chain, deployment, schema=schema)


async def fetch(settings: IndexerSettings, sql: str, *args: object) -> asyncpg.Record:
    connection = await asyncpg.connect(settings.database_url)
    try:
        row = await connection.fetchrow(sql, *args)
        assert row is not None
        return row
    finally:
        await connection.close()


async def test_a_task_with_a_wrong_answer_adds_up(
    network: Network, settings: IndexerSettings, anvil: Anvil
) -> None:
    async with indexer(settings):
        task = await network.submit()
        await network.answer(task, answers=[b"\x01" * 32, b"\x01" * 32, b"\x02" * 32])
        await assert_verified(settings, anvil)
    row = await fetch(settings, "SELECT * FROM public.tasks WHERE task_id = $1", task)
    assert (row["status"], row["winners"], row["result"]) == ("final", 0b011, b"\x01" * 32)
    assert row["paid"] + row["fee"] + row["returned"] == row["reward"] == 3 * USDFC
    assert (row["fee"], row["slashed"]) == (2 * USDFC // 50, USDFC)
    seats = await fetch(
        settings,
        "SELECT array_agg(outcome ORDER BY seat) AS outcomes FROM public.task_seats WHERE task_id = $1",
        task,
    )
    assert seats["outcomes"] == ["right", "right", "wrong"]
    timeline = await fetch(
        settings,
        "SELECT array_agg(name ORDER BY block_number, log_index) AS names FROM public.task_events WHERE task_id = $1",
        task,
    )
    assert timeline["names"][0] == "TaskSubmitted"
    assert {"SeatClaimed", "SeatCommitted", "SeatRevealed", "TaskFinalized", "Settled", "Moved"} <= set(
        timeline["names"]
    )


async def test_failed_cancelled_and_withdrawn_add_up(
    network: Network, settings: IndexerSettings, anvil: Anvil
) -> None:
    functions = network.chain.escrow.functions
    wallet = network.chain.wallet.functions
    failed = await network.submit()
    await network.answer(failed, answers=[b"\x01" * 32, b"\x02" * 32, None])
    cancelled = await network.submit()
    await network.payer.send(functions.cancel(cancelled), label="cancel")
    await network.payer.send(functions.revokeAll(), label="revoke")
    await network.payer.send(wallet.withdraw(USDFC), label="withdraw")
    await network.owner.send(wallet.requestUnbond(USDFC), label="unbond")
    await network.owner.send(wallet.cancelUnbond(), label="cancel unbond")
    async with indexer(settings):
        await assert_verified(settings, anvil)
    rows = {
        name: await fetch(settings, "SELECT * FROM public.tasks WHERE task_id = $1", task)
        for name, task in (("failed", failed), ("cancelled", cancelled))
    }
    assert {name: row["status"] for name, row in rows.items()} == {
        "failed": "failed",
        "cancelled": "cancelled",
    }
    assert all(row["returned"] == row["reward"] and row["paid"] == row["fee"] == 0 for row in rows.values())


async def test_channels_add_up_with_the_wallet(
    network: Network, settings: IndexerSettings, anvil: Anvil, accounts: LocalAccounts
) -> None:
    paid, waived = [await network.open_channel(accounts) for _ in range(2)]
    wallet = network.chain.wallet.functions
    await network.payer.send(wallet.topUp(paid.as_tuple(), USDFC), label="top up")
    voucher = sign_voucher(network.id_of(paid), 2 * USDFC, network.domain, account=accounts.payer)
    await network.payer.send(wallet.redeem(paid.owner, [voucher.as_tuple()]), label="redeem")
    await network.payer.send(wallet.requestClose(paid.as_tuple()), label="request close")
    await network.nodes[0].send(wallet.close(waived.as_tuple()), label="close")
    async with indexer(settings):
        await assert_verified(settings, anvil)
        await anvil.mine(paid.close_delay)
        await network.owner.send(wallet.close(paid.as_tuple()), label="close")
        await assert_verified(settings, anvil)
    voucher_row = await fetch(settings, "SELECT * FROM public.vouchers")
    assert (voucher_row["channel_id"], voucher_row["cumulative"]) == (network.id_of(paid), 2 * USDFC)
    row = await fetch(settings, "SELECT * FROM public.channels WHERE channel_id = $1", network.id_of(paid))
    assert (row["status"], row["amount"], row["deposited"]) == ("closed", 5 * USDFC, 6 * USDFC)
    assert (row["redeemed"], row["returned"]) == (2 * USDFC, 4 * USDFC)


async def test_proposals_and_votes_add_up_with_the_governor(
    network: Network, settings: IndexerSettings, anvil: Anvil, accounts: LocalAccounts
) -> None:
    token, voting = vote_token(network.chain), governor(network.chain)
    holder = Sender(network.chain, await vote_holder(network.chain, accounts))
    await holder.send(token.functions.delegate(holder.address), label="delegate")
    await holder.send(token.functions.transfer(network.payer.address, 5), label="give votes")
    await network.payer.send(token.functions.delegate(network.payer.address), label="delegate")
    call = ([network.chain.deployment.usdfc], [0], [b""], "Nothing at all")
    receipt = await holder.send(voting.functions.propose(*call), label="propose")
    proposal = voting.events.ProposalCreated().process_receipt(receipt.raw)[0]["args"]["proposalId"]
    await anvil.rpc("evm_increaseTime", 5)
    await anvil.mine()
    await holder.send(voting.functions.castVoteWithReason(proposal, 1, "It is cheap"), label="vote")
    await network.payer.send(
        voting.functions.castVoteWithReasonAndParams(proposal, 0, "", b"\x01"), label="vote"
    )
    # Words that are no text: the ABI writes bytes as it writes a string.
    selector = keccak(text="castVoteWithReason(uint256,uint8,string)")[:4]
    words = encode(["uint256", "uint8", "bytes"], [proposal, 2, b"\xff\0\xfe"])
    await anvil.rpc("anvil_impersonateAccount", network.owner.address)
    odd = {"from": network.owner.address, "to": voting.address, "data": "0x" + (selector + words).hex()}
    sent = await anvil.rpc("eth_sendTransaction", odd)
    await anvil.mine()
    assert int((await anvil.rpc("eth_getTransactionReceipt", sent))["status"], 16) == 1
    async with indexer(settings):
        await assert_verified(settings, anvil)
    kept = await fetch(
        settings,
        "SELECT array_agg((support, reason) ORDER BY block_number) AS votes FROM public.proposal_votes"
        " WHERE proposal_id = $1",
        proposal,
    )
    assert kept["votes"] == [
        ("for", "It is cheap"),
        ("against", ""),
        ("abstain", "\N{REPLACEMENT CHARACTER}" * 3),
    ]


@pytest.mark.parametrize("depth", [1, 5, 60])
async def test_a_reorganisation_of_the_real_chain_is_undone(
    network: Network, settings: IndexerSettings, anvil: Anvil, depth: int
) -> None:
    async with indexer(settings):
        await anvil.mine(depth)
        task = await network.submit()
        await network.answer(task, answers=[b"\x01" * 32] * 3)
        await assert_verified(settings, anvil)
        await anvil.rpc("anvil_reorg", depth, [])
        await anvil.mine(2)
        await assert_verified(settings, anvil)
    state = await fetch(settings, "SELECT reorgs FROM public.sync_state")
    assert state["reorgs"] >= 1


async def test_a_development_chain_that_was_reverted_is_followed_back(
    network: Network, settings: IndexerSettings, anvil: Anvil
) -> None:
    async with indexer(settings):
        mark = await anvil.rpc("evm_snapshot")
        task = await network.submit()
        await assert_verified(settings, anvil)
        await anvil.rpc("evm_revert", mark)
        await assert_verified(settings, anvil)
        gone = await fetch(settings, "SELECT count(*) AS n FROM public.tasks WHERE task_id = $1", task)
    assert gone["n"] == 0


async def command(settings: IndexerSettings, *arguments: str) -> tuple[int | None, str]:
    deployment = settings.deployment()
    env = environment(
        database_url=settings.database_url,
        rpc_url=settings.filecoin_rpc,
        deployment=deployment,
        folder=settings.deployments_dir,
    )
    async with indexer_process(env, *arguments) as process:
        assert process.stdout is not None
        said = (await process.stdout.read()).decode()
        return await process.wait(), said


async def test_commands_show_check_and_rebuild_the_index(
    network: Network, settings: IndexerSettings, anvil: Anvil
) -> None:
    await network.submit()
    async with indexer(settings):
        await assert_verified(settings, anvil)
    head = await anvil.block_number()
    code, said = await command(settings, "status", "--json")
    assert (code, json.loads(said)["indexed_number"]) == (0, head)
    code, said = await command(settings, "rebuild", "--json")
    assert code == 0
    assert json.loads(said.splitlines()[-1])["events"] > 0
    code, said = await command(settings, "prune", "--json")
    assert (code, json.loads(said.splitlines()[-1])) == (0, {"removed": []})
    code, said = await command(settings, "verify")
    assert (code, said.splitlines()[-1]) == (0, "verified: equal to a fresh fold, and to the contracts")


async def test_verify_names_a_row_that_was_tampered_with(
    network: Network, settings: IndexerSettings, anvil: Anvil
) -> None:
    async with indexer(settings):
        await assert_verified(settings, anvil)
    account = bytes.fromhex(network.payer.address[2:])
    schema = versions.version_of(settings.deployment())
    connection = await asyncpg.connect(settings.database_url)
    await connection.execute(f"UPDATE {schema}.balances SET free = free + 1 WHERE account = $1", account)
    await connection.close()
    code, said = await command(settings, "verify")
    assert code == 1
    assert f"balances 0x{account.hex()}: free is " in said
    assert "balances: only in a fresh fold: " in said
    assert "hint: Run `parity-indexer rebuild`" in said
    assert (await command(settings, "rebuild"))[0] == 0
    assert (await command(settings, "verify"))[0] == 0


async def test_logs_that_a_node_left_out_are_there_after_a_rebuild_from_the_chain(
    network: Network, settings: IndexerSettings, anvil: Anvil
) -> None:
    task = await network.submit()
    async with indexer(settings):
        await assert_verified(settings, anvil)
    schema = versions.version_of(settings.deployment())
    connection = await asyncpg.connect(settings.database_url)
    await connection.execute(f"DELETE FROM {schema}.logs WHERE position($1 IN topics) > 0", task)
    await connection.close()
    assert (await command(settings, "rebuild"))[0] == 0
    assert (await command(settings, "verify"))[0] == 1
    code, said = await command(settings, "rebuild", "--from-chain", "--json")
    assert code == 0
    assert json.loads(said.splitlines()[-1])["events"] > 0
    assert (await command(settings, "verify"))[0] == 0
    async with indexer(settings):
        await network.submit()
        await assert_verified(settings, anvil)


async def test_a_status_without_an_index_says_how_to_make_one(settings: IndexerSettings) -> None:
    code, said = await command(settings, "status")
    assert code == 1
    assert "hint: Start one with `parity-indexer run`." in said
