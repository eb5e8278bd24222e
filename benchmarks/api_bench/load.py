"""Load: so many clients on kept connections, each asking again as soon as it is answered; latencies and rates of it."""

import asyncio
import itertools
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

_ONCE = -1.0
"""End of a span that is one request long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a time under load came to. Latencies in milliseconds; `rate` is answers a second."""

    clients: int
    answers: int
    rate: float
    p50_ms: float
    p99_ms: float


async def measure(url: str, bodies: list[bytes], *, clients: int, seconds: float) -> Measured:
    """Ask for `seconds`, after one request and a tenth of the time as warm-up; every answer must be 200 without errors."""
    place = urlsplit(url)
    assert place.hostname is not None
    assert place.port is not None
    await _client((place.hostname, place.port), place.path, bodies, (0.0, _ONCE), [])
    started = time.perf_counter() + seconds / 10
    span = (started, started + seconds)
    latencies: list[float] = []
    async with asyncio.TaskGroup() as group:
        for number in range(clients):
            group.create_task(
                _client(
                    (place.hostname, place.port),
                    place.path,
                    bodies[number:] + bodies[:number],
                    span,
                    latencies,
                )
            )
    took_s = time.perf_counter() - started
    latencies.sort()
    if not latencies:
        raise RuntimeError(f"{url}: nothing was answered within {seconds} s")
    return Measured(
        clients=clients,
        answers=len(latencies),
        rate=len(latencies) / took_s,
        p50_ms=1000 * latencies[len(latencies) // 2],
        p99_ms=1000 * latencies[min(int(len(latencies) * 0.99), len(latencies) - 1)],
    )


async def _client(
    place: tuple[str, int],
    path: str,
    bodies: list[bytes],
    span: tuple[float, float],
    latencies: list[float],
) -> None:
    host, port = place
    reader, writer = await asyncio.open_connection(host, port)
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: application/json\r\n"
        "Accept: application/json\r\nContent-Length: "
    ).encode()
    started, ends = span
    asked_for = itertools.cycle(bodies)
    try:
        while (asked := time.perf_counter()) < ends or ends == _ONCE:
            body = next(asked_for)
            writer.write(head + str(len(body)).encode() + b"\r\n\r\n" + body)
            answer = await _answer(reader)
            answered = time.perf_counter()
            if b'"errors"' in answer:
                raise RuntimeError(f"{host}:{port}{path}: {answer[:500]!r}")
            if ends == _ONCE:
                return
            if started <= asked:
                latencies.append(answered - asked)
    finally:
        writer.close()


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
