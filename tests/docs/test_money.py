"""The example of docs/explanation/money.md, played on a chain."""

import re
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from devnet.accounts import LocalAccounts
from devnet.anvil import Anvil
from protocol.chain import Chain
from protocol.commitment import Reveal, commitment, new_salt
from protocol.deployment import Deployment
from protocol.enums import TaskStatus
from protocol.money import USDFC, parse_usdfc
from protocol.order import Order
from protocol.sender import Sender
from protocol.typed_data import escrow_domain, sign_authorization, task_id, token_domain

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "money.md"
RUNNERS = 3


@dataclass(frozen=True)
class Holdings:
    """What each party has in the wallet, stake included, base units; the payer's tokens too."""

    payer: int
    owners: tuple[int, ...]
    treasury: int
    burnt: int


@pytest.fixture
async def chain(anvil: Anvil, deployment: Deployment) -> AsyncIterator[Chain]:
    async with Chain.connect(anvil.url, deployment) as connected:
        yield connected


def example() -> list[tuple[str, int]]:
    """Read the example's table: who, and how much they gain or lose."""
    table = PAGE.read_text().split("## An example")[1]
    rows = re.findall(r"^\| ([^|]+?) \| [^|]+ \| ([+-])([\d.]+) \|$", table, flags=re.MULTILINE)
    return [(who, parse_usdfc(amount) * (1 if sign == "+" else -1)) for who, sign, amount in rows]


async def holdings(chain: Chain, accounts: LocalAccounts) -> Holdings:
    async def free(account: str) -> int:
        return (await chain.call(chain.wallet.functions.accountOf(account)))[0]

    async def tokens(account: str) -> int:
        return await chain.call(chain.token.functions.balanceOf(account))

    burn_account = await chain.call(chain.wallet.functions.burnAccount())
    owners = [owner.address for owner in accounts.owners(RUNNERS)]
    stakes = [(await chain.call(chain.wallet.functions.stakeOf(owner)))[0] for owner in owners]
    return Holdings(
        payer=await free(accounts.client.address) + await tokens(accounts.client.address),
        owners=tuple([await free(owner) + stake for owner, stake in zip(owners, stakes, strict=True)]),
        treasury=await free(chain.deployment.treasury),
        burnt=await free(burn_account),
    )


async def submit(chain: Chain, accounts: LocalAccounts) -> bytes:
    client, deployment = accounts.client, chain.deployment
    order = Order(
        client=client.address,
        payer=client.address,
        reward=3 * USDFC,
        bond=10 * USDFC,
        input_price=USDFC // 10,
        output_price=4 * USDFC // 10,
        params_id=deployment.params_id,
        replicas=3,
        quorum=2,
        claim_by=await chain.block_number() + 1000,
        retention=100,
        client_epoch=0,
        spec=secrets.token_bytes(32),
        salt=secrets.token_bytes(32),
    )
    task = task_id(order, escrow_domain(deployment.chain_id, deployment.task_escrow))
    signed = sign_authorization(
        client,
        payee=deployment.stake_wallet,
        value=order.reward,
        nonce=task,
        valid_before=2**40,
        domain=token_domain(deployment.chain_id, deployment.usdfc),
    )
    call = chain.escrow.functions.submitWithAuthorization(order.as_tuple(), b"", signed.as_tuple())
    await Sender(chain, accounts.relayer).send(call, label="submit")
    return task


async def work(chain: Chain, accounts: LocalAccounts, task: bytes, results: list[bytes]) -> None:
    senders = [Sender(chain, node) for node in accounts.nodes(RUNNERS)]
    reveals = [
        Reveal(result=result, input_tokens=1200, output_tokens=800, salt=new_salt()) for result in results
    ]
    for sender in senders:
        await sender.send(chain.escrow.functions.claim(task), label="claim")
    for seat, (sender, reveal) in enumerate(zip(senders, reveals, strict=True)):
        hidden = commitment(task, sender.address, reveal)
        await sender.send(chain.escrow.functions.commit(task, seat, hidden), label="commit")
    for seat, (sender, reveal) in enumerate(zip(senders, reveals, strict=True)):
        await sender.send(chain.escrow.functions.reveal(task, seat, reveal.as_tuple()), label="reveal")


async def play(
    chain: Chain, anvil: Anvil, accounts: LocalAccounts, results: list[bytes]
) -> tuple[Holdings, Holdings, TaskStatus]:
    before = await holdings(chain, accounts)
    task = await submit(chain, accounts)
    await anvil.mine(int(await chain.call(chain.escrow.functions.SEED_DELAY())) + 1)
    await work(chain, accounts, task, results)
    status = (await chain.call(chain.escrow.functions.taskOf(task)))[-1]
    return before, await holdings(chain, accounts), TaskStatus(status)


async def test_the_examples_figures_are_what_the_contracts_pay(
    anvil: Anvil, chain: Chain, accounts: LocalAccounts
):
    right, wrong = secrets.token_bytes(32), secrets.token_bytes(32)
    before, after, status = await play(chain, anvil, accounts, [right, right, wrong])
    assert status is TaskStatus.FINAL
    told = dict(example()[::-1])  # the payer's first line; its second is added below
    told["payer"] = sum(amount for who, amount in example() if who == "payer")
    assert after.payer - before.payer == told["payer"]
    gains = [now - then for now, then in zip(after.owners, before.owners, strict=True)]
    assert gains == [told["each of two right runners"]] * 2 + [told["wrong runner"]]
    assert after.treasury - before.treasury == told["treasury"]
    assert after.burnt - before.burnt == told["burnt"]


def test_the_examples_lines_sum_to_zero():
    lines = example()
    assert len(lines) == 6
    assert sum(amount * (2 if who == "each of two right runners" else 1) for who, amount in lines) == 0


async def test_three_different_answers_cost_nobody_anything(
    anvil: Anvil, chain: Chain, accounts: LocalAccounts
):
    before, after, status = await play(
        chain, anvil, accounts, [secrets.token_bytes(32) for _ in range(RUNNERS)]
    )
    assert status is TaskStatus.FAILED
    assert after == before
