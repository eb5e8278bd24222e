"""`python -m benchmarks.verification.engine_of FILE PORT BUILD`: the embedded engine over any GGUF file of the packaged family.

BUILD says how the engine rounds, which honest runners' engines do differently: another processor, another graphics card or
another release computes attention in another order or stores it in another format.
"""

import dataclasses
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import uvicorn
import xllamacpp

from devnet.engine.__main__ import SMOLLM2
from devnet.engine.app import EngineApp
from devnet.engine.model import Model, engine_settings


def _as_packaged(_params: Any) -> None:
    """Leave the settings as devnet has them."""


def _plain_attention(params: Any) -> None:
    params.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED


def _bfloat_cache(params: Any) -> None:
    params.cache_type_k = params.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_BF16


BUILDS: Final[Mapping[str, Callable[[Any], None]]] = {
    "packaged": _as_packaged,
    "plain attention": _plain_attention,
    "bfloat16 cache": _bfloat_cache,
}
"""Ways to compute the same model. On one processor, other numbers of threads give the very same bits and are no such way."""


def main() -> None:
    """Serve until killed."""
    file, port, build = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    served = dataclasses.replace(SMOLLM2, path=file, quantization=file.stem)
    params = engine_settings(served, threads=1)
    BUILDS[build](params)
    uvicorn.run(
        EngineApp({SMOLLM2.name: Model.serve(served, params)}).starlette(),
        host="127.0.0.1",
        port=port,
        log_level="warning",
        access_log=False,
    )


if __name__ == "__main__":
    main()
