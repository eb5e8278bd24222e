import asyncio
import json

import pytest

from devnet.accounts import LocalAccounts
from protocol.abi import load_abi
from protocol.chain import Chain
from protocol.deployment import load_deployment
from protocol.errors import TransactionReverted
from protocol.networks import CALIBRATION
from tests.forge_output import built
from tests.scripts.ape import Ape

NOWHERE = "http://127.0.0.1:9"
TREASURY = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
GUARDIAN = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"
TOKEN = "0xb3042734b608a1B16e9e86B374A3f3e389B4cDf0"
CREATED_ON_FILECOIN = (
    "DrandBeacon",
    "ParityAccessManager",
    "ParityToken",
    "ParityTimelock",
    "ParityGovernor",
    "StakeWallet",
    "RunnerReputation",
    "AuditCourt",
    "TaskEscrow",
    "SessionCharter",
    "FederatedLearning",
    "PeerMonitoring",
)
CALLS = 10
GIVEN = ("--treasury", TREASURY, "--guardian", GUARDIAN, "--usdfc", TOKEN)


async def place_token(ape: Ape) -> None:
    """Puts the test token's code where Calibration has USDFC: its constructor refuses to run there."""
    await ape.rpc("anvil_setCode", TOKEN, built("local/TestUSDFC.sol")["deployedBytecode"]["object"])


async def height(ape: Ape) -> int:
    return int(await ape.rpc("eth_blockNumber"), 16)


async def test_a_deployment_is_wired_checked_and_written_down(empty: Ape) -> None:
    ran = await empty.run("deploy")
    assert ran.status == 0, ran.err
    deployment = load_deployment(31337, folder=empty.folder)
    async with Chain.connect(empty.url, deployment) as chain:
        assert await chain.wallet.functions.isModule(deployment.task_escrow).call()
        assert await chain.wallet.functions.isModule(deployment.peer_monitoring).call()
        assert await chain.wallet.functions.isModule(deployment.audit_court).call()
        assert (await chain.court.functions.rulesOf(1).call())[0] > 0
        assert await chain.escrow.functions.latestParamsId().call() == deployment.params_id == 1
        assert await chain.escrow.functions.treasury().call() == deployment.treasury == deployment.timelock
        assert await chain.wallet.functions.isPausable(deployment.task_escrow).call()
        assert await chain.token.functions.name().call() == "USD for Filecoin Community"
    assert not list(empty.folder.glob(".*partial*"))

    before = await height(empty)
    again = await empty.run("deploy")
    assert again.status == 0
    assert "Already deployed" in again.out
    assert await height(empty) == before


async def test_after_a_deployment_its_deployer_may_do_no_more_than_anybody(
    empty: Ape, accounts: LocalAccounts
) -> None:
    holder, deployer = accounts.outsider.address, accounts.deployer.address
    people = ("--treasury", TREASURY, "--token-holder", holder, "--guardian", GUARDIAN)
    ran = await empty.run("deploy", *people)
    assert ran.status == 0, ran.err
    deployment = load_deployment(31337, folder=empty.folder)
    async with Chain.connect(empty.url, deployment) as chain:
        assert await chain.escrow.functions.treasury().call() == TREASURY
        params = await chain.escrow.functions.paramsOf(1).call()
        with pytest.raises(TransactionReverted, match="may not do this"):
            await chain.call(chain.escrow.functions.addParams(params), sender=deployer)
        await chain.call(chain.escrow.functions.addParams(params), sender=deployment.timelock)
        pause = chain.wallet.functions.pause(deployment.task_escrow, 5)
        lift = chain.wallet.functions.unpause(deployment.task_escrow)
        for call in (pause, lift):
            with pytest.raises(TransactionReverted, match="may not do this"):
                await chain.call(call, sender=deployer)
        await chain.call(pause, sender=GUARDIAN)
        with pytest.raises(TransactionReverted, match="is not paused"):
            await chain.call(lift, sender=deployment.timelock)
        votes = chain.w3.eth.contract(
            address=chain.w3.to_checksum_address(deployment.parity_token), abi=load_abi("ParityToken")
        )
        assert await votes.functions.getVotes(deployer).call() == 0
        assert await votes.functions.getVotes(holder).call() == await votes.functions.totalSupply().call()


