"""Compile through ape with the pinned compiler and the settings of ape-config.yaml."""

import hashlib
import os
from pathlib import Path

from ape import project

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".parity" / "solcx"
STAMP = FOLDER / "settings.sha256"


def compile_contracts() -> None:
    """Bring `project`'s contracts up to date; ape sees changed sources by itself, changed settings only we do."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    _point_ape_at_the_compiler()
    settings = hashlib.sha256((ROOT / "ape-config.yaml").read_bytes()).hexdigest()
    same = STAMP.exists() and STAMP.read_text(encoding="utf-8") == settings
    project.load_contracts(use_cache=same)
    STAMP.write_text(settings, encoding="utf-8")


def _point_ape_at_the_compiler() -> None:
    """Offer `toolchain/solc` under the name that ape looks for, unless the environment names a folder of its own."""
    if "SOLCX_BINARY_PATH" in os.environ:
        return
    link = FOLDER / "solc-v0.8.30"
    if not link.exists():
        link.unlink(missing_ok=True)
        link.symlink_to(ROOT / "toolchain" / "solc")
    os.environ["SOLCX_BINARY_PATH"] = str(FOLDER)
