"""Turn the logs of a node's answer into ours, and believe none that an honest answer could not hold.

This runs once for every event of the chain, so what neighbours share (block, transaction, contract) is read once.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import NamedTuple, TypeVar

from indexer.errors import InconsistentChain
from indexer.events import Log, block_time
from indexer.rpc.wire import WireLog, data, quantity

T = TypeVar("T")


class _Once(dict[str, T]):
    """What texts mean, each of them read once: types, tasks, accounts and positions come again and again."""

    def __init__(self, read: Callable[[str], T]) -> None:
        self._read = read

    def __missing__(self, text: str) -> T:
        self[text] = value = self._read(text)
        return value


class _Block(NamedTuple):
    """What all logs of a block share."""

    number: int
    hash: bytes
    time: datetime


_NO_TIME = datetime.min.replace(tzinfo=UTC)


def read_logs(
    wire: Sequence[WireLog],
    *,
    first: int,
    last: int,
    addresses: Mapping[str, bytes],
    times: Mapping[str, datetime],
) -> list[Log]:
    """Return the logs in the order of the chain.

    `addresses` maps the contracts asked for, as the wire writes them; `times` the block numbers of the wire to times of
    blocks, for logs that do not carry them. Raises `InconsistentChain` when a log was not asked for, comes twice, or was
    removed, or when a height has two hashes; `ValueError` or `OverflowError` when a string is no number or no hex.
    """
    logs: list[Log] = []
    block, tx_index, log_index = _Block(-1, b"", _NO_TIME), -1, -1
    in_order = True
    number_text = hash_text = tx_text = place_text = ""
    tx_hash = b""
    this_tx = 0
    word, position = _Once(_word).__getitem__, _Once(_position).__getitem__
    join, fromhex = b"".join, bytes.fromhex
    for entry in wire:
        if entry.block_hash != hash_text or entry.block_number != number_text:
            _refuse_second_hash(entry, number_text)
            number_text, hash_text = entry.block_number, entry.block_hash
            before, block = block.number, _block(entry, times, first=first, last=last)
            in_order = in_order and block.number > before
            tx_index, log_index = -1, -1
        if entry.transaction_hash != tx_text or entry.transaction_index != place_text:
            tx_text, place_text = entry.transaction_hash, entry.transaction_index
            tx_hash = data(tx_text)
            this_tx = position(place_text)
        this_log = position(entry.log_index)
        in_order = in_order and (this_tx > tx_index or (this_tx == tx_index and this_log > log_index))
        tx_index, log_index = this_tx, this_log
        address = addresses.get(entry.address)
        if address is None or entry.removed:
            address = _checked_address(entry, addresses)
        logs.append(
            Log(
                block.number,
                tx_index,
                log_index,
                block.hash,
                block.time,
                tx_hash,
                address,
                join(map(word, entry.topics)),
                fromhex(entry.data[2:]),
            )
        )
    return logs if in_order else _sorted(logs)


def _word(text: str) -> bytes:
    if not text.startswith("0x"):
        raise ValueError(f"no hex: {text}")
    return data(text)


def _position(text: str) -> int:
    position = quantity(text)
    if position < 0:
        raise ValueError("a position below zero")
    return position


def _block(entry: WireLog, times: Mapping[str, datetime], *, first: int, last: int) -> _Block:
    """Read the block that a log is of; `InconsistentChain` for one outside the range that was asked for."""
    number, block_hash = quantity(entry.block_number), data(entry.block_hash)
    when = times.get(entry.block_number) or _own_time(entry)
    if not first <= number <= last:
        raise InconsistentChain(f"the node answered with a log of block {number}, outside {first} to {last}")
    return _Block(number, block_hash, when)


def _refuse_second_hash(entry: WireLog, previous_number: str) -> None:
    if entry.block_number == previous_number:
        raise InconsistentChain(
            f"block {quantity(previous_number)} has two hashes: the chain is reorganising"
        )


def _own_time(entry: WireLog) -> datetime:
    if entry.block_timestamp is None:
        raise InconsistentChain(f"block {quantity(entry.block_number)} has logs and no header")
    return block_time(quantity(entry.block_timestamp))


def _checked_address(entry: WireLog, addresses: Mapping[str, bytes]) -> bytes:
    if entry.removed:
        raise InconsistentChain(
            f"block {quantity(entry.block_number)} holds removed logs: the chain is reorganising"
        )
    address = addresses.get(entry.address.lower())
    if address is None:
        raise InconsistentChain(f"the node answered with a log of {entry.address}, which was not asked for")
    return address


def _sorted(logs: list[Log]) -> list[Log]:
    """Put logs in order that came in another, and look between neighbours again."""
    logs.sort(key=lambda log: log.position)
    for before, log in pairwise(logs):
        if log.position == before.position:
            raise InconsistentChain(f"{log.where}: the node answered with the same log twice")
        if log.block_number == before.block_number and log.block_hash != before.block_hash:
            raise InconsistentChain(f"block {log.block_number} has two hashes: the chain is reorganising")
    return logs
