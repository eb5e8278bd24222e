"""What the indexer asks a chain: headers and logs, checked before anyone believes them."""

import random
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from indexer.errors import InconsistentChain
from indexer.events import Log, block_time
from indexer.log_reading import read_logs
from indexer.rpc.classify import Meaning, RpcError
from indexer.rpc.pool import RpcPool
from indexer.rpc.ranges import RangeSize
from indexer.rpc.wire import Call, Data, Quantity, Reply, WireHeader, WireLog, data, hexed, quantity
from protocol.bloom import BLOOM_BYTES, bloom_of, may_name

HEADERS_AT_ONCE = 50
SAMPLED_HEADERS = 4
"""Headers of a range without logs that a node is asked for which bears few questions. A node whose index of logs has a hole
answers range after range with none, so that a few of each find it out soon."""


@dataclass(frozen=True, slots=True)
class Header:
    """A block, as far as the indexer cares; also a row of the table `blocks`.

    `bloom` is the filter of what its logs name, 256 bytes; empty where the node told none, or it is a stored block.
    """

    number: int
    hash: bytes
    parent_hash: bytes
    timestamp: datetime
    bloom: bytes = field(default=b"", compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class LogRange:
    """All logs from `first` to `last` inclusive, in the order of the chain; `end` is the last block that exists in it."""

    first: int
    last: int
    logs: list[Log]
    end: Header


class ChainReader:
    """Typed questions to a pool of nodes, for the logs of fixed addresses.

    A node may leave out logs, mostly since its index of them has a hole. With `blooms` the filters in headers are held
    against it: a contract that a filter names and no log speaks for makes the whole block be read, and looked at.
    """

    def __init__(
        self, pool: RpcPool, addresses: Iterable[bytes], *, max_log_blocks: int, blooms: bool = True
    ) -> None:
        self.pool = pool
        self.blooms = blooms
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
        blooms: bool = True,
    ) -> AsyncIterator["ChainReader"]:
        """Open a reader on endpoints, in order of preference; each is sent `requests_per_s` at first, if that is given."""
        async with RpcPool.connect(
            urls, timeout_s=timeout_s, tries=tries, requests_per_s=requests_per_s
        ) as pool:
            yield cls(pool, addresses, max_log_blocks=max_log_blocks, blooms=blooms)

    async def chain_id(self) -> int:
        """Return the EIP-155 chain id."""
        call = Call("eth_chainId")
        return await self.pool.ask([call], lambda replies: _height(replies[0], method=call.method))

    async def head(self) -> Header:
        """Return the newest block whose events can be asked for."""
        return await self.pool.ask(
            [_by_number("latest")],
            lambda replies: _header(_result(replies[0], WireHeader, method="eth_getBlockByNumber")),
        )

    async def finalized(self) -> Header | None:
        """Return the node's `finalized` block, or None where it knows no such tag."""
        return await self.pool.ask(
            [_by_number("finalized")],
            lambda replies: None if replies[0].error is not None else _optional_header(replies[0]),
        )

    async def final_height(self, finality_blocks: int) -> int:
        """Return the height up to which nothing changes: `finality_blocks` below the head, or higher if the node says so."""
        head = await self.head()
        tag = await self.finalized()
        by_tag = tag.number if tag is not None and tag.number <= head.number else 0
        return max(head.number - finality_blocks, by_tag)

    async def header_of(self, block_hash: bytes) -> Header | None:
        """Return a block by hash; None when the node does not know it."""
        return await self.pool.ask([_by_hash(block_hash)], lambda replies: _with_hash(block_hash, replies[0]))

    async def header_at(self, number: int) -> Header | None:
        """Return the block at a height; None for a null round."""
        (header,) = await self.headers([number])
        return header

    async def headers(self, numbers: Sequence[int]) -> list[Header | None]:
        """Return the blocks at heights, None for null rounds. Raises `InconsistentChain` when a node is not that far."""
        headers: list[Header | None] = []
        for start in range(0, len(numbers), HEADERS_AT_ONCE):
            headers += await self._headers(numbers[start : start + HEADERS_AT_ONCE])
        return headers

    async def _headers(self, numbers: Sequence[int]) -> list[Header | None]:
        def read(replies: Sequence[Reply]) -> list[Header | None]:
            *blocks, latest = replies
            height = _height(latest, method="eth_blockNumber")
            return [_at(number, reply, height=height) for number, reply in zip(numbers, blocks, strict=True)]

        calls = [*(_by_number(hex(number)) for number in numbers), Call("eth_blockNumber")]
        return await self.pool.ask(calls, read)

    async def logs_between(self, first: int, last: int, *, second: bool = False) -> LogRange:
        """Return all logs of a range, asked for in as many parts as the node wants; `second`: by a second endpoint."""
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

        def read(replies: Sequence[Reply]) -> tuple[list[WireLog], int, Header | None]:
            logs_reply, end_reply, latest_reply = replies
            wire = _result(logs_reply, list[WireLog], method="eth_getLogs")
            height = _height(latest_reply, method="eth_blockNumber")
            return wire, len(memoryview(logs_reply.result)), _at(last, end_reply, height=height)

        try:
            wire, size_bytes, end = await self.pool.ask(calls, read, second=second)
        except RpcError as error:
            if error.meaning is not Meaning.TOO_WIDE or width == 1:
                raise
            self.ranges.refused(cap=error.cap, width=width)
            return await self._in_halves(first, last, second=second)
        self.ranges.answered(size_bytes=size_bytes, seconds=time.monotonic() - started, width=width)
        logs = await self._checked(wire, first=first, last=last)
        if end is not None and logs and logs[-1].block_number == last and logs[-1].block_hash != end.hash:
            raise InconsistentChain(f"block {last} has two hashes: the chain is reorganising")
        return LogRange(first, last, logs, end or await self.last_until(last - 1))

    async def final_logs_between(self, first: int, last: int) -> LogRange:
        """Return all logs of a range that is final; one without any is looked at once more before that is believed.

        The headers tell of what is missing, where they do; of a node that bears few questions only some are asked for, if
        there is no second endpoint to ask instead.
        """
        found = await self.logs_between(first, last)
        if found.logs:
            return found
        if (not self.blooms or self.pool.is_limited) and len(self.pool.endpoints) > 1:
            return await self.logs_between(first, last, second=True)
        if self.blooms:
            if found.end.number >= first:
                await self.vouch(found.end, [])
            numbers: Sequence[int] = range(first, last)
            if self.pool.is_limited:
                numbers = random.sample(numbers, min(SAMPLED_HEADERS, len(numbers)))
            await self._vouch_for_none(numbers)
        return found

    async def _vouch_for_none(self, numbers: Sequence[int]) -> None:
        """Raise `InconsistentChain` when a block has logs of ours after all."""
        for start in range(0, len(numbers), HEADERS_AT_ONCE):
            for header in await self.headers(numbers[start : start + HEADERS_AT_ONCE]):
                if header is not None:
                    await self.vouch(header, [])

    async def _in_halves(self, first: int, last: int, *, second: bool) -> LogRange:
        middle = (first + last) // 2
        lower = await self.logs_between(first, middle, second=second)
        upper = await self.logs_between(middle + 1, last, second=second)
        return LogRange(first, last, lower.logs + upper.logs, upper.end)

    async def last_until(self, number: int) -> Header:
        """Return the last block at or below a height, which itself may be a null round."""
        while number >= 0:
            header = await self.header_at(number)
            if header is not None:
                return header
            number -= 1
        raise InconsistentChain("the chain has no block 0", hint="Check FILECOIN_RPC.")

    async def logs_of(self, header: Header) -> list[Log]:
        """Return the logs of one block, by its hash: a node that does not know it says so instead of answering `[]`."""
        query = {"blockHash": hexed(header.hash), "address": self._addresses}

        def read(replies: Sequence[Reply]) -> tuple[list[WireLog], Header | None]:
            logs_reply, header_reply = replies
            return _result(logs_reply, list[WireLog], method="eth_getLogs"), _with_hash(
                header.hash, header_reply
            )

        wire, known = await self.pool.ask([Call("eth_getLogs", [query]), _by_hash(header.hash)], read)
        if known is None:
            raise InconsistentChain(f"the node does not know block 0x{header.hash.hex()} any more")
        logs = await self._checked(
            [log for log in wire if not log.removed],
            first=header.number,
            last=header.number,
            timestamp=header.timestamp,
        )
        if any(log.block_hash != header.hash for log in logs):
            raise InconsistentChain(f"logs of block {header.number} came from another block")
        await self.vouch(known, logs)
        return logs

    async def vouch(self, header: Header, logs: Sequence[Log]) -> None:
        """Hold the header's filter against what the node gave as all our logs of the block.

        A filter names a contract that was silent now and then, by chance. So all logs of the block are read then, of all
        contracts: an endpoint whose logs do not make up the header's filter has failed, and the next one is asked. Raises
        `InconsistentChain` when the logs given were not all of ours.
        """
        if not self.blooms or not header.bloom:
            return
        heard = {log.address for log in logs}
        if not any(
            may_name(header.bloom, address) for address in self._by_text.values() if address not in heard
        ):
            return

        def read(replies: Sequence[Reply]) -> list[WireLog]:
            wire: list[WireLog] = _result(replies[0], list[WireLog], method="eth_getLogs")
            named = (word for log in wire for word in (log.address, *log.topics))
            if bloom_of(map(data, named)) != header.bloom:
                raise ValueError(f"logs of block {header.number} that are not those its header names")
            return wire

        whole = await self.pool.ask([Call("eth_getLogs", [{"blockHash": hexed(header.hash)}])], read)
        ours = sum(1 for log in whole if log.address.lower() in self._by_text)
        if ours != len(logs):
            self.pool.doubt_first()
            raise InconsistentChain(
                f"block {header.number} has {ours} logs of ours, the node gave {len(logs)}"
            )

    async def _checked(
        self, wire: Sequence[WireLog], *, first: int, last: int, timestamp: datetime | None = None
    ) -> list[Log]:
        if timestamp is not None:
            times = {log.block_number: timestamp for log in wire}
        else:
            times = await self._missing_times(wire, first=first, last=last)
        try:
            return read_logs(wire, first=first, last=last, addresses=self._by_text, times=times)
        except (ValueError, OverflowError) as error:
            raise InconsistentChain(
                f"the node's logs of blocks {first} to {last} are no logs ({error})"
            ) from error

    async def _missing_times(self, wire: Sequence[WireLog], *, first: int, last: int) -> dict[str, datetime]:
        """Look up times of blocks whose logs do not carry them."""
        missing = {log.block_number for log in wire if log.block_timestamp is None}
        if not missing:
            return {}
        numbers = {hex(number): number for number in range(first, last + 1)}
        asked = [text for text in numbers if text in missing]
        headers = await self.headers([numbers[text] for text in asked])
        return {text: header.timestamp for text, header in zip(asked, headers, strict=True) if header}

    async def call(self, to: bytes, payload: bytes, *, block: int) -> bytes:
        """Read a contract (`eth_call`) as of a block."""
        request = {"to": hexed(to), "data": hexed(payload)}
        call = Call("eth_call", [request, hex(block)])
        return await self.pool.ask(
            [call], lambda replies: data(_result(replies[0], Data, method=call.method))
        )


