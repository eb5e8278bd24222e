"""Sending an order to the chain, by the wallet itself or through a relay, and seeing it there."""

import asyncio
import time
from typing import TYPE_CHECKING, Any

from client.api import ApiClient
from client.errors import Contradiction, TaskUnknown
from client.money import transaction
from client.ordering import Placement, authorize, submit_call
from client.records import Funding, Transaction
from client.tasks import read_submission
from protocol.chain import Chain
from protocol.errors import TransactionReverted, TransactionTimeout
from protocol.sender import Sender
from protocol.typed_data import Authorization, escrow_domain, sign_order

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

_LABEL = "submit order"
_STILL_SIGNED = (
    "Nothing was escrowed. The server still has your signature, which is good for this one order until it expires: "
    "submit the same with --no-relay, or use another server."
)


async def send_by_wallet(
    chain: Chain, plan: Placement, *, account: "LocalAccount", sender: Sender
) -> Transaction:
    """Send the order from the wallet's own account, which pays the network fee."""
    if plan.funding is Funding.FREE_BALANCE:
        function = submit_call(chain, plan.order)
    else:
        authorization = await authorize(chain, plan.order, account=account)
        function = chain.escrow.functions.submitWithAuthorization(
            plan.order.as_tuple(), b"", authorization.as_tuple()
        )
    return transaction(await sender.send(function, label=_LABEL), _LABEL)


async def send_by_relay(
    chain: Chain, plan: Placement, *, account: "LocalAccount", api: ApiClient
) -> Transaction:
    """Hand the signed order to the API server to send, and believe only the chain that it did.

    Raises `ApiError` if it refuses, `Contradiction` if the transaction it names did something else, and
    `TransactionTimeout` if the order is not on chain in time.
    """
    signature: bytes | None = None
    authorization: Authorization | None = None
    if plan.funding is Funding.FREE_BALANCE:
        domain = escrow_domain(chain.deployment.chain_id, chain.deployment.task_escrow)
        signature = sign_order(plan.order, domain, account)
    else:
        authorization = await authorize(chain, plan.order, account=account)
    relayed = await api.relay(plan.order, client_signature=signature, authorization=authorization)
    return await _seen_on_chain(chain, plan, named=_checked_hash(relayed.transaction_hash), said_by=api.url)


async def _seen_on_chain(chain: Chain, plan: Placement, *, named: str, said_by: str) -> Transaction:
    """Wait until the chain has the task, by whichever transaction: a relay may have had to send it again for more."""
    until = time.monotonic() + chain.network.receipt_timeout_s
    poll_s = max(0.1, chain.network.block_time_s / 4)
    while time.monotonic() < until:
        receipt = await _receipt(chain, named)
        try:
            submitted = await read_submission(chain, plan.task_id)
        except TaskUnknown:
            _check_not_spent(receipt, named=named, said_by=said_by)
        else:
            return Transaction(
                label=_LABEL,
                transaction_hash=submitted.transaction_hash,
                block=submitted.block,
                network_fee=0,
            )
        await asyncio.sleep(poll_s)
    raise TransactionTimeout(
        f"{_LABEL}: transaction {named} is in no block, and the chain has no task 0x{plan.task_id.hex()}",
        transaction_hash=named,
        hint=f"{said_by} may have made it up, or the chain is slow. {_STILL_SIGNED}",
    )


async def _receipt(chain: Chain, transaction_hash: str) -> Any:
    from web3.exceptions import TransactionNotFound  # noqa: PLC0415 (loads web3)

    try:
        return await chain.w3.eth.get_transaction_receipt(chain.w3.to_bytes(hexstr=transaction_hash))  # type: ignore[arg-type]
    except TransactionNotFound:
        return None


def _check_not_spent(receipt: Any, *, named: str, said_by: str) -> None:
    """Raise if the named transaction is in a block, and yet the task is not on chain."""
    if receipt is None:
        return
    if receipt["status"] != 1:
        raise TransactionReverted(
            "Unknown", {}, f"{_LABEL}: the contract refused transaction {named}", hint=_STILL_SIGNED
        )
    raise Contradiction(
        f"{said_by} says that transaction {named} submitted the order; the chain says it did not",
        hint=_STILL_SIGNED,
    )


def _checked_hash(text: str) -> str:
    try:
        if len(bytes.fromhex(text.removeprefix("0x"))) == 32:
            return text
    except ValueError:
        pass
    raise Contradiction(
        f"the server named {text!r:.80} as a transaction, but that is not a transaction hash",
        hint=_STILL_SIGNED,
    )
