"""Load: so many clients on kept connections, each asking again as soon as it is answered; latencies and rates of it."""

import asyncio
import itertools
import time
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a time under load came to. Latencies in milliseconds; `rate` is answers a second."""

    clients: int
    answers: int
    rate: float
    p50_ms: float
    p99_ms: float


async def measure(url: str, bodies: list[bytes], *, clients: int, seconds: float) -> Measured:
    """Ask for `seconds` once every client has been answered a first time; every answer must be 200 without errors."""
    place = urlsplit(url)
    assert place.hostname is not None
    assert place.port is not None
    address, ready = (place.hostname, place.port), asyncio.Barrier(clients)
    async with asyncio.TaskGroup() as group:
        asking = [
            group.create_task(
                _client(address, place.path, bodies[n:] + bodies[:n], ready=ready, seconds=seconds)
            )
            for n in range(clients)
        ]
    latencies = sorted(latency for task in asking for latency in task.result()[0])
    took_s = max(task.result()[1] for task in asking)
    return Measured(
        clients=clients,
        answers=len(latencies),
        rate=len(latencies) / took_s,
        p50_ms=1000 * latencies[len(latencies) // 2],
        p99_ms=1000 * latencies[min(int(len(latencies) * 0.99), len(latencies) - 1)],
    )


async def warm(url: str, bodies: list[bytes], *, clients: int = 16) -> None:
    """Ask each of these once, so that what a contestant or its database does only the first time is not measured."""
    place = urlsplit(url)
    assert place.hostname is not None
    assert place.port is not None
    address = (place.hostname, place.port)

    async def ask(share: list[bytes]) -> None:
        for body in share:
            await _first(address, place.path, body)

    async with asyncio.TaskGroup() as group:
        for n in range(clients):
            group.create_task(ask(bodies[n::clients]))


async def _client(
    address: tuple[str, int], path: str, bodies: list[bytes], *, ready: asyncio.Barrier, seconds: float
) -> tuple[list[float], float]:
    """Ask again and again; gives the latencies, and how long it took until the last answer."""
    host, port = address
    await _first(address, path, bodies[-1])
    await ready.wait()
    # Anew: a server may have closed a connection that waited for the slowest client.
    reader, writer = await asyncio.open_connection(host, port)

    async def ask(body: bytes) -> float:
        asked = time.perf_counter()
        writer.write(_request(address, path, body))
        answer = await _answer(reader)
        if b'"errors"' in answer:
            raise RuntimeError(f"{host}:{port}{path}: {answer[:500]!r}")
        return time.perf_counter() - asked

    try:
        started, latencies = time.perf_counter(), []
        for body in itertools.cycle(bodies):
            latencies.append(await ask(body))
            if time.perf_counter() - started >= seconds:
                break
        return latencies, time.perf_counter() - started
    finally:
        writer.close()


async def _first(address: tuple[str, int], path: str, body: bytes) -> None:
    """Ask once, on a connection of its own."""
    reader, writer = await asyncio.open_connection(*address)
    try:
        writer.write(_request(address, path, body))
        await _answer(reader)
    finally:
        writer.close()


def _request(address: tuple[str, int], path: str, body: bytes) -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {address[0]}:{address[1]}\r\nContent-Type: application/json\r\n"
        f"Accept: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def _answer(reader: asyncio.StreamReader) -> bytes:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    status = head.split(b" ", 2)[1]
    if b"transfer-encoding: chunked" in head:
        parts = []
        while size := int((await reader.readline()).strip(), 16):
            parts.append((await reader.readexactly(size + 2))[:-2])
        await reader.readline()
        body = b"".join(parts)
    else:
        body = await reader.readexactly(int(head.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0]))
    if status != b"200":
        raise RuntimeError(f"status {status.decode()}: {body[:500]!r}")
    return body