def _by_number(tag: str) -> Call:
    return Call("eth_getBlockByNumber", [tag, False])


def _by_hash(block_hash: bytes) -> Call:
    return Call("eth_getBlockByHash", [hexed(block_hash), False])


def _result(reply: Reply, kind: Any, *, method: str) -> Any:
    if reply.error is not None:
        raise RpcError(reply.error.code, reply.error.message, method=method)
    return msgspec.json.decode(reply.result, type=kind)


def _height(reply: Reply, *, method: str) -> int:
    return quantity(_result(reply, Quantity, method=method))


def _header(wire: WireHeader) -> Header:
    bloom = data(wire.logs_bloom)
    return Header(
        quantity(wire.number),
        data(wire.hash),
        data(wire.parent_hash),
        block_time(quantity(wire.timestamp)),
        bloom if len(bloom) == BLOOM_BYTES else b"",
    )


def _optional_header(reply: Reply) -> Header | None:
    wire = _result(reply, WireHeader | None, method="eth_getBlockByHash")
    return _header(wire) if wire is not None else None


def _with_hash(block_hash: bytes, reply: Reply) -> Header | None:
    header = _optional_header(reply)
    if header is not None and header.hash != block_hash:
        raise ValueError(f"block 0x{header.hash.hex()} instead of 0x{block_hash.hex()}")
    return header


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
