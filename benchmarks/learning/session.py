"""What a round costs on a whole local network, beside a real deployment of Flower's with the same session.

Flower's SuperLink is one server that everybody trusts, and its SuperNodes do what it says. Ours are ten daemons that know of each other by
a chain alone: they fetch the model by IPFS, commit, reveal, store updates and checkpoints, and an aggregation is a task among them that is
claimed, repeated by a quorum, revealed and settled. Both are daemons on this machine, and train the same shares from the same first weights with
the same batches, one system after the other.
"""

import asyncio
import csv
import io
import json
import os
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from statistics import median

from rich.console import Console
from sklearn.datasets import load_digits

from benchmarks.learning import beside_flower, task
from benchmarks.learning.beside_flower import Asked
from benchmarks.learning.report import Row
from benchmarks.learning.spent import cpu_s
from client import Parity
from client.federated.ordering import SessionPlan
from client.federated.preparing import Prepared
from client.federated.wishes import Data, Split, Terms, Wishes
from client.money import deposit, faucet
from devnet.accounts import LOCAL
from devnet.demo import client_settings
from devnet.deploy import begin_deployed
from devnet.network import Network
from devnet.plan import Plan, Ports
from devnet.progress import Progress
from learning import networks, tensors
from learning.assignment import read_list
from learning.datasets import Dataset, load_dataset
from learning.evaluate import evaluate
from learning.updates import Vector
from protocol.enums import SessionPhase
from protocol.log import configure_logging
from protocol.money import USDFC
from protocol.sender import Sender

_MODEL_FILE = json.dumps(
    {
        "hidden_size": [128],
        "architecture": {"input_dim": 64, "output_dim": 10},
        "optimizer": {"momentum": "0.9"},
    }
)
_PATIENCE_S = 1_800.0
_RUNS = 3


@dataclass(frozen=True, slots=True)
class Held:
    """A session of ours: seconds of each round, processor seconds of a round after the first, and what it was about."""

    rounds_s: list[float]
    cpu_s: float
    weights: Vector
    session: str
    shares: list[Dataset]
    held_out: Dataset


@dataclass(frozen=True, slots=True)
class _Figure:
    """One figure of one run: ours and Flower's."""

    case: str
    unit: str
    sides: tuple[float, float]


def bench(*, tiny: bool = False) -> Iterator[Row]:
    """Run both, and both again: medians of the runs. A session's first round, in which processes load their libraries, is given apart."""
    configure_logging("bench", level="error")
    runs, rounds, participants = (1, 2, 3) if tiny else (_RUNS, 3, task.PARTICIPANTS)
    found = [_run(rounds, participants) for _ in range(runs)]
    for figures in zip(*found, strict=True):
        ours, theirs = (median(side) for side in zip(*(one.sides for one in figures), strict=True))
        case = f"{participants} daemons: {figures[0].case}"
        yield Row("session", case, ours, figures[0].unit, "Flower deployed", theirs, runs)


def _run(rounds: int, participants: int) -> list[_Figure]:
    with tempfile.TemporaryDirectory(prefix="parity-session-") as scratch:
        ours = asyncio.run(_held(Path(scratch) / "devnet", rounds, participants))
        asked = Asked("session", ours.session, ours.shares, seed=1, rounds=rounds)
        flower = beside_flower.deployed(Path(scratch) / "flower", asked)
    first, *later = zip(ours.rounds_s, flower.rounds_s, strict=True)
    right, theirs = (_accuracy(one.weights, ours.held_out) for one in (ours, flower))
    return [
        _Figure("first round", "s", first),
        _Figure("a later round", "s", (median(a for a, _ in later), median(b for _, b in later))),
        _Figure("a later round, all processes", "s (cpu)", (ours.cpu_s, flower.cpu_s)),
        _Figure(f"accuracy after {rounds} rounds", "accuracy", (right, theirs)),
    ]


async def _held(state: Path, rounds: int, participants: int) -> Held:
    dataset = _digits()
    wishes = Wishes(
        name="Beside Flower", model_file=_MODEL_FILE, rounds=rounds, learning_rate="0.1", local_epochs=2, seed=1,
        min_participants=participants, terms=Terms(join_s=600, train_s=600), data=Data(divide_by=16),
        split=Split(strategy="non_iid", alpha="0.5", min_samples=10),
    )  # fmt: skip
    async with _network(state, participants) as parity:
        cid = await parity.files.upload(io.BytesIO(dataset), name="digits.csv")
        wishes = replace(wishes, data=replace(wishes.data, cid=cid))
        prepared = await parity.federated.prepare(wishes, dataset=dataset)
        plan = await parity.federated.plan(prepared, wishes.terms)
        await parity.federated.create(plan)
        rounds_s, spent_s = await _followed(parity, plan)
        file = state / "model.safetensors"
        await parity.federated.get_model(plan.session_id, file)
    layout = networks.layout(task.MLP)
    weights = tensors.flatten(tensors.from_safetensors(file.read_bytes(), layout), layout)
    *shares, held_out = _parts(prepared, dataset)
    return Held(rounds_s, spent_s, weights, "0x" + plan.session_id.hex(), shares, held_out)


def _digits() -> bytes:
    """Write all images of digits, as CSV: the figure, and 64 grey values from 0 to 16."""
    whole, text = load_digits(), io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["label", *(f"pixel{number}" for number in range(64))])
    writer.writerows(
        [int(label), *map(int, row)] for label, row in zip(whole.target, whole.data, strict=True)
    )
    return text.getvalue().encode()


@asynccontextmanager
async def _network(state: Path, participants: int) -> AsyncIterator[Parity]:
    plan = Plan(ports=Ports.free(), runners=participants, state=state)
    await begin_deployed(plan)
    async with (
        Network.up(plan, Progress(Console(file=io.StringIO()))) as network,
        Parity.connect(client_settings(network), LOCAL.client) as parity,
    ):
        sender = Sender(parity.chain, LOCAL.client)
        await faucet(parity.chain, amount=1_000 * USDFC, sender=sender)
        await deposit(parity.chain, 500 * USDFC, account=LOCAL.client, sender=sender)
        yield parity


async def _followed(parity: Parity, plan: SessionPlan) -> tuple[list[float], float]:
    """Return each round's seconds, from the end of the one before (or of joining), and a later round's of processor time."""
    ended: list[float] = []
    spent: list[float] = []
    phase, settled = SessionPhase.JOINING, -1
    async for record in parity.federated.follow(plan.session_id, timeout_s=_PATIENCE_S):
        phase = record.phase
        begun = 0 if phase is not SessionPhase.JOINING else -1
        done = max(begun, sum(one.model is not None for one in record.round_list))
        if done > settled:
            ended.append(time.monotonic())
            spent.append(cpu_s(os.getpid()))
            settled = done
    if phase is not SessionPhase.FINISHED:
        raise RuntimeError(f"the session ended as {phase.name.lower()}")
    return [b - a for a, b in pairwise(ended)], (spent[-1] - spent[1]) / (len(spent) - 2)


def _parts(prepared: Prepared, dataset: bytes) -> list[Dataset]:
    """Return every participant's share, and last the samples that nobody trains on."""
    whole = load_dataset(dataset, prepared.config.dataset, input_dim=64, classes=10)
    return [whole.take(read_list(content, samples=len(whole))) for content in prepared.lists]


def _accuracy(weights: Vector, held_out: Dataset) -> float:
    return evaluate(task.MLP, weights, held_out, task.TRAINING).metrics["accuracy"]
