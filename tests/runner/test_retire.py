"""Leaving: the registration ends, stake comes free as far as nothing needs it, and what is left is said."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from devnet.accounts import LOCAL
from devnet.anvil import Anvil
from protocol.chain import Chain
from protocol.deployment import Deployment, save_deployment
from protocol.errors import InputError
from protocol.money import USDFC
from protocol.sender import Sender
from protocol.settings import load
from runner.__main__ import _retire
from runner.register import stake_and_register
from runner.retire import lines_of, retire_node
from runner.settings import RunnerSettings

OWNER, NODE, SECOND = LOCAL.owner(8), LOCAL.node(8), LOCAL.node(9)
STAKE = 250 * USDFC
ACTIVE, RETIRED = 1, 2


@pytest.fixture
async def chain(anvil: Anvil, deployment: Deployment) -> AsyncIterator[Chain]:
    """A chain on which the owner has two runners, and 50 USDFC more bonded than they need."""
    async with Chain.connect(anvil.url, deployment) as connected:
        relayer = Sender(connected, LOCAL.relayer)
        await relayer.send(connected.token.functions.mint(OWNER.address, STAKE), label="mint")
        for account in (OWNER, NODE, SECOND):
            await anvil.rpc("anvil_setBalance", account.address, hex(10**18))
        for node, stake in ((NODE, 150 * USDFC), (SECOND, 100 * USDFC)):
            await stake_and_register(
                connected, owner=OWNER, node=node, stake=stake, label="desk", sender=relayer
            )
        yield connected


async def status_of(chain: Chain, node: str) -> int:
    return int((await chain.call(chain.reputation.functions.runnerOf(node)))[3])


async def test_the_nodes_own_key_ends_its_registration_and_what_can_be_asked_back_is_said(
    chain: Chain,
) -> None:
    departure = await retire_node(chain, node=NODE)
    assert await status_of(chain, NODE.address) == RETIRED
    assert await status_of(chain, SECOND.address) == ACTIVE
    assert (departure.bonded, departure.needed, departure.to_unbond) == (STAKE, 100 * USDFC, 150 * USDFC)
    assert departure.release_block is None
    said = "\n".join(lines_of(departure, native_symbol="ETH"))
    assert "parity-client unstake --amount 150" in said
    assert "100 USDFC stay bonded for the owner's other runners" in said


async def test_with_the_owners_key_the_stake_that_nothing_needs_begins_to_come_free(chain: Chain) -> None:
    departure = await retire_node(chain, node=NODE, owner=OWNER)
    assert (departure.unbonding, departure.bonded, departure.to_unbond) == (150 * USDFC, 100 * USDFC, 0)
    assert departure.release_block == departure.block + await chain.call(chain.wallet.functions.unbondDelay())
    said = "\n".join(lines_of(departure, native_symbol="ETH"))
    assert f"parity-client withdraw-stake from block {departure.release_block}" in said


async def test_retiring_again_sends_only_what_is_still_to_be_done(chain: Chain) -> None:
    assert len((await retire_node(chain, node=NODE)).transactions) == 1
    assert len((await retire_node(chain, node=NODE, owner=OWNER)).transactions) == 1
    assert (await retire_node(chain, node=NODE, owner=OWNER)).transactions == ()


async def test_stake_behind_running_seats_stays_until_they_are_settled(chain: Chain, anvil: Anvil) -> None:
    escrow = chain.deployment.task_escrow
    await anvil.rpc("anvil_setBalance", escrow, hex(10**18))
    await anvil.rpc("anvil_impersonateAccount", escrow)
    lock = chain.wallet.functions.lockBond(OWNER.address, b"\1" * 32, 120 * USDFC)
    await chain.w3.eth.wait_for_transaction_receipt(await lock.transact({"from": escrow}))
    departure = await retire_node(chain, node=NODE, owner=OWNER)
    assert (departure.locked, departure.unbonding) == (120 * USDFC, 130 * USDFC)
    assert "120 USDFC back seats that still run" in "\n".join(lines_of(departure, native_symbol="ETH"))


async def test_a_stranger_to_the_chain_and_another_owners_key_are_told_so(chain: Chain) -> None:
    with pytest.raises(InputError, match="never was a runner"):
        await retire_node(chain, node=LOCAL.owner(9))
    with pytest.raises(InputError, match="belongs to"):
        await retire_node(chain, node=NODE, owner=LOCAL.client)
    assert await status_of(chain, NODE.address) == ACTIVE


async def test_the_command_prints_what_is_left(
    chain: Chain,
    anvil: Anvil,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    save_deployment(chain.deployment, folder=tmp_path / "deployments")
    monkeypatch.setenv("FILECOIN_RPC", anvil.url)
    await _retire(load(RunnerSettings), node=NODE, owner=OWNER, as_json=True)
    shown = capfd.readouterr().out
    said = json.loads(
        shown[shown.index("{\n") :]
    )  # after the log, which goes elsewhere in a process of its own
    assert (said["node"], said["unbonding"]) == (NODE.address, str(150 * USDFC))
    assert len(said["transactions"]) == 2
