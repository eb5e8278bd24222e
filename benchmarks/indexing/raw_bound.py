"""The bound: fetch every log, decode it, COPY it into one table. No checks, no fold, no retries; a process of its own.

Called as `raw_bound.py RPC_URL DATABASE_URL DEPLOYMENT_FOLDER LAST_BLOCK BLOCKS_A_QUERY`.
"""

import asyncio
import gc
import sys
from collections import deque
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import msgspec
import uvloop

from indexer.events import EventBook, Log, block_time
from indexer.rpc.wire import WireLog, hexed
from protocol.deployment import load_deployment

FETCHES_AT_ONCE = 3
ROWS_AT_ONCE = 20_000
TABLE = """
    CREATE TABLE raw_logs (block_number int8, tx_index int4, log_index int4, block_hash bytea, block_time timestamptz,
    tx_hash bytea, address bytea, topics bytea, data bytea, PRIMARY KEY (block_number, tx_index, log_index))
"""


class Answer(msgspec.Struct, gc=False):
    """The reply to a log query, read in one pass."""

    result: list[WireLog]


_decoder = msgspec.json.Decoder(Answer)


async def fetch(
    session: aiohttp.ClientSession, url: str, addresses: list[str], first: int, last: int
) -> list[WireLog]:
    """Ask for a range."""
    query = {"fromBlock": hex(first), "toBlock": hex(last), "address": addresses}
    call = {"jsonrpc": "2.0", "id": 1, "method": "eth_getLogs", "params": [query]}
    async with session.post(url, json=call) as response:
        return _decoder.decode(await response.read()).result


def log_of(wire: WireLog) -> Log:
    """Turn hex into bytes and numbers."""
    return Log(
        int(wire.block_number, 16),
        int(wire.transaction_index, 16),
        int(wire.log_index, 16),
        bytes.fromhex(wire.block_hash[2:]),
        block_time(int(wire.block_timestamp or "0x0", 16)),
        bytes.fromhex(wire.transaction_hash[2:]),
        bytes.fromhex(wire.address[2:]),
        bytes.fromhex("".join(wire.topics).replace("0x", "")),
        bytes.fromhex(wire.data[2:]),
    )


async def main(url: str, database_url: str, folder: Path, last: int, width: int) -> None:
    """Run to the end."""
    book = EventBook.of(load_deployment(31337, folder=folder))
    addresses = [hexed(address) for address in book.addresses]
    connection = await asyncpg.connect(database_url, server_settings={"synchronous_commit": "off"})
    await connection.execute(TABLE)
    gc.disable()
    under_way: deque[asyncio.Task[list[WireLog]]] = deque()
    starts = deque(range(1, last + 1, width))
    rows: list[tuple[Any, ...]] = []
    copying: asyncio.Task[Any] | None = None
    async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as group:
        while under_way or starts:
            while starts and len(under_way) < FETCHES_AT_ONCE:
                first = starts.popleft()
                end = min(last, first + width - 1)
                under_way.append(group.create_task(fetch(session, url, addresses, first, end)))
            logs = [log_of(wire) for wire in await under_way.popleft()]
            book.decode_all(logs)
            rows += [msgspec.structs.astuple(log) for log in logs]
            if len(rows) >= ROWS_AT_ONCE or not (under_way or starts):
                if copying is not None:
                    await copying
                copying = group.create_task(connection.copy_records_to_table("raw_logs", records=rows))
                rows = []
    await connection.close()


if __name__ == "__main__":
    rpc, database, deployments, last_block, blocks = sys.argv[1:]
    uvloop.run(main(rpc, database, Path(deployments), int(last_block), int(blocks)))
