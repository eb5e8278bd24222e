"""Measure, on a local chain, what docs/reference/gas.md does not have: a monitoring epoch, events and rows of a task.

`python -m benchmarks.scaling --measure` writes measured.json; everything else reads it.
"""

import asyncio
import json
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import aiohttp
import asyncpg

from benchmarks.load.__main__ import Stand, stand
from benchmarks.load.crowd import Crowd
from benchmarks.load.pool import Pool
from devnet.accounts import LOCAL
from protocol import lottery, monitoring
from protocol.chain import Chain
from protocol.commitment import new_salt
from protocol.documents import LlmResult, LlmSpec, canonical
from protocol.enums import ReportKind
from protocol.fingerprint import TOP, Alternative, Fingerprint, TokenMark
from protocol.monitoring import Report

FILE: Final = Path(__file__).with_name("measured.json")
_MONITORS: Final = 12
_TARGETS: Final = 5
_TASKS: Final = 100
_TICKETS: Final = 20_000
_MODEL: Final = "llama3.2:3b@sha256:" + "0" * 64
_PROMPT_BYTES, _ANSWER_TOKENS = 800, 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a task and a monitoring epoch come to.

    Gas is the local chain's. Bytes of Postgres count indexes and raw logs in; those of IPFS are of a prompt of 800
    letters and an answer of 300 tokens, whose fingerprint only an audited answer has. `ticket_us`: processor time.
    """

    monitor_commit: int
    monitor_reveal: int
    monitor_conclude: int
    events_a_task: float
    events_a_report: float
    postgres_bytes_a_task: float
    spec_bytes: int
    result_bytes: int
    fingerprint_bytes: int
    ticket_us: float

    @classmethod
    def read(cls) -> "Measured":
        """Read what was measured last."""
        return cls(**json.loads(FILE.read_text(encoding="utf-8")))

    def write(self) -> None:
        """Keep it."""
        FILE.write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")


async def measure() -> Measured:
    """Have a few runners work and watch each other, with an indexer behind them."""
    with tempfile.TemporaryDirectory(prefix="parity-scaling-") as scratch:
        async with (
            stand(Path(scratch)) as place,
            aiohttp.ClientSession() as session,
            Chain.connect(place.anvil.url, place.deployment) as chain,
        ):
            pool = Pool(place.anvil, session)
            crowd = Crowd(chain, pool, _MONITORS, nodes_per_owner=1)
            await crowd.enlist()
            tasks = await _tasks(place, chain, crowd)
            epoch = await _epoch(chain, pool, crowd)
    documents = _documents()
    return Measured(**tasks, **epoch, **documents, ticket_us=_ticket_us())


async def _tasks(place: Stand, chain: Chain, crowd: Crowd) -> dict[str, Any]:
    """Return events and Postgres bytes of a task, each the difference that some hundred of them make."""
    before, first = await _size(place), await chain.block_number()
    await crowd.work(_TASKS, a_block=4)
    while await place.settled() < _TASKS:  # noqa: ASYNC110 (it happens in the indexer)
        await asyncio.sleep(0.05)
    logs = await chain.w3.eth.get_logs({"fromBlock": first + 1, "toBlock": "latest"})
    bytes_ = (await _size(place) - before) / _TASKS
    return {"events_a_task": round(len(logs) / _TASKS, 2), "postgres_bytes_a_task": round(bytes_)}


async def _size(place: Stand) -> int:
    connection = await asyncpg.connect(place.ends.database)
    try:
        return int(await connection.fetchval("SELECT pg_database_size(current_database())"))
    finally:
        await connection.close()


async def _epoch(chain: Chain, pool: Pool, crowd: Crowd) -> dict[str, Any]:
    """Return the gas of one monitor's commitment and of its opening, and of a conclusion; each of the usual number of targets."""
    functions, nodes = chain.monitoring.functions, list(crowd.nodes.values())
    length = (await chain.call(functions.settings()))[0]
    epoch = await chain.block_number() // length + 1
    await pool.mine(epoch * length + 1 - await chain.block_number())
    await _spent(pool, [(LOCAL.relayer, functions.openRound(epoch))])
    draw = await chain.call(functions.drawOf(epoch))
    opened = {}
    for node in nodes:
        watched = monitoring.targets_of(
            node.address, crowd.nodes, seed=int(draw[0]), active=int(draw[1]), size=_TARGETS
        )
        reports = [Report(target=target, kind=ReportKind.GOOD_BEHAVIOR) for target in watched[:_TARGETS]]
        opened[node.address] = monitoring.opening(reports, new_salt())
    sealed = [
        (
            node,
            functions.commitReports(epoch, monitoring.commitment(epoch, node.address, opened[node.address])),
        )
        for node in nodes
    ]
    commits = await _spent(pool, sealed)
    windows = await chain.call(functions.windowsOf(epoch))
    await pool.mine(windows[2] + 1 - await chain.block_number())
    first = await chain.block_number()
    reveals = await _spent(
        pool, [(node, functions.revealReports(epoch, *opened[node.address].as_arguments())) for node in nodes]
    )
    count = sum(len(one.reports) for one in opened.values())
    logs = await chain.w3.eth.get_logs({"fromBlock": first + 1, "toBlock": "latest"})
    await pool.mine(windows[3] + 1 - await chain.block_number())
    named = [node.address for node in nodes[:_TARGETS]]
    conclusion = await _spent(pool, [(LOCAL.relayer, functions.conclude(epoch, named))])
    a_report = (reveals - 21_000 * len(nodes)) / count
    return {
        "monitor_commit": round(commits / len(nodes)),
        "monitor_reveal": round(21_000 + a_report * _TARGETS),
        "monitor_conclude": round(conclusion / len(named)),
        "events_a_report": round(len(logs) / count, 2),
    }


async def _spent(pool: Pool, calls: list[tuple[Any, Any]]) -> int:
    """Send calls, mine them, and give the gas of all; none may fail."""
    before, failed = pool.gas, pool.failed
    for account, call in calls:
        pool.add(account, call)
    await pool.mine()
    if pool.failed != failed:
        raise RuntimeError("a monitor's transaction was refused")
    return pool.gas - before


def _documents() -> dict[str, int]:
    prompt = "a" * _PROMPT_BYTES
    spec = canonical(LlmSpec(model=_MODEL, prompt=prompt))
    task = "0x" + "00" * 32
    answer = "word " * _ANSWER_TOKENS
    result = LlmResult(
        task=task, model=_MODEL, output=answer, done_reason="stop", input_tokens=200, output_tokens=_ANSWER_TOKENS
    )  # fmt: skip
    tops = tuple(Alternative(token=f"{number:010x}", logprob=-1_000 - number) for number in range(TOP))
    mark = TokenMark(token=f"{0:010x}", logprob=-1_000, top=tops)
    fingerprint = Fingerprint(task=task, model=_MODEL, input_tokens=200, tokens=(mark,) * _ANSWER_TOKENS)
    return {
        "spec_bytes": len(spec),
        "result_bytes": len(canonical(result)),
        "fingerprint_bytes": len(canonical(fingerprint)),
    }


def _ticket_us() -> float:
    began = time.process_time()
    for number in range(_TICKETS):
        lottery.ticket(number, bytes(32), "0x" + "11" * 20)
    return round(1e6 * (time.process_time() - began) / _TICKETS, 1)
