"""Registering a node: its owner pays and is paid; the node key consents by signature."""

from eth_account.signers.local import LocalAccount

from protocol.chain import Chain
from protocol.errors import InputError
from protocol.sender import Receipt, Sender
from protocol.typed_data import Registration, reputation_domain, sign_registration

CONSENT_BLOCKS = 240
"""Blocks for which the node's signature counts."""


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
    deadline = await chain.block_number() + CONSENT_BLOCKS
    registration = Registration(
        owner=owner.address,
        node=node.address,
        label=label_bytes(label),
        profile=profile,
        deadline=deadline,
    )
    domain = reputation_domain(chain.deployment.chain_id, chain.deployment.runner_reputation)
    signature = sign_registration(registration, domain, node)
    call = chain.reputation.functions.register(
        node.address, registration.label, registration.profile, deadline, signature
    )
    return await owner.send(call, label="register")
