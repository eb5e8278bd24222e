"""Time to the first token and tokens a second: through gateway and runner, beside the engine asked directly.

Both are asked the same greedy prompt in turn, over a whole local network of real processes, every token of the one paid by
vouchers. Medians.

Usage: python -m benchmarks.streaming [--rounds N]      JSON=1 prints one document a line
"""

import argparse
import asyncio
import json
import os
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import StringIO
from pathlib import Path

import httpx
import openai
from rich.console import Console

from devnet.accounts import LOCAL
from devnet.network import Network
from devnet.plan import Plan, Ports
from devnet.ports import free_port
from devnet.process import Launch, Process
from devnet.progress import Progress
from devnet.services import base_environment
from protocol.keystore import create_keystore
from protocol.log import configure_logging

MODEL = "smollm2:135m"
PROMPT = [{"role": "user", "content": "Explain how a tide works, at length."}]
TOKENS = 160


async def ask(client: openai.AsyncOpenAI) -> tuple[float, float]:
    """Time one answer through an OpenAI endpoint: seconds to its first token, and tokens a second after it."""
    began = time.perf_counter()
    first, count = 0.0, 0
    stream = await client.chat.completions.create(
        model=MODEL, messages=PROMPT, stream=True, temperature=0, max_tokens=TOKENS
    )
    async for event in stream:
        if event.choices and event.choices[0].delta.content:
            first = first or time.perf_counter()
            count += 1
    return first - began, (count - 1) / (time.perf_counter() - first)


async def ask_engine(http: httpx.AsyncClient, url: str) -> tuple[float, float]:
    """Time one answer from the engine itself, as its own client asks it."""
    began = time.perf_counter()
    first, count = 0.0, 0
    body = {
        "model": MODEL,
        "messages": PROMPT,
        "stream": True,
        "options": {"temperature": 0, "num_predict": TOKENS, "num_ctx": 8192},
    }
    async with http.stream("POST", f"{url}/api/chat", json=body) as answer:
        async for line in answer.aiter_lines():
            if json.loads(line)["message"]["content"]:
                first = first or time.perf_counter()
                count += 1
    return first - began, (count - 1) / (time.perf_counter() - first)


@asynccontextmanager
async def gateway(network: Network, folder: Path) -> AsyncIterator[openai.AsyncOpenAI]:
    """Run `parity-client gateway` for the local payer, and give a client of it."""
    keystore, password, token, port = (
        folder / "key.json",
        folder / "password",
        secrets.token_hex(8),
        free_port(),
    )
    password.write_text(secrets.token_hex(8), encoding="utf-8")
    create_keystore(keystore, bytes(LOCAL.payer.key), password.read_text(encoding="utf-8"))
    env = {
        **base_environment(),
        **network.environment,
        "PARITY_KEYSTORE": str(keystore),
        "PARITY_PASSWORD_FILE": str(password),
        "PARITY_GATEWAY_TOKEN": token,
    }
    argv = [sys.executable, "-m", "client", "gateway", "--port", str(port), "--yes"]
    process = await Process.start(
        Launch(name="gateway", argv=argv, log=folder / "gateway.log", env=env, cwd=folder)
    )
    url = f"http://127.0.0.1:{port}"
    try:
        await process.ready(lambda: _answers(f"{url}/health"), timeout_s=30)
        yield openai.AsyncOpenAI(base_url=f"{url}/v1", api_key=token, max_retries=0, timeout=120)
    finally:
        await process.stop(grace_s=5)


async def _answers(url: str) -> bool:
    try:
        async with httpx.AsyncClient() as http:
            return (await http.get(url, timeout=2)).is_success
    except httpx.TransportError:
        return False


async def measure(rounds: int) -> list[dict[str, object]]:
    """Ask both in turn, after one answer of each that is not counted."""
    ours: list[tuple[float, float]] = []
    peer: list[tuple[float, float]] = []
    with tempfile.TemporaryDirectory(prefix="parity-streaming-") as scratch:
        folder = Path(scratch)
        plan = Plan(state=folder / "network", ports=Ports.free(), runners=1)
        async with (
            Network.up(plan, Progress(Console(file=StringIO()))) as network,
            gateway(network, folder) as client,
            httpx.AsyncClient(timeout=120) as http,
        ):
            await ask(client)
            await ask_engine(http, network.endpoints.engine)
            for _ in range(rounds):
                ours.append(await ask(client))
                peer.append(await ask_engine(http, network.endpoints.engine))
    first = [statistics.median(side[0] for side in sides) for sides in (ours, peer)]
    speed = [statistics.median(side[1] for side in sides) for sides in (ours, peer)]
    return [
        _row("streaming: time to first token", first[0], first[1], "s"),
        _row("streaming: tokens a second", speed[0], speed[1], "1/s"),
    ]


def _row(name: str, ours: float, peer: float, unit: str) -> dict[str, object]:
    return {
        "name": name,
        "ours": round(ours, 4),
        "peer": round(peer, 4),
        "ratio": round(ours / peer, 3),
        "unit": unit,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=9, help="answers from each (default 9)")
    configure_logging("benchmark", level="error")
    rows = asyncio.run(measure(parser.parse_args().rounds))
    if os.environ.get("JSON"):
        for row in rows:
            print(json.dumps(row))
        return
    print(f"{'':<36}{'gateway':>12}{'engine':>12}{'ratio':>9}")
    for row in rows:
        print(f"{row['name']!s:<36}{row['ours']:>12}{row['peer']:>12}{row['ratio']:>9}  {row['unit']}")


if __name__ == "__main__":
    main()
