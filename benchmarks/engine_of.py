"""`python -m benchmarks.engine_of FILE PORT THREADS`: the embedded engine over any GGUF file of the packaged family."""

import dataclasses
import sys
from pathlib import Path

import uvicorn

from devnet.engine.__main__ import SMOLLM2
from devnet.engine.app import EngineApp
from devnet.engine.model import Model


def main() -> None:
    """Serve until killed."""
    file, port, threads = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    model = Model.load(dataclasses.replace(SMOLLM2, path=file, quantization=file.stem), threads=threads)
    uvicorn.run(
        EngineApp({SMOLLM2.name: model}).starlette(),
        host="127.0.0.1",
        port=port,
        log_level="warning",
        access_log=False,
    )


if __name__ == "__main__":
    main()
