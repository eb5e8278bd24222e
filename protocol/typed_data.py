"""EIP-712 typed data of Parity's contracts and of the USDFC token: build, hash, sign, recover.

Every builder returns the JSON-ready document of `eth_signTypedData_v4`, so that any wallet can show and sign it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from eth_account import Account
from eth_account.messages import SignableMessage, encode_typed_data
from eth_account.signers.base import BaseAccount
from eth_utils.crypto import keccak

from protocol.errors import InputError
from protocol.order import ORDER_FIELDS, Order

TypedData = dict[str, Any]

_DOMAIN_TYPE = [
    {"name": "name", "type": "string"},
    {"name": "version", "type": "string"},
    {"name": "chainId", "type": "uint256"},
    {"name": "verifyingContract", "type": "address"},
]
_ORDER_TYPE = [{"name": name, "type": kind} for _, name, kind in ORDER_FIELDS]
_REGISTRATION_TYPE = [
    {"name": "owner", "type": "address"},
    {"name": "node", "type": "address"},
    {"name": "label", "type": "bytes32"},
    {"name": "profile", "type": "bytes32"},
    {"name": "deadline", "type": "uint256"},
]
_AUTHORIZATION_TYPE = [
    {"name": "from", "type": "address"},
    {"name": "to", "type": "address"},
    {"name": "value", "type": "uint256"},
    {"name": "validAfter", "type": "uint256"},
    {"name": "validBefore", "type": "uint256"},
    {"name": "nonce", "type": "bytes32"},
]
_DEPOSIT_TAG = keccak(text="ParityDeposit")


@dataclass(frozen=True, slots=True)
class Domain:
    """An EIP-712 domain: which contract on which chain a signature is for."""

    name: str
    version: str
    chain_id: int
    verifying_contract: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """A node key's consent to be a runner of `owner`; `deadline` is the last block at which it counts."""

    owner: str
    node: str
    label: bytes
    profile: bytes
    deadline: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorization:
    """A signed EIP-3009 `receiveWithAuthorization`, as `IStakeWallet.Authorization`; times are Unix seconds."""

    valid_after: int
    valid_before: int
    v: int
    r: bytes
    s: bytes

    def as_tuple(self) -> tuple[int, int, int, bytes, bytes]:
        """Return the fields in ABI order, as web3 takes a struct."""
        return (self.valid_after, self.valid_before, self.v, self.r, self.s)

    def to_json(self) -> dict[str, object]:
        """Return the fields as the API takes them."""
        return {
            "validAfter": self.valid_after,
            "validBefore": self.valid_before,
            "v": self.v,
            "r": "0x" + self.r.hex(),
            "s": "0x" + self.s.hex(),
        }

    @classmethod
    def from_json(cls, document: Mapping[str, object]) -> "Authorization":
        """Read what `to_json` writes; `InputError` names the field that is wrong."""
        return cls(
            valid_after=_whole(document, "validAfter"),
            valid_before=_whole(document, "validBefore"),
            v=_whole(document, "v", limit=2**8),
            r=_word(document, "r"),
            s=_word(document, "s"),
        )


def escrow_domain(chain_id: int, address: str) -> Domain:
    """Return the domain of TaskEscrow at `address`."""
    return Domain("Parity TaskEscrow", "1", chain_id, address)


def reputation_domain(chain_id: int, address: str) -> Domain:
    """Return the domain of RunnerReputation at `address`."""
    return Domain("Parity RunnerReputation", "1", chain_id, address)


def wallet_domain(chain_id: int, address: str) -> Domain:
    """Return the domain of StakeWallet at `address`."""
    return Domain("Parity StakeWallet", "1", chain_id, address)


def token_domain(chain_id: int, address: str) -> Domain:
    """Return the domain of the USDFC token at `address`."""
    return Domain("USD for Filecoin Community", "1", chain_id, address)


def order_typed_data(order: Order, domain: Domain) -> TypedData:
    """Build the document that a client (and a payer) signs."""
    message = order.to_message() | {"mode": int(order.mode)}
    return document_of("Order", _ORDER_TYPE, message=message, domain=domain)


def task_id(order: Order, domain: Domain) -> bytes:
    """Hash an order to its task's id: the EIP-712 digest, 32 bytes."""
    return digest(order_typed_data(order, domain))


def sign_order(order: Order, domain: Domain, account: BaseAccount) -> bytes:
    """Sign an order; 65 bytes r, s, v."""
    return sign(order_typed_data(order, domain), account)


