"""The ledger audit: it agrees with a sound ledger, and tells what is wrong with one that is not."""

import copy
import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator

import pytest

from client.money import Deed, do
from devnet.accounts import LOCAL
from devnet.anvil import Anvil
from devnet.ledger.books import Books
from devnet.ledger.evidence import Evidence, gather_evidence
from devnet.ledger.findings import findings
from protocol.chain import Chain
from protocol.commitment import new_salt
from protocol.deployment import Deployment, save_deployment
from protocol.enums import TaskStatus
from protocol.money import USDFC
from protocol.order import Order
from protocol.sender import Sender

STRANGER = "0x00000000000000000000000000000000000000EE"


def wrong(evidence: Evidence, *, ended: bool = False) -> set[str]:
    return {finding.what for finding in findings(evidence, ended=ended) if not finding.holds}


@pytest.fixture
async def chain(anvil: Anvil, deployment: Deployment) -> AsyncIterator[Chain]:
    async with Chain.connect(anvil.url, deployment) as connected:
        yield connected


@pytest.fixture
async def evidence(chain: Chain) -> Evidence:
    """A ledger in which one order waits and an owner unbonds."""
    payer = LOCAL.payer.address
    order = Order(
        client=payer, payer=payer, reward=USDFC, bond=10 * USDFC, input_price=0, output_price=0, params_id=1,
        replicas=1, quorum=1, claim_by=await chain.block_number() + 100, retention=0, client_epoch=0,
        spec=b"\1" * 32, salt=new_salt(),
    )  # fmt: skip
    await Sender(chain, LOCAL.payer).send(chain.escrow.functions.submit(order.as_tuple()), label="submit")
    await do(chain, Deed.UNSTAKE, 7 * USDFC, sender=Sender(chain, LOCAL.owner(0)))
    await do(chain, Deed.WITHDRAW, USDFC, sender=Sender(chain, LOCAL.payer))
    return await gather_evidence(chain)


async def test_a_sound_ledger_is_found_sound(evidence: Evidence) -> None:
    assert wrong(evidence) == set()
    assert evidence.holdings[LOCAL.owner(0).address].unbonding == 7 * USDFC
    assert evidence.holdings[LOCAL.payer.address].escrowed == USDFC
    assert list(evidence.tasks.values()) == [TaskStatus.OPEN]


async def test_a_task_under_way_is_an_exception_only_where_all_must_have_ended(evidence: Evidence) -> None:
    assert wrong(evidence, ended=True) == {"every task has ended"}


async def test_an_entry_that_no_event_explains_is_told(evidence: Evidence) -> None:
    forged = copy.deepcopy(evidence.holdings)
    forged[LOCAL.payer.address].free += 1
    assert wrong(dataclasses.replace(evidence, holdings=forged)) == {
        "all accounts and channels together are what StakeWallet owes",
        "each account has what the events of its life come to",
    }


async def test_a_missing_token_is_told(evidence: Evidence) -> None:
    assert wrong(dataclasses.replace(evidence, held=evidence.owed - 1)) == {"StakeWallet holds what it owes"}


async def test_money_left_behind_by_an_ended_task_is_told(evidence: Evidence) -> None:
    over = dict.fromkeys(evidence.tasks, TaskStatus.CANCELLED)
    assert wrong(dataclasses.replace(evidence, tasks=over), ended=True) == {
        "no ended task holds money or stake"
    }


async def test_tokens_that_somebody_sent_by_mistake_are_no_fault(chain: Chain, evidence: Evidence) -> None:
    transfer = chain.token.functions.transfer(chain.deployment.stake_wallet, 5)
    await Sender(chain, LOCAL.client).send(transfer, label="mistake")
    after = await gather_evidence(chain)
    assert after.held - after.owed == 5
    assert after.owed == evidence.owed
    assert wrong(after) == set()


async def test_the_command_audits_whatever_deployment_it_is_pointed_at(
    evidence: Evidence, anvil: Anvil, deployment: Deployment, tmp_path: os.PathLike[str]
) -> None:
    save_deployment(deployment, folder=tmp_path)
    env = {
        **os.environ,
        "FILECOIN_RPC": anvil.url,
        "FILECOIN_CHAIN_ID": str(deployment.chain_id),
        "DEPLOYMENTS_DIR": str(tmp_path),
    }
    ran = subprocess.run(  # noqa: ASYNC221 (nothing else runs meanwhile)
        [sys.executable, "-m", "devnet.ledger", "--json"],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    said = json.loads(ran.stdout)
    assert said["owed"] == str(evidence.owed)
    assert all(finding["holds"] for finding in said["findings"])


def test_a_slash_takes_what_is_unlocked_first_and_then_what_unbonds() -> None:
    ref = b"\1" * 32
    books = Books().enter(
        [
            ("Deposited", {"account": STRANGER, "amount": 100}),
            ("Bonded", {"owner": STRANGER, "amount": 100}),
            ("BondLocked", {"owner": STRANGER, "ref": ref, "amount": 40}),
            ("UnbondRequested", {"owner": STRANGER, "amount": 50, "releaseBlock": 9}),
            ("BondLocked", {"owner": STRANGER, "ref": b"\2" * 32, "amount": 10}),
            ("Moved", {"ref": ref, "who": STRANGER, "pay": 0, "unlock": 40, "slash": 60}),
        ]
    )
    holding = books.accounts[STRANGER]
    assert (holding.bonded, holding.locked, holding.unbonding) == (10, 10, 30)
    assert books.fortunes[STRANGER].slashed == 60
