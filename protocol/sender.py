"""Transactions of one account: simulated first, numbered without gaps, bumped when stuck, waited for.

A reorganisation may drop what was mined and leave a gap behind which nothing of the account ever comes into a block. While anything
waits, what was dropped is handed to the node again, byte for byte.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from typing import Any

import structlog
from eth_account.signers.local import LocalAccount
from eth_typing import HexStr
from eth_utils.crypto import keccak
from web3.contract.async_contract import AsyncContractFunction
from web3.exceptions import ContractLogicError, TransactionNotFound, Web3RPCError
from web3.types import TxParams, TxReceipt, Wei

from protocol.chain import Chain
from protocol.errors import (
    ChainError,
    InsufficientFunds,
    RpcUnavailable,
    TransactionReverted,
    TransactionTimeout,
)
from protocol.fees import Fees, bumped, current_fees
from protocol.keystore import refuse_development_key
from protocol.money import format_native
from protocol.reverts import decoded_reverts, explain, revert_of

_log = structlog.get_logger(__name__)

_ATTEMPTS = 8
"""Times a transaction is numbered anew because somebody else used its nonce, before giving up."""
_LONGEST_POLL_S = 5.0
_KEPT = 64
"""How many of the newest mined transactions are kept, in case a reorganisation drops them."""
_RAN_DRY = 0.95
"""Share of its gas that a reverted transaction used when its gas was too little: calls leave their caller a 64th each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A transaction in a block. `fee_paid` is in the chain's native base units; `raw` is web3's receipt."""

    transaction_hash: str
    block_number: int
    block_hash: str
    gas_used: int
    fee_paid: int
    raw: TxReceipt


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A transaction that passed simulation, not yet numbered. `gas` has the network's head-room in it."""

    call: TxParams
    gas: int
    fees: Fees
    label: str

    @property
    def most_it_costs(self) -> int:
        """Return the most this can cost in the chain's native base units, value included."""
        return self.gas * self.fees.max_fee + int(self.call.get("value", 0))

    def ran_dry(self, receipt: TxReceipt) -> bool:
        """Return whether it seems to have failed for want of gas alone, as when another's deed made it dearer meanwhile."""
        return receipt["status"] != 1 and receipt["gasUsed"] >= _RAN_DRY * self.gas


