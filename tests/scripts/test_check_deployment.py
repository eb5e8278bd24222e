"""Anybody's look at a deployment file: everything in it, and nothing but reading."""

import json
from pathlib import Path
from typing import Any

import pytest

from devnet.accounts import LocalAccounts
from protocol.abi import load_abi
from protocol.chain import Chain
from protocol.deployment import load_deployment
from tests.scripts.ape import Ape

SOMEBODY = "0x90F79bf6EB2c4f870365E785982E1f101E93b906"


def changed(ape: Ape, **fields: Any) -> Path:
    """A copy of the deployment file under another name, with other values."""
    facts = json.loads((ape.folder / "31337.json").read_text())
    path = ape.folder / "given.json"
    path.write_text(json.dumps(facts | fields))
    return path


async def test_a_deployment_is_checked_without_an_account_and_without_a_transaction(
    deployed_chain: Ape,
) -> None:
    before = await deployed_chain.rpc("eth_blockNumber")
    ran = await deployed_chain.run("check-deployment", account=None)
    assert ran.status == 0, ran.out + ran.err
    assert "DIFFERS" not in ran.out
    assert "holders of AccessManager's ADMIN" in ran.out
    assert await deployed_chain.rpc("eth_blockNumber") == before


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("treasury", SOMEBODY, "TaskEscrow.treasury should be 0x90F"),
        ("guardian", SOMEBODY, f"holders of AccessManager's GUARDIAN should be {SOMEBODY}"),
        ("stake_wallet", SOMEBODY, f"StakeWallet at {SOMEBODY} should be the code"),
        ("genesis_hash", "0x" + "11" * 32, "genesis block should be"),
    ],
)
async def test_what_differs_from_the_file_is_named(
    deployed_chain: Ape, field: str, value: str, named: str
) -> None:
    ran = await deployed_chain.run(
        "check-deployment", str(changed(deployed_chain, **{field: value})), account=None
    )
    assert ran.status == 1
    assert f"DIFFERS  {named}" in ran.out
    # The treasury is named by TaskEscrow and by AuditCourt.
    assert f"{2 if field == 'treasury' else 1} of" in ran.err


async def test_a_contract_with_other_code_is_found(deployed_chain: Ape) -> None:
    deployment = load_deployment(31337, folder=deployed_chain.folder)
    file = changed(deployed_chain, governor=deployment.timelock)
    ran = await deployed_chain.run("check-deployment", str(file), account=None)
    assert ran.status == 1
    assert f"DIFFERS  ParityGovernor at {deployment.timelock}" in ran.out
    assert "is other code" in ran.out


async def test_a_role_that_somebody_else_holds_is_found(deployed_chain: Ape, accounts: LocalAccounts) -> None:
    deployment = load_deployment(31337, folder=deployed_chain.folder)
    async with Chain.connect(deployed_chain.url, deployment) as chain:
        manager = chain.w3.eth.contract(
            address=chain.w3.to_checksum_address(deployment.access_manager),
            abi=load_abi("ParityAccessManager"),
        )
        await deployed_chain.rpc("anvil_impersonateAccount", deployment.timelock)
        await deployed_chain.rpc("anvil_setBalance", deployment.timelock, hex(10**18))
        for role in (0, 7):
            grant = manager.functions.grantRole(role, accounts.outsider.address, 0)
            await grant.transact({"from": chain.w3.to_checksum_address(deployment.timelock)})
    ran = await deployed_chain.run("check-deployment", account=None)
    assert ran.status == 1
    assert "DIFFERS  holders of AccessManager's ADMIN" in ran.out
    assert f"holders of role 7 at {deployment.access_manager} should be nobody" in ran.out
    assert "2 of" in ran.err


async def test_a_file_that_begins_too_late_to_show_who_was_given_roles_is_found(deployed_chain: Ape) -> None:
    height = int(await deployed_chain.rpc("eth_blockNumber"), 16)
    ran = await deployed_chain.run(
        "check-deployment", str(changed(deployed_chain, start_block=height)), account=None
    )
    assert ran.status == 1
    assert "DIFFERS  holders of AccessManager's ADMIN" in ran.out


async def test_a_file_that_is_no_deployment_is_named(deployed_chain: Ape, tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    path.write_text("{}")
    ran = await deployed_chain.run("check-deployment", str(path), account=None)
    assert ran.status == 2
    assert "other.json" in ran.err
    missing = await deployed_chain.run("check-deployment", str(tmp_path / "none.json"), account=None)
    assert missing.status == 2
    assert "cannot be read" in missing.err
