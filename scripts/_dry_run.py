"""Price a deployment without sending anything.

Creations are estimated by the node itself. What calls contracts that are not there yet cannot be: its known cost on a plain
EVM is scaled by how much more than a plain EVM this chain asks for the creations.
"""

from dataclasses import dataclass

import click
from ape.api import TransactionAPI

from protocol.money import format_native
from protocol.networks import network_of
from scripts._plan import calls, creations
from scripts._profiles import Profile
from scripts._record import Record
from scripts._session import Session, created_address
from scripts._steps import Creation

_TRANSACTION_GAS = 21_000
_CREATION_GAS = 32_000
_CODE_BYTE_GAS = 200
_ZERO_BYTE_GAS, _DATA_BYTE_GAS = 4, 16
_INIT_WORD_GAS = 2


@dataclass(frozen=True, slots=True)
class Line:
    what: str
    gas: int
    address: str
    data: bytes


def print_dry_run(session: Session, profile: Profile, record: Record) -> None:
    """Print each transaction with its gas and the whole cost; raise `InsufficientFunds` if the sender has less."""
    lines = _lines(session, profile, record)
    for line in lines:
        click.echo(f"  {line.what:38} {line.gas:>14,} gas  {len(line.data):>6,} bytes  {line.address}")
    gas = sum(line.gas for line in lines)
    price = int(session.provider.gas_price)
    symbol = network_of(session.chain_id).native_symbol
    cost = gas * price
    click.echo(
        f"Dry run: {len(lines)} transactions, {gas:,} gas at {price:,} wei = {format_native(cost)} {symbol}. "
        "Nothing was sent."
    )
    if session.account.balance < cost:
        session.check_balance(cost)
    click.echo(f"{session.account.address} holds {format_native(session.account.balance)} {symbol}: enough.")


def _lines(session: Session, profile: Profile, record: Record) -> list[Line]:
    addresses = dict(record.addresses)
    planned = _planned(session, profile, record, addresses)
    estimated = {
        creation.name: session.estimate_creation(transaction)
        for creation, transaction in planned
        if creation.evm_gas is None
    }
    plain = sum(
        _plain_gas(creation, transaction) for creation, transaction in planned if creation.name in estimated
    )
    ratio = max(1.0, sum(estimated.values()) / plain)
    lines = [
        Line(
            f"create {creation.contract}",
            estimated.get(creation.name) or int((creation.evm_gas or 0) * ratio),
            addresses[creation.name],
            transaction.data,
        )
        for creation, transaction in planned
    ]
    for call in calls(profile, record.parties):
        transaction = call.transaction(session, addresses)
        lines.append(Line(call.what, int(call.evm_gas * ratio), addresses[call.target], transaction.data))
    return lines


def _planned(
    session: Session, profile: Profile, record: Record, addresses: dict[str, str]
) -> list[tuple[Creation, TransactionAPI]]:
    """Build the creations, and add to `addresses` where each contract would be."""
    planned = []
    for number, creation in enumerate(creations(profile, record.parties), session.account.nonce):
        addresses[creation.name] = created_address(record.parties.deployer, number)
        planned.append((creation, creation.transaction(session, addresses)))
    return planned


def _plain_gas(creation: Creation, transaction: TransactionAPI) -> int:
    """Return the gas that a plain EVM asks for a creation, apart from running its constructor."""
    data = bytes(transaction.data)
    code = creation.container().contract_type.get_runtime_bytecode() or b""
    zeros = data.count(0)
    words = -(-len(data) // 32)
    return (
        _TRANSACTION_GAS
        + _CREATION_GAS
        + zeros * _ZERO_BYTE_GAS
        + (len(data) - zeros) * _DATA_BYTE_GAS
        + words * _INIT_WORD_GAS
        + len(code) * _CODE_BYTE_GAS
    )
