"""One signer on one chain: builds, estimates and sends transactions through ape, and says in words what went wrong."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import click
import rlp  # type: ignore[import-untyped]  # it ships no types
from ape.api import AccountAPI, ReceiptAPI, TransactionAPI
from ape.cli import ConnectedProviderCommand
from ape.contracts import ContractInstance
from ape.exceptions import ApeException, ContractLogicError
from ape_accounts.accounts import KeyfileAccount
from eth_utils.address import to_canonical_address, to_checksum_address
from eth_utils.crypto import keccak

from protocol.errors import InsufficientFunds, ParityError, RpcUnavailable, WrongChain
from protocol.keystore import refuse_development_key
from protocol.money import format_native
from protocol.networks import network_of
from protocol.reverts import explain
from scripts._reader import Reader


@dataclass(frozen=True, slots=True, kw_only=True)
class Session(Reader):
    """Who acts where."""

    account: AccountAPI

    def build(self, contract: ContractInstance, method: str, *arguments: Any) -> TransactionAPI:
        """Encode a call as a transaction of the signer's, asking the chain for nothing."""
        abi = contract.contract_type.mutable_methods[method]
        converted = contract.conversion_manager.convert_method_args(abi, arguments)
        ecosystem = self.provider.network.ecosystem
        return ecosystem.encode_transaction(contract.address, abi, *converted, sender=self.account.address)

    def payment(self, receiver: str, value: int) -> TransactionAPI:
        """Build a plain payment of `value` native base units."""
        ecosystem = self.provider.network.ecosystem
        return ecosystem.create_transaction(receiver=receiver, value=value, sender=self.account.address)

    def tried(self, transaction: TransactionAPI) -> TransactionAPI:
        """Return the transaction with its gas, tried against the chain as it is now.

        ape itself tries against the last block, at that block's time. Raises `TransactionReverted`.
        """
        self.simulate(str(transaction.receiver), bytes(transaction.data), sender=self.account.address)
        call = {
            "from": self.account.address,
            "to": transaction.receiver,
            "data": "0x" + bytes(transaction.data).hex(),
        }
        estimate = int(self.rpc("eth_estimateGas", [call]), 16)
        transaction.gas_limit = int(estimate * network_of(self.chain_id).gas_headroom)
        return transaction

    def send(self, transaction: TransactionAPI, *, what: str) -> ReceiptAPI:
        """Sign, send and await one transaction; print what it was."""
        receipt = self.account.call(transaction)
        click.echo(f"  {what:38} {receipt.gas_used:>10,} gas  {receipt.txn_hash}")
        return receipt

    def estimate_creation(self, transaction: TransactionAPI) -> int:
        """Ask the node what creating a contract takes, in its own gas."""
        call = {"from": self.account.address, "data": "0x" + bytes(transaction.data).hex()}
        return int(self.rpc("eth_estimateGas", [call]), 16)

    def check_sender(self) -> None:
        """Refuse well-known keys outside local chains, and senders who cannot pay any fee."""
        refuse_development_key(self.account.address, self.chain_id)
        self.check_balance(1)
        self._unlock()

    def _unlock(self) -> None:
        """Sign without asking when the passphrase is in ape's own variable; else ape asks for each transaction."""
        if (
            isinstance(self.account, KeyfileAccount)
            and f"APE_ACCOUNTS_{self.account.alias}_PASSPHRASE" in os.environ
        ):
            self.account.set_autosign(True)

    def check_balance(self, need: int) -> None:
        """Raise `InsufficientFunds` unless the sender holds `need` native base units."""
        have = self.account.balance
        if have >= need:
            return
        symbol = network_of(self.chain_id).native_symbol
        raise InsufficientFunds(
            f"{self.account.address} holds {format_native(have)} {symbol} and needs about {format_native(need)}",
            hint=f"Send {symbol} to {self.account.address}"
            + (
                " with `ape run fund`."
                if self.local
                else " (Calibration faucet: https://faucet.calibnet.chainsafe-fil.io)."
            ),
        )


class ChainCommand(ConnectedProviderCommand):
    """A command with a connected chain whose known failures end in one message, its remedy and the right status."""

    def invoke(self, ctx: click.Context) -> Any:
        with explained():
            return super().invoke(ctx)


@contextmanager
def explained() -> Iterator[None]:
    """Turn known failures into one message, its remedy and the right exit status."""
    try:
        yield
    except ParityError as error:
        _fail(error.message, error.hint, error.exit_code)
    except ContractLogicError as error:
        revert = explain(_revert_data(error))
        _fail(revert.message, revert.hint, 3)
    except ApeException as error:
        failure = RpcUnavailable(
            str(error), hint="Check that the node of --network is up and serves the chain you mean."
        )
        _fail(failure.message, failure.hint, failure.exit_code)


def _fail(message: str, hint: str | None, status: int) -> None:
    click.echo(f"Error: {message}", err=True)
    if hint:
        click.echo(f"Hint: {hint}", err=True)
    sys.exit(status)


def _revert_data(error: ContractLogicError) -> str | None:
    cause = getattr(error, "base_err", None) or error
    data = getattr(cause, "data", None)
    return data if isinstance(data, str) else None


def created_address(sender: str, nonce: int) -> str:
    """Return where the contract will be that `sender` creates with its transaction number `nonce`."""
    return to_checksum_address(keccak(rlp.encode([to_canonical_address(sender), nonce]))[12:])


def require_code(session: Reader, address: str, *, what: str, hint: str) -> None:
    """Raise `WrongChain` unless there is a contract at `address`."""
    if not session.code_at(address):
        raise WrongChain(f"{what} {address} is no contract on chain {session.chain_id}", hint=hint)