def registration_typed_data(registration: Registration, domain: Domain) -> TypedData:
    """Build the document by which a node key consents to an owner."""
    message = {
        "owner": registration.owner,
        "node": registration.node,
        "label": registration.label,
        "profile": registration.profile,
        "deadline": registration.deadline,
    }
    return document_of("Registration", _REGISTRATION_TYPE, message=message, domain=domain)


def sign_registration(registration: Registration, domain: Domain, account: BaseAccount) -> bytes:
    """Sign a registration with the node's key; 65 bytes r, s, v."""
    return sign(registration_typed_data(registration, domain), account)


def authorization_typed_data(
    *,
    payer: str,
    payee: str,
    value: int,
    nonce: bytes,
    valid_before: int,
    domain: Domain,
    valid_after: int = 0,
) -> TypedData:
    """Build the EIP-3009 document by which `payer` lets `payee` take `value` base units, once.

    `nonce` is the task id to fund an order, or `deposit_nonce(seed)` for a plain deposit; times are Unix seconds.
    """
    message = {
        "from": payer,
        "to": payee,
        "value": value,
        "validAfter": valid_after,
        "validBefore": valid_before,
        "nonce": nonce,
    }
    return document_of("ReceiveWithAuthorization", _AUTHORIZATION_TYPE, message=message, domain=domain)


def sign_authorization(
    account: BaseAccount,
    *,
    payee: str,
    value: int,
    nonce: bytes,
    valid_before: int,
    domain: Domain,
    valid_after: int = 0,
) -> Authorization:
    """Sign `authorization_typed_data` as its payer."""
    document = authorization_typed_data(
        payer=account.address,
        payee=payee,
        value=value,
        nonce=nonce,
        valid_before=valid_before,
        domain=domain,
        valid_after=valid_after,
    )
    signature = sign(document, account)
    return Authorization(
        valid_after=valid_after,
        valid_before=valid_before,
        v=signature[64],
        r=signature[:32],
        s=signature[32:64],
    )


def deposit_nonce(seed: bytes) -> bytes:
    """Derive the EIP-3009 nonce of a plain deposit, as `StakeWallet.depositNonce`."""
    if len(seed) != 32:
        raise InputError("seed: expected 32 bytes", field="seed", hint="Use secrets.token_bytes(32).")
    return keccak(_DEPOSIT_TAG + seed)


def digest(document: TypedData) -> bytes:
    """Hash typed data to the 32 bytes that are signed."""
    signable = _signable(document)
    return keccak(b"\x19" + signable.version + signable.header + signable.body)


def sign(document: TypedData, account: BaseAccount) -> bytes:
    """Sign typed data; 65 bytes r, s, v."""
    return bytes(account.sign_message(_signable(document)).signature)


def recover_signer(document: TypedData, signature: bytes) -> str:
    """Return the address whose key signed; `InputError` if the signature is malformed. Contract wallets need ERC-1271 instead."""
    try:
        return str(Account.recover_message(_signable(document), signature=signature))
    except Exception as error:
        # A border: eth-keys raises several unrelated exceptions for the several ways of being malformed.
        raise InputError(
            "signature: not a signature of this document",
            field="signature",
            hint="Send the 65 bytes that the wallet returned, as 0x hex.",
        ) from error


def document_of(
    primary_type: str, kind: list[dict[str, str]], *, message: dict[str, Any], domain: Domain
) -> TypedData:
    """Build a document of one struct whose members are scalars, `kind` in their order; bytes become 0x hex."""
    return {
        "types": {"EIP712Domain": _DOMAIN_TYPE, primary_type: kind},
        "primaryType": primary_type,
        "domain": {
            "name": domain.name,
            "version": domain.version,
            "chainId": domain.chain_id,
            "verifyingContract": domain.verifying_contract,
        },
        "message": {name: "0x" + v.hex() if isinstance(v, bytes) else v for name, v in message.items()},
    }


def _signable(document: TypedData) -> SignableMessage:
    return encode_typed_data(full_message=document)


def _whole(document: Mapping[str, object], name: str, *, limit: int = 2**256) -> int:
    value = document.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < limit:
        raise InputError(f"authorization.{name}: expected a whole number", field=f"authorization.{name}")
    return value


def _word(document: Mapping[str, object], name: str) -> bytes:
    value = document.get(name)
    try:
        word = bytes.fromhex(value.removeprefix("0x")) if isinstance(value, str) else b""
    except ValueError:
        word = b""
    if len(word) != 32:
        raise InputError(f"authorization.{name}: expected 32 bytes as 0x hex", field=f"authorization.{name}")
    return word
