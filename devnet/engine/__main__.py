"""`python -m devnet.engine`: serve the packaged model on loopback until SIGINT or SIGTERM."""

import argparse
import os
import sys

import uvicorn

from devnet.engine.app import EngineApp
from devnet.engine.model import Model, ModelFile
from devnet.paths import MODEL
from devnet.ports import LOOPBACK

SMOLLM2 = ModelFile(
    name="smollm2:135m",
    path=MODEL,
    system="You are a helpful assistant.",
    parameters={"repeat_penalty": 1.0},  # any penalty pushes so small a model off what it knows
    family="llama",
    parameter_size="134.52M",
    quantization="Q4_1",
    license="Apache-2.0",
)


def main() -> int:
    """Load the model and serve it."""
    parser = argparse.ArgumentParser(prog="python -m devnet.engine", description=__doc__)
    parser.add_argument("--port", type=int, default=11434, help="loopback port (default: %(default)s)")
    parser.add_argument(
        "--threads", type=int, default=min(4, os.cpu_count() or 1), help="CPU threads (default: %(default)s)"
    )
    asked = parser.parse_args()
    if not SMOLLM2.path.exists():
        print(f"There is no model at {SMOLLM2.path}. Run `make install`.", file=sys.stderr)  # noqa: T201 (a command's own output)
        return 2
    app = EngineApp({SMOLLM2.name: Model.load(SMOLLM2, threads=max(1, asked.threads))})
    uvicorn.run(app.starlette(), host=LOOPBACK, port=asked.port, log_level="warning", access_log=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
