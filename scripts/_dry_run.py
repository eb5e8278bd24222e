"""Price a deployment without sending anything.

Creations are estimated by the node itself. The calls that follow cannot be, since what they call is not there yet:
their known cost on a plain EVM is scaled by how much more than a plain EVM this chain asks for the creations.
"""

from dataclasses import dataclass

import click

from protocol.money import format_native
from protocol.networks import network_of
from scripts._plan import calls, creations
from scripts._profiles import Profile
from scripts._record import Record
from scripts._session import Session, created_address

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
    nonce = session.account.nonce
    addresses = dict(record.addresses)
    lines: list[Line] = []
    plain = 0
    for creation in creations(profile, record.parties):
        addresses[creation.name] = created_address(record.parties.deployer, nonce + len(lines))
        transaction = creation.transaction(session, addresses)
        gas = session.estimate_creation(transaction)
        lines.append(Line(f"create {creation.contract}", gas, addresses[creation.name], transaction.data))
        plain += _plain_gas(
            bytes(transaction.data), len(creation.container().contract_type.get_runtime_bytecode() or b"")
        )
    ratio = max(1.0, sum(line.gas for line in lines) / plain)
    for call in calls(profile, record.parties):
        transaction = call.transaction(session, addresses)
        lines.append(Line(call.what, int(call.evm_gas * ratio), addresses[call.target], transaction.data))
    return lines


def _plain_gas(data: bytes, code_bytes: int) -> int:
    """Give the gas that a plain EVM asks for a creation, apart from running its constructor."""
    zeros = data.count(0)
    words = -(-len(data) // 32)
    return (
        _TRANSACTION_GAS
        + _CREATION_GAS
        + zeros * _ZERO_BYTE_GAS
        + (len(data) - zeros) * _DATA_BYTE_GAS
        + words * _INIT_WORD_GAS
        + code_bytes * _CODE_BYTE_GAS
    )
