"""Transactions that a wallet signed itself: checked, simulated and passed on, without this server's gas."""

from dataclasses import dataclass
from typing import Any

from eth_account import Account
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from hexbytes import HexBytes
from web3.exceptions import ContractLogicError, Web3RPCError

from api.chain_link import ChainLink
from api.rejections import BadIntent, InsufficientFunds, Replayed, WrongChain, WrongContract, rejection_of
from protocol.chain import Chain
from protocol.deployment import Deployment
from protocol.errors import TransactionReverted
from protocol.money import format_native
from protocol.reverts import decoded_reverts, revert_of

MAX_BYTES = 128 * 1024
_FIELD = "transaction"


@dataclass(frozen=True, slots=True, kw_only=True)
class RawTransaction:
    """A signed transaction, decoded. `most_it_costs` is in the chain's native base units, value included."""

    raw: bytes
    hash: bytes
    sender: str
    to: str | None
    chain_id: int
    nonce: int
    value: int
    data: bytes
    gas: int
    most_it_costs: int


async def send_raw(link: ChainLink, raw: bytes) -> bytes:
    """Check a signed transaction, pass it to the chain's node, and give its hash; the same again gives the same.

    Raises a `Rejected`, each kind for its own reason, or `ChainError` when the chain does not answer.
    """
    transaction = decode(raw)
    check_target(transaction, link.deployment)
    chain = await link.chain()
    if await _check_account(chain, transaction):
        await _simulate(chain, transaction)
    await _broadcast(chain, transaction)
    return transaction.hash


def decode(raw: bytes) -> RawTransaction:
    """Read a signed transaction of type 1 or 2 (EIP-2930, EIP-1559); `BadIntent` says what it is instead."""
    if not raw or raw[0] not in (1, 2) or len(raw) > MAX_BYTES:
        raise _malformed("expected a signed transaction of type 1 or 2, at most 128 KiB")
    try:
        fields = TypedTransaction.from_bytes(HexBytes(raw)).as_dict()
        sender = str(Account.recover_transaction(raw))
    except Exception as error:
        # A border: RLP, the transaction types and the signature library raise unrelated exceptions.
        raise _malformed("the bytes are no signed transaction") from error
    price = int(fields.get("maxFeePerGas") or fields.get("gasPrice") or 0)
    return RawTransaction(
        raw=raw,
        hash=keccak(raw),
        sender=sender,
        to=to_checksum_address(fields["to"]) if fields["to"] else None,
        chain_id=int(fields["chainId"]),
        nonce=int(fields["nonce"]),
        value=int(fields["value"]),
        data=bytes(fields["data"]),
        gas=int(fields["gas"]),
        most_it_costs=int(fields["gas"]) * price + int(fields["value"]),
    )


def check_target(transaction: RawTransaction, deployment: Deployment) -> None:
    """Raise `WrongChain` or `WrongContract` unless it calls a contract of this deployment."""
    if transaction.chain_id != deployment.chain_id:
        raise WrongChain(
            f"the transaction was signed for chain {transaction.chain_id}, not {deployment.chain_id}",
            field=_FIELD,
            hint="Switch the wallet to this chain and sign again.",
        )
    ours = {
        value.lower()
        for value in deployment.model_dump().values()
        if isinstance(value, str) and len(value) == 42
    }
    if transaction.to is None or transaction.to.lower() not in ours:
        raise WrongContract(
            f"the transaction calls {transaction.to or 'no contract'}, which is not this network's",
            field=_FIELD,
            hint="Only calls of the deployment's contracts are passed on; send others to a node of the chain.",
        )


async def _check_account(chain: Chain, transaction: RawTransaction) -> bool:
    """Compare nonce and funds; True if it is the sender's next, so that it can be simulated."""
    eth = chain.w3.eth
    sender = chain.w3.to_checksum_address(transaction.sender)
    used = int(await eth.get_transaction_count(sender, "latest"))
    if transaction.nonce < used:
        raise Replayed(
            f"nonce {transaction.nonce} of {sender} is used; the next is {used}",
            field=_FIELD,
            hint="Look the transaction up by its hash; to do another, sign with the next nonce.",
            more={"transactionHash": "0x" + transaction.hash.hex()},
        )
    have = int(await eth.get_balance(sender))
    if have < transaction.most_it_costs:
        symbol = chain.network.native_symbol
        raise InsufficientFunds(
            f"{sender} has {format_native(have)} {symbol}; the transaction may take "
            f"{format_native(transaction.most_it_costs)} {symbol}",
            field=_FIELD,
            hint=f"Send some {symbol} to that address; USDFC does not pay network fees.",
        )
    return transaction.nonce == int(await eth.get_transaction_count(sender, "pending"))


async def _simulate(chain: Chain, transaction: RawTransaction) -> None:
    call: Any = {
        "from": chain.w3.to_checksum_address(transaction.sender),
        "to": transaction.to,
        "data": transaction.data,
        "value": transaction.value,
        "gas": transaction.gas,
    }
    try:
        with decoded_reverts():
            await chain.w3.eth.call(call, "pending")
    except TransactionReverted as revert:
        raise rejection_of(revert) from revert


async def _broadcast(chain: Chain, transaction: RawTransaction) -> None:
    try:
        await chain.w3.eth.send_raw_transaction(transaction.raw)
    except ContractLogicError as error:
        raise rejection_of(revert_of(error).as_error()) from error
    except Web3RPCError as error:
        message = error.message.lower()
        if any(words in message for words in ("already known", "already imported", "already in mpool")):
            return
        if "nonce" in message or "underpriced" in message:
            raise Replayed(
                f"another transaction of {transaction.sender} has nonce {transaction.nonce}",
                field=_FIELD,
                hint="Sign with the next nonce, or a higher fee to replace it.",
            ) from error
        raise BadIntent(
            f"the chain's node refused the transaction: {error.message}",
            field=_FIELD,
            hint="Compare gas limit and fee with what the node asks for.",
        ) from error


def _malformed(why: str) -> BadIntent:
    return BadIntent(
        f"transaction: {why}",
        field=_FIELD,
        hint="Send the bytes that eth_signTransaction returns, as 0x hex; eth_signTypedData is for intents.",
    )
