"""What the indexer asks a chain: headers and logs, checked before anyone believes them."""

import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from indexer.errors import InconsistentChain
from indexer.events import Log, block_time
from indexer.log_reading import read_logs
from indexer.rpc.classify import Meaning, RpcError
from indexer.rpc.pool import RpcPool
from indexer.rpc.ranges import RangeSize
from indexer.rpc.wire import Call, Reply, WireHeader, WireLog, data, hexed, quantity

T = TypeVar("T")

HEADERS_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Header:
    """A block, as far as the indexer cares; also a row of the table `blocks`."""

    number: int
    hash: bytes
    parent_hash: bytes
    timestamp: datetime


@dataclass(frozen=True, slots=True)
class LogRange:
    """All logs from `first` to `last` inclusive, in the order of the chain; `end` is the last block that exists in it."""

    first: int
    last: int
    logs: list[Log]
    end: Header


class ChainReader:
    """Typed questions to a pool of nodes, for the logs of fixed addresses."""

    def __init__(self, pool: RpcPool, addresses: Iterable[bytes], *, max_log_blocks: int) -> None:
        self.pool = pool
        self.ranges = RangeSize(max_log_blocks)
        self._by_text = {hexed(address): address for address in addresses}
        self._addresses = list(self._by_text)

    @classmethod
    @asynccontextmanager
    async def connect(
        cls,
        urls: Sequence[str],
        addresses: Iterable[bytes],
        *,
        timeout_s: float,
        max_log_blocks: int,
        tries: int = 6,
        requests_per_s: float | None = None,
    ) -> AsyncIterator["ChainReader"]:
        """Open a reader on endpoints, in order of preference; each is sent `requests_per_s` at first, if that is given."""
        async with RpcPool.connect(
            urls, timeout_s=timeout_s, tries=tries, requests_per_s=requests_per_s
        ) as pool:
            yield cls(pool, addresses, max_log_blocks=max_log_blocks)

    async def chain_id(self) -> int:
        """Give the EIP-155 chain id."""
        return quantity(await self._ask(Call("eth_chainId"), str))

    async def head(self) -> Header:
        """Give the newest block whose events can be asked for."""
        return _header(await self._ask(_by_number("latest"), WireHeader))

    async def finalized_number(self) -> int | None:
        """Give the height of the node's `finalized` block, or None where it knows no such tag."""
        (reply,) = await self.pool.send([_by_number("finalized")])
        if reply.error is not None:
            return None
        header = msgspec.json.decode(reply.result, type=WireHeader | None)
        return quantity(header.number) if header else None

    async def header_of(self, block_hash: bytes) -> Header | None:
        """Give a block by hash; None when the node does not know it."""
        (reply,) = await self.pool.send([_by_hash(block_hash)])
        return _optional_header(reply)

    async def header_at(self, number: int) -> Header | None:
        """Give the block at a height; None for a null round."""
        (header,) = await self.headers([number])
        return header

    async def headers(self, numbers: Sequence[int]) -> list[Header | None]:
        """Give the blocks at heights, None for null rounds. Raises `InconsistentChain` when a node is not that far."""
        headers: list[Header | None] = []
        for start in range(0, len(numbers), HEADERS_AT_ONCE):
            asked = numbers[start : start + HEADERS_AT_ONCE]
            calls = [*(_by_number(hex(number)) for number in asked), Call("eth_blockNumber")]
            *replies, latest = await self.pool.send(calls)
            height = quantity(_result(latest, str, method="eth_blockNumber"))
            headers += [
                _at(number, reply, height=height) for number, reply in zip(asked, replies, strict=True)
            ]
        return headers

    async def logs_between(self, first: int, last: int) -> LogRange:
        """Give all logs of a range, asked for in as many parts as the node wants."""
        width = last - first + 1
        started = time.monotonic()
        calls = [
            Call(
                "eth_getLogs", [{"fromBlock": hex(first), "toBlock": hex(last), "address": self._addresses}]
            ),
            # An endpoint that does not know the end of the range answers `[]` as readily as one that does.
            _by_number(hex(last)),
            Call("eth_blockNumber"),
        ]
        logs_reply, end_reply, latest_reply = await self.pool.send(calls)
        try:
            wire = _result(logs_reply, list[WireLog], method="eth_getLogs")
        except RpcError as error:
            if error.meaning is not Meaning.TOO_WIDE or width == 1:
                raise
            self.ranges.refused(cap=error.cap, width=width)
            return await self._in_halves(first, last)
        self.ranges.answered(
            size_bytes=len(memoryview(logs_reply.result)), seconds=time.monotonic() - started, width=width
        )
        end = _at(last, end_reply, height=quantity(_result(latest_reply, str, method="eth_blockNumber")))
        logs = await self._checked(wire, first=first, last=last)
        if end is not None and logs and logs[-1].block_number == last and logs[-1].block_hash != end.hash:
            raise InconsistentChain(f"block {last} has two hashes: the chain is reorganising")
        return LogRange(first, last, logs, end or await self.last_until(last - 1))

    async def _in_halves(self, first: int, last: int) -> LogRange:
        middle = (first + last) // 2
        lower = await self.logs_between(first, middle)
        upper = await self.logs_between(middle + 1, last)
        return LogRange(first, last, lower.logs + upper.logs, upper.end)

    async def last_until(self, number: int) -> Header:
        """Give the last block at or below a height, which itself may be a null round."""
        while number >= 0:
            header = await self.header_at(number)
            if header is not None:
                return header
            number -= 1
        raise InconsistentChain("the chain has no block 0", hint="Check FILECOIN_RPC.")

    async def logs_of(self, header: Header) -> list[Log]:
        """Give the logs of one block, by its hash: a node that does not know it says so instead of answering `[]`."""
        query = {"blockHash": hexed(header.hash), "address": self._addresses}
        logs_reply, header_reply = await self.pool.send([Call("eth_getLogs", [query]), _by_hash(header.hash)])
        wire = _result(logs_reply, list[WireLog], method="eth_getLogs")
        if _optional_header(header_reply) is None:
            raise InconsistentChain(f"the node does not know block 0x{header.hash.hex()} any more")
        logs = await self._checked(
            [log for log in wire if not log.removed],
            first=header.number,
            last=header.number,
            timestamp=header.timestamp,
        )
        if any(log.block_hash != header.hash for log in logs):
            raise InconsistentChain(f"logs of block {header.number} came from another block")
        return logs

    async def _checked(
        self, wire: Sequence[WireLog], *, first: int, last: int, timestamp: datetime | None = None
    ) -> list[Log]:
        if any(log.removed for log in wire):
            raise InconsistentChain(f"blocks {first} to {last} hold removed logs: the chain is reorganising")
        if timestamp is not None:
            times = {log.block_number: timestamp for log in wire}
        else:
            times = await self._missing_times(wire)
        return read_logs(wire, first=first, last=last, addresses=self._by_text, times=times)

    async def _missing_times(self, wire: Sequence[WireLog]) -> dict[str, datetime]:
        """Look up times of blocks whose logs do not carry them."""
        missing = list(dict.fromkeys([log.block_number for log in wire if log.block_timestamp is None]))
        headers = await self.headers([quantity(text) for text in missing])
        return {text: header.timestamp for text, header in zip(missing, headers, strict=True) if header}

    async def call(self, to: bytes, payload: bytes, *, block: int) -> bytes:
        """Read a contract (`eth_call`) as of a block."""
        request = {"to": hexed(to), "data": hexed(payload)}
        return data(await self._ask(Call("eth_call", [request, hex(block)]), str))

    async def _ask(self, call: Call, kind: type[T]) -> T:
        (reply,) = await self.pool.send([call])
        answer: T = _result(reply, kind, method=call.method)
        return answer


