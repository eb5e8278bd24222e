"""Cables between processes: they pass everything on, break when cut, hold back when silent, and can be mended."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from devnet.faults.cable import Cable, Cut
from devnet.ports import LOOPBACK, free_port

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(1_000):
        writer.write(data)
        await writer.drain()
    writer.close()


@pytest.fixture
async def laid() -> AsyncIterator[tuple[Cable, int]]:
    far = free_port()
    async with await asyncio.start_server(echo, LOOPBACK, far), Cable.tcp(far) as made:
        yield made


async def said(ends: Ends, words: bytes) -> bytes:
    reader, writer = ends
    writer.write(words)
    return await asyncio.wait_for(reader.read(1_000), 5)


async def said_by_nobody(port: int) -> None:
    fresh, _ = await asyncio.open_connection(LOOPBACK, port)
    await asyncio.wait_for(fresh.readexactly(1), 5)


async def test_a_cable_passes_both_ways(laid: tuple[Cable, int]) -> None:
    assert await said(await asyncio.open_connection(LOOPBACK, laid[1]), b"hello") == b"hello"


async def test_what_is_cut_breaks_and_what_comes_new_is_refused(laid: tuple[Cable, int]) -> None:
    cable, port = laid
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    await said((reader, writer), b"hello")
    cable.cut(Cut.REFUSED)
    with pytest.raises(ConnectionError):
        await asyncio.wait_for(reader.readexactly(1), 5)
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await said_by_nobody(port)
    cable.mend()
    assert await said(await asyncio.open_connection(LOOPBACK, port), b"again") == b"again"


async def test_what_is_silent_arrives_when_it_is_mended(laid: tuple[Cable, int]) -> None:
    cable, port = laid
    old = await asyncio.open_connection(LOOPBACK, port)
    await said(old, b"hello")
    cable.cut(Cut.SILENT)
    new = await asyncio.open_connection(LOOPBACK, port)
    for ends in (old, new):
        ends[1].write(b"held")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(ends[0].readexactly(1), 0.2)
    cable.mend()
    for ends in (old, new):
        assert await asyncio.wait_for(ends[0].readexactly(4), 5) == b"held"


async def test_a_far_end_that_is_gone_is_seen_at_the_near_one() -> None:
    async with Cable.tcp(free_port()) as (_, port):
        reader, _ = await asyncio.open_connection(LOOPBACK, port)
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await asyncio.wait_for(reader.readexactly(1), 5)


async def test_a_cable_leads_to_a_socket_too(tmp_path: Path) -> None:
    far, near = tmp_path / "far", tmp_path / "near" / "socket"
    async with await asyncio.start_unix_server(echo, far), Cable.unix(far, near):
        assert await said(await asyncio.open_unix_connection(near), b"hello") == b"hello"
