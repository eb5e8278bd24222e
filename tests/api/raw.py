"""Clients that do what no library lets them: half requests, unread answers, frames without end."""

import asyncio
import base64
import os
import struct
from dataclasses import dataclass
from pathlib import Path

import httpx


@dataclass
class Raw:
    """One connection, byte by byte."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    async def open(cls, client: httpx.AsyncClient) -> "Raw":
        reader, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
        return cls(reader, writer)

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def rest(self) -> bytes:
        """Read until the server closes; what it sent before it cut the connection, if it did."""
        received = b""
        async with asyncio.timeout(20):
            while True:
                try:
                    data = await self.reader.read(65536)
                except ConnectionError:
                    return received
                if not data:
                    return received
                received += data

    async def cut_off(self, data: bytes, *, most: int) -> bool:
        """Send the same again and again, reading nothing; True once the server cuts the connection."""
        try:
            async with asyncio.timeout(20):
                for _ in range(most):
                    await self.send(data)
                while True:  # Who does not read learns of it by writing.
                    await asyncio.sleep(0.05)
                    await self.send(data[:1])
        except ConnectionError:
            return True
        except TimeoutError:
            return False

    async def open_websocket(self) -> None:
        """Shake hands for graphql-transport-ws."""
        key = base64.b64encode(os.urandom(16)).decode()
        await self.send(
            f"GET /graphql HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n".encode()
        )
        assert b" 101 " in await self.reader.readuntil(b"\r\n\r\n")

    async def close_code(self) -> int:
        """Read up to the websocket's closing frame and give its code."""
        received = b""
        async with asyncio.timeout(20):
            while len(received.partition(b"\x88")[2]) < 3:
                data = await self.reader.read(65536)
                assert data, "cut off without a closing frame"
                received += data
        return int.from_bytes(received.partition(b"\x88")[2][1:3], "big")

    def close(self) -> None:
        self.writer.transport.abort()


def frame(opcode: int, content: bytes) -> bytes:
    """Write a client's frame, masked with noughts."""
    size = len(content)
    head = bytes([0x80 | opcode])
    if size < 126:
        head += bytes([0x80 | size])
    elif size < 65536:
        head += bytes([0x80 | 126]) + struct.pack("!H", size)
    else:
        head += bytes([0x80 | 127]) + struct.pack("!Q", size)
    return head + bytes(4) + content


def resident_mib(pid: int) -> float:
    """Give a process's memory in MiB."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    kib = next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))
    return int(kib) / 1024
