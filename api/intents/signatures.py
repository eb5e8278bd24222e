"""Recovering signers, and checking for which chain and contract they signed."""

from dataclasses import dataclass

from api.rejections import BadSignature, WrongChain, WrongContract
from protocol.chain import Chain
from protocol.deployment import Deployment
from protocol.errors import InputError
from protocol.typed_data import TypedData, recover_signer

_OTHER_CHAINS = (1, 314, 1337, 31337, 314159)
"""Chains that a wallet may have been left on; tried only to explain a signature that does not fit."""


@dataclass(frozen=True, slots=True)
class SignedDomain:
    """What the wallet says it signed for."""

    chain_id: int
    verifying_contract: str


def check_domain(domain: SignedDomain | None, deployment: Deployment, *, contract: str, what: str) -> None:
    """Compare what was signed for with what this server relays to."""
    if domain is None:
        return
    if domain.chain_id != deployment.chain_id:
        raise WrongChain(
            f"the {what} was signed for chain {domain.chain_id}, not {deployment.chain_id}",
            field="domain.chainId",
            hint="Switch the wallet to this chain and sign again.",
        )
    if domain.verifying_contract.lower() != contract.lower():
        raise WrongContract(
            f"the {what} was signed for the contract {domain.verifying_contract}, not {contract}",
            field="domain.verifyingContract",
            hint=f"Take the domain from GET /api/v1/intents/{what} and sign again.",
        )


def check_signature(
    signature: bytes, document: TypedData, *, signer: str, field: str, what: str, by_contract: bool
) -> None:
    """Demand that `signer` signed `document`. Of a wallet contract (ERC-1271) only the simulation can tell."""
    if not signature:
        raise BadSignature(
            f"{field} is missing", field=field, hint=f"Add the signature of the {what} by {signer}."
        )
    if by_contract:
        return
    found = signer_of(document, signature)
    if found == signer:
        return
    for chain_id in _OTHER_CHAINS:
        elsewhere = {**document, "domain": {**document["domain"], "chainId": chain_id}}
        if signer_of(elsewhere, signature) == signer:
            raise WrongChain(
                f"the {what} was signed for chain {chain_id}, not {document['domain']['chainId']}",
                field=field,
                hint="Switch the wallet to this chain and sign again.",
            )
    raise BadSignature(
        f"{field} is not {signer}'s signature of this {what}" + (f", but that of {found}" if found else ""),
        field=field,
        hint=f"Sign exactly the {what} that is sent, with the account that it names, for this chain and contract.",
    )


def signer_of(document: TypedData, signature: bytes) -> str | None:
    """Return the address whose key signed; None if it is no signature."""
    try:
        return recover_signer(document, signature)
    except InputError:
        return None


async def is_contract(chain: Chain, address: str) -> bool:
    """Return whether a wallet contract is at an address."""
    return bool(await chain.w3.eth.get_code(chain.w3.to_checksum_address(address)))
