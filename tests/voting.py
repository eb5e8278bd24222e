"""The contracts that votes are made of, and who holds votes on a local network."""

from typing import Any

from eth_account.signers.local import LocalAccount

from devnet.accounts import LocalAccounts
from protocol.abi import load_abi
from protocol.chain import Chain


def vote_token(chain: Chain) -> Any:
    return chain.w3.eth.contract(address=chain.deployment.parity_token, abi=load_abi("ParityToken"))


def governor(chain: Chain) -> Any:
    return chain.w3.eth.contract(address=chain.deployment.governor, abi=load_abi("ParityGovernor"))


async def vote_holder(chain: Chain, accounts: LocalAccounts) -> LocalAccount:
    token = vote_token(chain)
    for account in (accounts.deployer, accounts.treasury, accounts.client):
        if await chain.call(token.functions.balanceOf(account.address)):
            return account
    raise LookupError("nobody holds votes")