async def test_a_deployment_that_was_killed_is_taken_up_where_it_stopped(empty: Ape) -> None:
    process = await empty.start("deploy")
    record = empty.folder / ".31337.partial.json"
    async with asyncio.timeout(60):
        while not (record.exists() and "runner_reputation" in record.read_text()):  # noqa: ASYNC110  # the file is another process's
            await asyncio.sleep(0.01)
    process.kill()
    await process.communicate()
    half = json.loads(record.read_text())["addresses"]

    ran = await empty.run("deploy")
    assert ran.status == 0, ran.err
    assert "done before" in ran.out
    deployment = load_deployment(31337, folder=empty.folder)
    assert deployment.stake_wallet == half["stake_wallet"]
    assert deployment.usdfc == half["usdfc"]


async def test_a_deployment_file_of_a_chain_that_is_gone_is_replaced(deployed_chain: Ape, empty: Ape) -> None:
    old = load_deployment(31337, folder=deployed_chain.folder)
    assert empty.folder == deployed_chain.folder
    ran = await empty.run("deploy")
    assert ran.status == 0, ran.err
    assert load_deployment(31337, folder=empty.folder).genesis_hash != old.genesis_hash


async def test_a_dry_run_for_filecoin_prices_every_transaction_and_sends_none(calibration: Ape) -> None:
    await place_token(calibration)
    before = await height(calibration)
    ran = await calibration.run("deploy", "--dry-run", *GIVEN)
    assert ran.status == 0, ran.err
    for contract in CREATED_ON_FILECOIN:
        assert f"create {contract} " in ran.out
    assert "TestUSDFC" not in ran.out
    assert ran.out.count(" gas  ") == len(CREATED_ON_FILECOIN) + CALLS
    assert f"{CALIBRATION.native_symbol}. Nothing was sent." in ran.out
    assert await height(calibration) == before
    assert not list(calibration.folder.glob("*"))


async def test_a_dry_run_says_when_the_deployer_could_not_pay(
    calibration: Ape, accounts: LocalAccounts
) -> None:
    await place_token(calibration)
    await calibration.rpc("anvil_setBalance", accounts.deployer.address, "0x1")
    ran = await calibration.run("deploy", "--dry-run", *GIVEN)
    assert ran.status == 3
    assert accounts.deployer.address in ran.err
    assert "faucet" in ran.err


async def test_published_keys_deploy_nothing_on_filecoin(calibration: Ape) -> None:
    await place_token(calibration)
    ran = await calibration.run("deploy", *GIVEN)
    assert ran.status == 2
    assert "published development account" in ran.err
    assert await height(calibration) == 0


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((), "treasury"),
        (("--treasury", "0x12"), "--treasury"),
        (("--treasury", TREASURY), "guardian"),
        (("--treasury", TREASURY, "--guardian", GUARDIAN), "USDFC_TOKEN_ADDRESS is not set"),
        (GIVEN, "is no contract on chain 314159"),
    ],
)
async def test_what_filecoin_needs_is_asked_for_by_name(
    calibration: Ape, arguments: tuple[str, ...], named: str
) -> None:
    ran = await calibration.run("deploy", "--dry-run", *arguments)
    assert ran.status == 2
    assert named in ran.err
    assert "Hint:" in ran.err


async def test_a_chain_without_a_profile_is_refused(calibration: Ape) -> None:
    await calibration.rpc("anvil_setChainId", 5)
    ran = await calibration.run("deploy")
    assert ran.status == 2
    assert "chain 5 has no deployment profile" in ran.err


def test_the_escrows_abi_carries_the_errors_of_what_it_calls() -> None:
    errors = {entry["name"] for entry in load_abi("TaskEscrow") if entry["type"] == "error"}
    assert {"WalletInsufficient", "RunnerBanned", "BeaconUnavailable", "AuthorizationExpired"} <= errors


async def test_a_node_that_is_not_there_is_named(empty: Ape) -> None:
    nowhere = Ape(NOWHERE, empty.folder)
    ran = await nowhere.run("deploy")
    assert ran.status == 1
    assert f"No (supported) node found on '{NOWHERE}'" in ran.err
    assert "--network" in ran.err


async def test_a_network_name_for_another_chain_is_refused(empty: Ape) -> None:
    mistaken = Ape(f"ethereum:local:{empty.url}", empty.folder)
    ran = await mistaken.run("deploy")
    assert ran.status == 2
    assert "serves chain 31337, and --network says" in ran.err
