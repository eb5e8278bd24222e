"""The engines of honest runners, which round differently, and of cheats, which run something cheaper."""

import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import gguf

from benchmarks.verification.engine_of import BUILDS
from benchmarks.verification.quantised import requantise, without_block
from devnet.engine.process import answers
from devnet.paths import MODEL, PARITY
from devnet.ports import free_port
from devnet.process import Launch, Process
from runner.executors.llm import LlmExecutor

UNPACKED: Final = "weights unpacked"
"""The same 4-bit weights, computed in floating point: as graphics cards do, where processors round each block's input to 8 bits."""
EIGHT_BITS: Final = "weights as Q8_0"
FOUR_BITS: Final = "weights as Q4_0"
SMALLER: Final = "smaller model"
_LEFT_OUT = 20
"""The block that the smaller model lacks: one of the middle, whose absence is told least by the text."""


@asynccontextmanager
async def engine(file: Path, *, build: str, log: Path) -> AsyncIterator[str]:
    """Serve a model file as the packaged model is served, on one thread and with the rounding of one of `BUILDS`."""
    port = free_port()
    argv = [sys.executable, "-m", "benchmarks.verification.engine_of", str(file), str(port), build]
    process = await Process.start(Launch(name="engine", argv=argv, log=log))
    url = f"http://127.0.0.1:{port}"
    try:
        await process.ready(lambda: answers(url), timeout_s=60)
        yield url
    finally:
        await process.stop(grace_s=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Engines:
    """Addresses of the running engines: of the true model by build, of other weights by kind."""

    true: Mapping[str, str]
    others: Mapping[str, str]
    model: str

    @classmethod
    async def start(cls, stack: AsyncExitStack) -> Self:
        """Start them all, to be stopped with `stack`; makes the model files first if they are not there."""
        cache = PARITY / "cache"
        kinds = gguf.GGMLQuantizationType
        unpacked = requantise(MODEL, cache / "smollm2-f16.gguf", kinds.F16)
        files = {
            EIGHT_BITS: requantise(MODEL, cache / "smollm2-q8_0.gguf", kinds.Q8_0),
            FOUR_BITS: requantise(MODEL, cache / "smollm2-q4_0.gguf", kinds.Q4_0),
            SMALLER: without_block(MODEL, cache / "smollm2-29-blocks.gguf", _LEFT_OUT),
        }

        async def started(file: Path, build: str) -> str:
            log = cache / "verification-engines.log"
            return await stack.enter_async_context(engine(file, build=build, log=log))

        true = {build: await started(MODEL, build) for build in BUILDS}
        true[UNPACKED] = await started(unpacked, "packaged")
        others = {kind: await started(file, "packaged") for kind, file in files.items()}
        (model,) = await LlmExecutor(true["packaged"], slots=1).models()
        return cls(true=true, others=others, model=f"{model.name}@sha256:{model.digest}")
