"""Funding, staking and registering the local accounts. Whatever is there already is left as it is."""

import asyncio
from typing import Final

from eth_account.signers.local import LocalAccount

from client.money import FAUCET_AMOUNT, bond, deposit, faucet, read_balance
from devnet.accounts import LOCAL
from protocol.chain import Chain
from protocol.enums import RunnerStatus
from protocol.money import USDFC
from protocol.sender import Sender
from runner.register import register_node

STAKE: Final = 400 * USDFC
"""Bonded by each runner's owner, in base units: four times the least that one runner needs."""
PAID_IN: Final = 100 * USDFC
"""Free balance of the local payer, in base units; the local client has tokens only, and pays by authorization."""


async def seed(chain: Chain, *, runners: int) -> None:
    """Give the client and the payer tokens, and `runners` runners an owner with stake and a registration.

    Raises TransactionReverted when a contract refuses.
    """
    async with asyncio.TaskGroup() as group:
        group.create_task(_fund(chain, LOCAL.client))
        group.create_task(_pay_in(chain, LOCAL.payer))
        for number in range(runners):
            group.create_task(_enlist(chain, number))


async def _fund(chain: Chain, account: LocalAccount) -> None:
    if not (await read_balance(chain, account.address)).tokens:
        await faucet(chain, amount=FAUCET_AMOUNT, sender=Sender(chain, account))


async def _pay_in(chain: Chain, account: LocalAccount) -> None:
    await _fund(chain, account)
    if not (await read_balance(chain, account.address)).free:
        await deposit(chain, PAID_IN, account=account, sender=Sender(chain, account))


async def _enlist(chain: Chain, number: int) -> None:
    owner, node = LOCAL.owner(number), LOCAL.node(number)
    sender = Sender(chain, owner)
    status = (await chain.call(chain.reputation.functions.runnerOf(node.address)))[3]
    if status == RunnerStatus.ACTIVE:
        return
    await _fund(chain, owner)
    bonded = (await read_balance(chain, owner.address)).bonded
    if bonded < STAKE:
        await bond(chain, STAKE - bonded, account=owner, sender=sender)
    await register_node(chain, owner=sender, node=node, label=f"runner-{number + 1}")