def _by_number(tag: str) -> Call:
    return Call("eth_getBlockByNumber", [tag, False])


def _by_hash(block_hash: bytes) -> Call:
    return Call("eth_getBlockByHash", [hexed(block_hash), False])


def _result(reply: Reply, kind: Any, *, method: str) -> Any:
    if reply.error is not None:
        raise RpcError(reply.error.code, reply.error.message, method=method)
    try:
        return msgspec.json.decode(reply.result, type=kind)
    except msgspec.ValidationError as error:
        raise InconsistentChain(f"{method}: the node's answer is not what was asked for ({error})") from error


def _header(wire: WireHeader) -> Header:
    return Header(
        quantity(wire.number), data(wire.hash), data(wire.parent_hash), block_time(quantity(wire.timestamp))
    )


def _optional_header(reply: Reply) -> Header | None:
    wire = _result(reply, WireHeader | None, method="eth_getBlockByHash")
    return _header(wire) if wire is not None else None


def _at(number: int, reply: Reply, *, height: int) -> Header | None:
    """Read a block by height. Nodes say "null round" in three ways: an error, `null`, or the block before."""
    if reply.error is not None:
        error = RpcError(reply.error.code, reply.error.message, method="eth_getBlockByNumber")
        if error.meaning is Meaning.NULL_ROUND:
            return None
        raise error
    wire = _result(reply, WireHeader | None, method="eth_getBlockByNumber")
    if wire is None and height < number:
        raise InconsistentChain(f"the node is at block {height}, behind {number}")
    if wire is None or quantity(wire.number) != number:
        return None
    return _header(wire)
