"""Registering a node: its owner pays and is paid; the node key consents by signature."""

import secrets

from eth_account.signers.local import LocalAccount

from protocol.chain import Chain
from protocol.errors import InputError
from protocol.sender import Receipt, Sender
from protocol.typed_data import (
    Domain,
    Registration,
    deposit_nonce,
    reputation_domain,
    sign_authorization,
    sign_registration,
    token_domain,
    wallet_domain,
)
from protocol.wallet_action import Action, sign_action

CONSENT_BLOCKS = 240
"""Blocks for which the node's signature counts."""
AUTHORIZATION_S = 3_600
"""Seconds for which the owner's tokens may be taken in, by the chain's clock."""


def label_bytes(label: str) -> bytes:
    """Write a device's name as the contract's bytes32; `InputError` if it is longer."""
    encoded = label.encode()
    if not 0 < len(encoded) <= 32:
        raise InputError(
            "label: expected 1 to 32 bytes of text", field="label", hint="Choose a shorter name."
        )
    return encoded.ljust(32, b"\0")


async def register_node(
    chain: Chain, *, owner: Sender, node: LocalAccount, label: str, profile: bytes = bytes(32)
) -> Receipt:
    """Make `node` a runner of the sender's account. The daemon publishes the profile at its first start.

    Raises `TransactionReverted`: RunnerUnderstaked when too little is bonded, RunnerAlreadyActive when it is one.
    """
    wanted = await _registration(chain, owner=owner.address, node=node, label=label, profile=profile)
    signature = sign_registration(wanted, _domain(chain), node)
    call = chain.reputation.functions.register(
        node.address, wanted.label, wanted.profile, wanted.deadline, signature
    )
    return await owner.send(call, label="register")


async def stake_and_register(
    chain: Chain,
    *,
    owner: LocalAccount,
    node: LocalAccount,
    stake: int,
    label: str,
    sender: Sender,
    profile: bytes = bytes(32),
) -> Receipt:
    """Deposit and bond `stake` base units of the owner's tokens and make `node` its runner, all in one transaction.

    Anyone may be the sender: the owner only signs, needs none of the chain's coin, and gives no allowance. A node that was a
    runner before comes back by `register_node`. Raises `TransactionReverted`: RunnerUnderstaked when the tokens or the stake
    are too few, RunnerAlreadyActive, RunnerRetired.
    """
    wanted = await _registration(chain, owner=owner.address, node=node, label=label, profile=profile)
    action = await _staking(chain, owner=owner, stake=stake, deadline=wanted.deadline)
    deployment = chain.deployment
    call = chain.reputation.functions.registerWith(
        action.as_tuple(),
        sign_action(action, wallet_domain(deployment.chain_id, deployment.stake_wallet), owner),
        (wanted.owner, wanted.node, wanted.label, wanted.profile, wanted.deadline),
        sign_registration(wanted, _domain(chain), node),
        sign_registration(wanted, _domain(chain), owner),
    )
    return await sender.send(call, label="stake and register")


async def _registration(
    chain: Chain, *, owner: str, node: LocalAccount, label: str, profile: bytes
) -> Registration:
    return Registration(
        owner=owner,
        node=node.address,
        label=label_bytes(label),
        profile=profile,
        deadline=await chain.block_number() + CONSENT_BLOCKS,
    )


async def _staking(chain: Chain, *, owner: LocalAccount, stake: int, deadline: int) -> Action:
    """Write down what the wallet is to do for the owner: take in tokens by its authorization, and bond them."""
    deployment, seed = chain.deployment, secrets.token_bytes(32)
    authorization = sign_authorization(
        owner,
        payee=deployment.stake_wallet,
        value=stake,
        nonce=deposit_nonce(seed),
        valid_before=int((await chain.w3.eth.get_block("latest"))["timestamp"]) + AUTHORIZATION_S,
        domain=token_domain(deployment.chain_id, deployment.usdfc),
    )
    deposit = chain.wallet.encode_abi(
        "depositWithAuthorization", args=[owner.address, stake, seed, authorization.as_tuple()]
    )
    bond = chain.wallet.encode_abi("bond", args=[stake])
    both = chain.wallet.encode_abi("multicall", args=[[deposit, bond]])
    nonce = await chain.call(chain.wallet.functions.nonces(owner.address, 0))
    return Action(
        account=owner.address,
        call=bytes.fromhex(both.removeprefix("0x")),
        nonce=int(nonce),
        deadline=deadline,
    )


def _domain(chain: Chain) -> Domain:
    return reputation_domain(chain.deployment.chain_id, chain.deployment.runner_reputation)
