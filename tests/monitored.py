"""More runners than the deployed state has, each of an owner of its own: few enough that each watches all others."""

import secrets

from devnet.accounts import LocalAccounts
from protocol import typed_data
from protocol.chain import Chain
from protocol.money import USDFC
from protocol.sender import Sender

DEPLOYED, RUNNERS = 3, 5


async def enlist(chain: Chain, accounts: LocalAccounts) -> None:
    """Stake and register those that the deployed state lacks; each of their owners keeps 100 USDFC free."""
    domain = typed_data.reputation_domain(chain.deployment.chain_id, chain.deployment.runner_reputation)
    wallet, anyone = chain.wallet.functions, Sender(chain, accounts.relayer)
    for number in range(DEPLOYED, RUNNERS):
        owner, amount = Sender(chain, accounts.owner(number)), 200 * USDFC
        await anyone.send(chain.token.functions.mint(owner.address, amount), label="mint")
        await owner.send(chain.token.functions.approve(chain.wallet.address, amount), label="approve")
        await owner.send(wallet.deposit(amount), label="deposit")
        await owner.send(wallet.bond(100 * USDFC), label="bond")
        made = typed_data.Registration(
            owner=owner.address,
            node=accounts.node(number).address,
            label=bytes(32),
            profile=secrets.token_bytes(32),
            deadline=2**40,
        )
        signature = typed_data.sign_registration(made, domain, accounts.node(number))
        call = chain.reputation.functions.register(
            made.node, made.label, made.profile, made.deadline, signature
        )
        await owner.send(call, label="register")
