"""What the runner's tests are made of: an order, a job, a journal of its own."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from devnet.anvil import Anvil
from protocol.deployment import Deployment
from protocol.documents import LlmOptions, LlmSpec, ModelOffer
from protocol.money import USDFC
from protocol.order import Order
from runner.errors import SandboxUnavailable
from runner.journal import Journal
from runner.sandbox.probe import probe
from tests.runner.bench import Bench, bench_of
from tests.runner.boxes import Boxes

CLIENT = "0x00000000000000000000000000000000000000C1"
OWNER = "0x00000000000000000000000000000000000000A1"
DIGEST = "ab" * 32
MODEL = f"tiny:1b@sha256:{DIGEST}"
TASK = bytes.fromhex("11" * 32)


def an_order(**changes: Any) -> Order:
    """An order that everyone would take."""
    fields: dict[str, Any] = {
        "client": CLIENT,
        "payer": CLIENT,
        "reward": USDFC,
        "bond": 10 * USDFC,
        "input_price": 0,
        "output_price": 0,
        "params_id": 1,
        "replicas": 1,
        "quorum": 1,
        "claim_by": 1_000,
        "retention": 0,
        "client_epoch": 0,
        "spec": bytes(32),
        "salt": bytes(32),
    }
    return Order(**(fields | changes))


def a_spec(*, model: str = MODEL, prompt: str = "Why?", **options: Any) -> LlmSpec:
    return LlmSpec(model=model, prompt=prompt, options=LlmOptions(**options))


def an_offer(**changes: Any) -> ModelOffer:
    fields: dict[str, Any] = {
        "name": "tiny:1b",
        "digest": DIGEST,
        "context": 4096,
        "input_price": str(USDFC // 1000),
        "output_price": str(USDFC // 500),
        "compared": True,
    }
    return ModelOffer(**(fields | changes))


@pytest.fixture
def journal_file(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


@pytest.fixture
def journal(journal_file: Path) -> Iterator[Journal]:
    with Journal.open(journal_file) as opened:
        yield opened


@pytest.fixture
def reopen(journal_file: Path) -> Callable[[], Journal]:
    """Open the journal a second time, as another process would after a kill."""
    return lambda: Journal.open(journal_file, exclusive=False)


@pytest.fixture
async def bench(
    anvil: Anvil, deployment: Deployment, ipfs_api: str, engine_url: str, tmp_path: Path
) -> AsyncIterator[Bench]:
    """A seeded chain with an IPFS node and a model engine, and runners to be made by `bench.hand(number)`."""
    async with bench_of(anvil, deployment, ipfs_api=ipfs_api, engine_url=engine_url, home=tmp_path) as made:
        yield made


@pytest.fixture
async def box(tmp_path: Path) -> Boxes:
    try:
        held = await probe()
    except SandboxUnavailable as error:
        pytest.skip(f"no box here: {error}")
    return Boxes(held.hierarchy, tmp_path)
