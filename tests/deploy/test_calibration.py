"""Filecoin Calibration, rehearsed: its chain id, its profile and its public nodes' limits, on a local chain."""

import json
import secrets
from functools import cache
from pathlib import Path

import pytest
from eth_account import Account
from eth_account.signers.local import LocalAccount
from web3 import AsyncWeb3

from client.money import bond, deposit
from devnet.accounts import LocalAccounts
from devnet.anvil import Anvil
from protocol import sender as sending
from protocol.chain import Chain
from protocol.deployment import Deployment, load_deployment
from protocol.enums import TaskStatus
from protocol.money import USDFC
from protocol.sender import Sender
from protocol.typed_data import escrow_domain, task_id
from runner.register import register_node
from tests.forge_output import built
from tests.indexer.imposing_proxy import ImposingProxy, Limits
from tests.indexer.test_filecoin_limits import assert_indexed_like_the_node_itself, mine, settings_for
from tests.indexer.test_on_anvil import Network, an_order
from tests.scripts.ape import Ape

CHAIN_ID = 314159
COIN = 10**18
PASSPHRASE = "for one test"
DRAND = "0xfE00000000000000000000000000000000000006"
DRAND_CODE = "0x5f355f5260205f205f5260205ff3"
"""Returns the hash of the word that it is given, as the precompile returns a digest of an epoch's beacon."""
RUNNERS = 3


class FreshAccounts(LocalAccounts):
    """Nobody else's keys: processes refuse the published ones on this chain."""

    @property
    def deployer(self) -> LocalAccount:
        return fresh("deployer")

    @property
    def payer(self) -> LocalAccount:
        return fresh("payer")

    def owner(self, number: int) -> LocalAccount:
        return fresh(f"owner {number}")

    def node(self, number: int) -> LocalAccount:
        return fresh(f"node {number}")

    def all(self) -> list[LocalAccount]:
        return [self.deployer, self.payer, *self.owners(RUNNERS), *self.nodes(RUNNERS)]


@cache
def fresh(_name: str) -> LocalAccount:
    account: LocalAccount = Account.create()
    return account


@pytest.fixture
def people() -> FreshAccounts:
    return FreshAccounts()


@pytest.fixture
def ape_account(people: FreshAccounts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The deployer's key among the accounts of an ape of the test's own."""
    folder = tmp_path / "ape"
    (folder / "accounts").mkdir(parents=True)
    if (shared := Path("~/.ape/packages").expanduser()).is_dir():
        (folder / "packages").symlink_to(shared)
    locked = people.deployer.encrypt(PASSPHRASE, kdf="pbkdf2", iterations=1)
    (folder / "accounts" / "deployer.json").write_text(json.dumps(locked))
    monkeypatch.setenv("APE_DATA_FOLDER", str(folder))
    monkeypatch.setenv("APE_ACCOUNTS_deployer_PASSPHRASE", PASSPHRASE)
    return "deployer"


async def made_like_calibration(anvil: Anvil, people: FreshAccounts) -> str:
    """Put on the chain what Calibration has: coin for everybody, drand, and a USDFC token; give the token's address."""
    for account in people.all():
        await anvil.rpc("anvil_setBalance", account.address, hex(100 * COIN))
    await anvil.rpc("anvil_setCode", DRAND, DRAND_CODE)
    code = built("local/TestUSDFC.sol")["bytecode"]["object"]
    creation = {"chainId": 31337, "nonce": 0, "gas": 5_000_000, "gasPrice": 10**10, "value": 0, "data": code}
    raw = Account.create().sign_transaction(creation)
    await anvil.rpc("anvil_setBalance", Account.recover_transaction(raw.raw_transaction), hex(COIN))
    await anvil.rpc("anvil_setChainId", 31337)  # elsewhere the test token refuses to be made
    sent = await anvil.rpc("eth_sendRawTransaction", raw.raw_transaction.to_0x_hex())
    await anvil.rpc("anvil_setChainId", CHAIN_ID)
    receipt = await anvil.rpc("eth_getTransactionReceipt", sent)
    return AsyncWeb3.to_checksum_address(receipt["contractAddress"])


async def deployed(ape: Ape, people: FreshAccounts, *, account: str, token: str) -> Deployment:
    others = (Account.create().address for _ in range(2))
    given = ("--treasury", next(others), "--guardian", next(others), "--usdfc", token)
    ran = await ape.run("deploy", *given, account=account)
    assert ran.status == 0, ran.out + ran.err
    assert "Filecoin Calibration (chain 314159)" in ran.out
    return load_deployment(CHAIN_ID, folder=ape.folder)


async def enlist(chain: Chain, people: FreshAccounts) -> None:
    """Give the payer and three staked runners what they need."""
    for account in (people.payer, *people.owners(RUNNERS)):
        sender = Sender(chain, account)
        await sender.send(chain.token.functions.mint(account.address, 500 * USDFC), label="mint")
    payer = Sender(chain, people.payer)
    await deposit(chain, 100 * USDFC, account=people.payer, sender=payer)
    for number in range(RUNNERS):
        owner = Sender(chain, people.owner(number))
        await bond(chain, 200 * USDFC, account=people.owner(number), sender=owner)
        await register_node(chain, owner=owner, node=people.node(number), label=f"runner-{number}")


async def done_task(network: Network) -> bytes:
    chain = network.chain
    order = await an_order(network, claim_by=await chain.block_number() + 200)
    await network.payer.send(chain.escrow.functions.submit(order.as_tuple()), label="submit")
    await mine(network.anvil, 40)  # the lottery has opened to all of them
    task = task_id(order, escrow_domain(CHAIN_ID, chain.deployment.task_escrow))
    await network.answer(task, answers=[secrets.token_bytes(32)] * RUNNERS)
    return task


@pytest.mark.slow  # half a minute on a free machine, most of it ape's
async def test_contracts_a_task_and_the_index_live_with_calibrations_rules(
    people: FreshAccounts,
    ape_account: str,
    postgres_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sending, "_LONGEST_POLL_S", 0.05)  # blocks come at once here, not every 30 seconds
    async with Anvil.start(chain_id=CHAIN_ID) as anvil:
        token = await made_like_calibration(anvil, people)
        await mine(anvil, 20)
        async with ImposingProxy.before(anvil.url, Limits()) as (proxy, url):
            ape = Ape(url, tmp_path / "deployments")
            deployment = await deployed(ape, people, account=ape_account, token=token)
            async with Chain.connect(url, deployment) as chain:
                assert chain.network.native_symbol == "tFIL"
                await enlist(chain, people)
                await mine(anvil, 300)  # quiet blocks, null rounds among them
                task = await done_task(Network(chain, anvil, people))
                assert (
                    TaskStatus((await chain.call(chain.escrow.functions.taskOf(task)))[-1])
                    is TaskStatus.FINAL
                )
            await mine(anvil, 70)
            settings = settings_for([url], deployment, postgres_url, tmp_path / "index")
            await assert_indexed_like_the_node_itself(settings, anvil)
            assert any("block range exceeds" in text for text in proxy.refused)
