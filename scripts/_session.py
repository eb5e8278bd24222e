"""One signer on one chain: builds, estimates and sends transactions through ape, and says in words what went wrong."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import click
import rlp  # type: ignore[import-untyped]  # it ships no types
from ape.api import AccountAPI, ProviderAPI, ReceiptAPI, TransactionAPI
from ape.cli import ConnectedProviderCommand
from ape.contracts import ContractInstance
from ape.exceptions import ApeException, ContractLogicError
from ape.types import ContractType
from ape_accounts.accounts import KeyfileAccount
from eth_utils.address import to_canonical_address, to_checksum_address
from eth_utils.crypto import keccak

from protocol.abi import load_abi
from protocol.errors import InsufficientFunds, ParityError, RpcUnavailable, WrongChain
from protocol.keystore import refuse_development_key
from protocol.money import format_native
from protocol.networks import LOCAL_CHAIN_IDS, network_of
from protocol.reverts import explain


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Who acts where. `provider` is connected for as long as the command runs."""

    provider: ProviderAPI
    account: AccountAPI

    @property
    def chain_id(self) -> int:
        """The id that the node itself gives; `WrongChain` when ape was told to take it for another."""
        actual, assumed = int(self.rpc("eth_chainId", []), 16), int(self.provider.chain_id)
        if actual != assumed:
            raise WrongChain(
                f"the node serves chain {actual}, and --network says {assumed}",
                hint="Give the node's URL alone, such as --network http://127.0.0.1:8545.",
            )
        return actual

    @property
    def local(self) -> bool:
        return self.chain_id in LOCAL_CHAIN_IDS

    def rpc(self, method: str, parameters: Sequence[Any]) -> Any:
        return self.provider.make_request(method, list(parameters))

    def genesis_hash(self) -> str:
        return str(self.rpc("eth_getBlockByNumber", ["0x0", False])["hash"])

    def code_at(self, address: str) -> bytes:
        return bytes(self.provider.get_code(address))

    def contract(self, name: str, address: str) -> ContractInstance:
        """Give a contract whose ABI we know, without asking any explorer or cache for it."""
        kind = ContractType.model_validate({"contractName": name, "abi": load_abi(name)})
        return ContractInstance(address, kind)

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
    """Say where the contract will be that `sender` creates with its transaction number `nonce`."""
    return to_checksum_address(keccak(rlp.encode([to_canonical_address(sender), nonce]))[12:])


def require_code(session: Session, address: str, *, what: str, hint: str) -> None:
    """Raise `WrongChain` unless there is a contract at `address`."""
    if not session.code_at(address):
        raise WrongChain(f"{what} {address} is no contract on chain {session.chain_id}", hint=hint)