class Sender:
    """Sends transactions of one account on one chain. Use a single one for each account in a process.

    `turn`, a lock among processes, lets several of them share the account: each takes its nonces within its turn.
    `on_mined` hears the block of each transaction as soon as its receipt is seen.
    """

    def __init__(
        self,
        chain: Chain,
        account: LocalAccount,
        *,
        turn: Callable[[], AbstractAsyncContextManager[None]] | None = None,
        on_mined: Callable[[int], None] | None = None,
    ) -> None:
        refuse_development_key(account.address, chain.deployment.chain_id)
        self._chain = chain
        self._eth = chain.w3.eth
        self._network = chain.network
        self._account = account
        self._turn = turn or contextlib.nullcontext
        self._is_shared = turn is not None
        self._on_mined = on_mined
        self._lock = asyncio.Lock()
        self._next_nonce: int | None = None
        self._in_flight: set[int] = set()
        # By nonce; None for one that failed: to do it after all is not what its caller was told.
        self._mined: dict[int, bytes | None] = {}

    @property
    def address(self) -> str:
        """Return the sending account's address."""
        return str(self._account.address)

    async def prepare(self, function: AsyncContractFunction, *, label: str, value: int = 0) -> Prepared:
        """Simulate a call against the pending block and price it, sending nothing.

        Raises `TransactionReverted`, `InsufficientFunds`, `RpcUnavailable`.
        """
        call: TxParams = {
            "from": self._account.address,
            "to": function.address,
            "data": function._encode_transaction_data(),  # noqa: SLF001 (web3 has no public way without a node)
            "value": value,  # type: ignore[typeddict-item]
        }
        with decoded_reverts():
            await self._eth.call(call, "pending")
            estimate = await self._eth.estimate_gas(call, "pending")
        fees = await current_fees(self._eth)
        prepared = Prepared(call=call, gas=int(estimate * self._network.gas_headroom), fees=fees, label=label)
        await self._check_funds(prepared)
        return prepared

    async def send(
        self,
        function: AsyncContractFunction,
        *,
        label: str,
        value: int = 0,
        on_sent: Callable[[str], None] | None = None,
    ) -> Receipt:
        """Simulate, send and wait for the receipt. `label` names the deed in logs and errors.

        `on_sent` hears the transaction's hash as soon as a node has taken it, for who must not wait for the block; again,
        where it ran out of gas and is sent anew: two reveals of a task may cross, and the later one settles it.

        Raises `TransactionReverted`, `InsufficientFunds`, `RpcUnavailable`, and `TransactionTimeout` if it is in no
        block within the network's `receipt_timeout_s`.
        """
        may_run_dry = True
        for _ in range(_ATTEMPTS):
            prepared = await self.prepare(function, label=label, value=value)
            nonce, sent = await self._submit(prepared)
            try:
                if on_sent is not None:
                    on_sent(*sent)
                receipt = await self._wait(prepared, nonce=nonce, sent=sent)
            finally:
                self._in_flight.discard(nonce)
            self._keep(nonce, receipt, sent)
            if receipt is None:
                _log.info("nonce_taken", label=label, nonce=nonce)
                self._next_nonce = None
            elif may_run_dry and prepared.ran_dry(receipt):
                _log.info("out_of_gas", label=label, nonce=nonce, gas=prepared.gas)
                may_run_dry = False
            else:
                return await self._checked(receipt, prepared)
        raise ChainError(
            f"{label}: another process keeps using {self.address}'s nonces",
            hint="Use a separate account for each process.",
        )

    async def _check_funds(self, prepared: Prepared) -> None:
        have = await self._eth.get_balance(self._account.address)
        if have < prepared.most_it_costs:
            symbol = self._network.native_symbol
            raise InsufficientFunds(
                f"{prepared.label}: {self.address} has {format_native(have)} {symbol}; "
                f"the network fee may take {format_native(prepared.most_it_costs)} {symbol}",
                hint=f"Send some {symbol} to that address; USDFC does not pay network fees.",
            )

    async def _submit(self, prepared: Prepared) -> tuple[int, dict[str, bytes]]:
        """Give it a nonce, sign and broadcast, one at a time, so that no nonce is skipped or used twice.

        Gives the nonce and the signed transaction by its hash.
        """
        async with self._lock, self._turn():
            for _ in range(_ATTEMPTS):
                # With nothing under way the chain says it: a reorganisation may have dropped what was mined.
                counted = self._next_nonce if self._in_flight else None
                nonce = counted if counted is not None else await self._first_free_nonce()
                # Unknown until the broadcast is known to have worked: a failure in between must not leave a gap.
                self._next_nonce = None
                raw, transaction_hash = self._sign(prepared, nonce)
                if await self._broadcast(raw, transaction_hash, label=prepared.label):
                    # The next one may be another process's.
                    self._next_nonce = None if self._is_shared else nonce + 1
                    self._in_flight.add(nonce)
                    _log.info("sent", label=prepared.label, tx_hash=transaction_hash, nonce=nonce)
                    return nonce, {transaction_hash: raw}
        raise ChainError(
            f"{prepared.label}: no free nonce for {self.address}",
            hint="Use a separate account for each process.",
        )

    async def _first_free_nonce(self) -> int:
        pending = int(await self._eth.get_transaction_count(self._account.address, "pending"))
        # A node behind a load balancer may not have heard of what another one took.
        return max(pending, max(self._in_flight, default=-1) + 1)

    def _sign(self, prepared: Prepared, nonce: int) -> tuple[bytes, str]:
        transaction: dict[str, Any] = {
            "type": 2,
            "chainId": self._chain.deployment.chain_id,
            "nonce": nonce,
            "to": prepared.call["to"],
            "data": prepared.call["data"],
            "value": prepared.call["value"],
            "gas": prepared.gas,
            "maxFeePerGas": prepared.fees.max_fee,
            "maxPriorityFeePerGas": prepared.fees.priority_fee,
        }
        raw = bytes(self._account.sign_transaction(transaction).raw_transaction)
        return raw, "0x" + keccak(raw).hex()

    async def _broadcast(self, raw: bytes, transaction_hash: str, *, label: str) -> bool:
        """Hand a signed transaction to the node; `False` if its nonce is taken by another.

        A node that knows it already got it from us only if we tried before: two processes that want the same thing
        at the same nonce sign the very same bytes, and then it is the other's. If the answer to a try was lost, what
        took the nonce may be this very transaction, and sending the deed at the next nonce would do it twice.
        """
        for attempt in range(_ATTEMPTS):
            try:
                await self._eth.send_raw_transaction(raw)
            except RpcUnavailable:
                if attempt == 2:
                    raise
                await asyncio.sleep(0.2 * 2**attempt)
            except ContractLogicError as error:
                raise revert_of(error).as_error() from error
            except Web3RPCError as error:
                if _is_known(error):
                    return attempt > 0
                _require_nonce_taken(error, label=label)
                return attempt > 0 and await self._is_mined(transaction_hash)
            else:
                return True
        return False

    async def _wait(self, prepared: Prepared, *, nonce: int, sent: dict[str, bytes]) -> TxReceipt | None:
        """Wait until one of the versions is in a block; `None` when somebody else's transaction took the nonce.

        It is sent already: a node that is away for a while is waited for, and only time ends the wait.
        """
        started = bumped_at = time.monotonic()
        while True:
            with contextlib.suppress(RpcUnavailable):
                used = await self._eth.get_transaction_count(self._account.address, "latest")
                if used > nonce:
                    return await self._any_receipt(sent) or await self._late_receipt(sent)
                await self._fill_gaps(range(used, nonce), stuck=self._is_stuck(bumped_at))
            now = time.monotonic()
            if now - started > self._network.receipt_timeout_s:
                raise _timeout(prepared.label, list(sent)[-1], waited_s=now - started)
            if self._is_stuck(bumped_at):
                prepared, bumped_at = await self._bump(prepared, nonce=nonce, sent=sent), now
            # The longer it takes, the less a little more matters: blocks may come slower than the network's profile says.
            await asyncio.sleep(min(max(self._poll_s, (now - started) / 8), _LONGEST_POLL_S))

    def _is_stuck(self, since: float) -> bool:
        return time.monotonic() - since > self._network.stuck_after_s

    def _keep(self, nonce: int, receipt: TxReceipt | None, sent: dict[str, bytes]) -> None:
        """Remember what was mined at a nonce, unless it was somebody else's."""
        if receipt is not None:
            raw = sent[receipt["transactionHash"].to_0x_hex()]
            self._mined[nonce] = raw if receipt["status"] == 1 else None
            self._mined.pop(nonce - _KEPT, None)

    async def _fill_gaps(self, below: range, *, stuck: bool) -> None:
        """Fill the nonces that are neither mined nor under way, before a transaction that waits behind them.

        A node that merely lags has what it is given again already, and refuses it. A gap that nobody can explain is filled
        by a transaction that does nothing, once what waits is `stuck`; not if others use the account, whose it may be.
        """
        async with self._lock:
            for nonce in below:
                known = nonce in self._mined
                if nonce in self._in_flight or not (known or (stuck and not self._is_shared)):
                    continue
                raw = self._mined.get(nonce) or await self._blank(nonce)
                with contextlib.suppress(Web3RPCError, ContractLogicError):
                    await self._eth.send_raw_transaction(raw)
                    _log.warning("gap_filled", nonce=nonce, again=self._mined.get(nonce) is not None)

    async def _blank(self, nonce: int) -> bytes:
        """Sign a transaction that moves nothing, from the account to itself."""
        mine = self._account.address
        call: TxParams = {"from": mine, "to": mine, "data": HexStr("0x"), "value": Wei(0)}
        gas = int(await self._eth.estimate_gas(call) * self._network.gas_headroom)
        prepared = Prepared(call=call, gas=gas, fees=await current_fees(self._eth), label="blank")
        return self._sign(prepared, nonce)[0]

    @property
    def _poll_s(self) -> float:
        return min(max(self._network.block_time_s / 4, 0.05), _LONGEST_POLL_S)

    async def _late_receipt(self, sent: Iterable[str]) -> TxReceipt | None:
        """Look again for a block's time: nodes behind one address may show a nonce before its receipt."""
        until = time.monotonic() + self._network.block_time_s
        while time.monotonic() < until:
            await asyncio.sleep(self._poll_s)
            receipt = await self._any_receipt(sent)
            if receipt is not None:
                return receipt
        return None

    async def _is_mined(self, transaction_hash: str) -> bool:
        sent = (transaction_hash,)
        return (await self._any_receipt(sent) or await self._late_receipt(sent)) is not None

    async def _any_receipt(self, sent: Iterable[str]) -> TxReceipt | None:
        for transaction_hash in sent:
            with contextlib.suppress(TransactionNotFound):
                return await self._eth.get_transaction_receipt(transaction_hash)  # type: ignore[arg-type]
        return None

    async def _bump(self, prepared: Prepared, *, nonce: int, sent: dict[str, bytes]) -> Prepared:
        """Send the same transaction at the same nonce for a higher fee: whichever version lands, it lands once."""
        dearer = prepared
        with contextlib.suppress(RpcUnavailable, InsufficientFunds):
            dearer = replace(prepared, fees=bumped(prepared.fees, await current_fees(self._eth)))
            raw, transaction_hash = self._sign(dearer, nonce)
            if await self._broadcast(raw, transaction_hash, label=prepared.label):
                sent[transaction_hash] = raw
                _log.info(
                    "fee_bumped", label=prepared.label, tx_hash=transaction_hash, max_fee=dearer.fees.max_fee
                )
        return dearer

    async def _checked(self, raw: TxReceipt, prepared: Prepared) -> Receipt:
        receipt = Receipt(
            transaction_hash=raw["transactionHash"].to_0x_hex(),
            block_number=raw["blockNumber"],
            block_hash=raw["blockHash"].to_0x_hex(),
            gas_used=raw["gasUsed"],
            fee_paid=raw["gasUsed"] * raw["effectiveGasPrice"],
            raw=raw,
        )
        if self._on_mined is not None:
            self._on_mined(receipt.block_number)
        if raw["status"] != 1:
            raise await self._why_reverted(receipt, prepared)
        _log.info("mined", label=prepared.label, tx_hash=receipt.transaction_hash, block=receipt.block_number)
        return receipt

    async def _why_reverted(self, receipt: Receipt, prepared: Prepared) -> TransactionReverted:
        """Replay a reverted transaction: simulation passed, so the state changed before it was mined."""
        for block in (receipt.block_number, receipt.block_number - 1):
            try:
                await self._eth.call(prepared.call, block)
            except ContractLogicError as error:
                return revert_of(error).as_error()
        return explain(None).as_error()


def _is_known(error: Web3RPCError) -> bool:
    return any(
        words in error.message.lower() for words in ("already known", "already imported", "already in mpool")
    )


def _require_nonce_taken(error: Web3RPCError, *, label: str) -> None:
    """Raise whatever a node refuses for, unless it is a nonce that is taken."""
    message = error.message.lower()
    if any(words in message for words in ("nonce too low", "underpriced", "nonce", "replace by fee")):
        return
    if "insufficient funds" in message:
        raise InsufficientFunds(
            f"{label}: the account cannot pay the network fee",
            hint="Send it some of the chain's native coin.",
        ) from error
    raise ChainError(f"{label}: the node refused the transaction: {error.message}") from error


def _timeout(label: str, transaction_hash: str, *, waited_s: float) -> TransactionTimeout:
    return TransactionTimeout(
        f"{label}: transaction {transaction_hash} is in no block after {waited_s:.0f} s",
        transaction_hash=transaction_hash,
        hint="It may still be mined: look it up by its hash before doing the same again.",
    )
