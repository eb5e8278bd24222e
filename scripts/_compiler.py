"""Compile through ape with the pinned compiler and the settings of ape-config.yaml."""

import fcntl
import hashlib
import os
import shutil
from pathlib import Path

from ape import project

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".parity" / "solcx"
STAMP = ROOT / ".build" / "sources.sha256"
"""Lies beside what it vouches for: whoever removes or copies one has the other too."""
INPUTS = ("ape-config.yaml", "package-lock.json", "contracts/**/*.sol")


def compile_contracts() -> None:
    """Bring `project`'s contracts up to date.

    ape compiles a file again when that file has changed. It overlooks a changed setting, and, worse, a changed library:
    whoever imports it would be deployed with the old code inside. So any change compiles everything.
    """
    FOLDER.mkdir(parents=True, exist_ok=True)
    _point_ape_at_the_compiler()
    with (FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # ape's files are shared by whoever compiles in this checkout
        _drop_copied_dependencies()
        current = fingerprint(ROOT)
        same = STAMP.exists() and STAMP.read_text(encoding="utf-8") == current
        if not same:
            project.clean()
        project.load_contracts()
        _drop_copied_dependencies()
        STAMP.write_text(current, encoding="utf-8")


def fingerprint(root: Path) -> str:
    """Return the SHA-256 over everything below `root` that the compiled code depends on."""
    digest = hashlib.sha256()
    for path in sorted({path for pattern in INPUTS for path in root.glob(pattern)}):
        digest.update(f"{path.relative_to(root)}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


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
