"""Compile through ape with the pinned compiler and the settings of ape-config.yaml."""

import fcntl
import hashlib
import os
import shutil
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
    with (FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # ape's files are shared by whoever compiles in this checkout
        same = STAMP.exists() and STAMP.read_text(encoding="utf-8") == settings
        _drop_copied_dependencies()
        project.load_contracts(use_cache=same)
        _drop_copied_dependencies()
        STAMP.write_text(settings, encoding="utf-8")


def _drop_copied_dependencies() -> None:
    """Remove the libraries that ape copies among our sources: it reads the first 500 files there and no more."""
    shutil.rmtree(project.contracts_folder / ".cache", ignore_errors=True)


def _point_ape_at_the_compiler() -> None:
    """Offer `toolchain/solc` under the name that ape looks for, unless the environment names a folder of its own."""
    if "SOLCX_BINARY_PATH" in os.environ:
        return
    link = FOLDER / "solc-v0.8.30"
    if not link.exists():
        link.unlink(missing_ok=True)
        link.symlink_to(ROOT / "toolchain" / "solc")
    os.environ["SOLCX_BINARY_PATH"] = str(FOLDER)
