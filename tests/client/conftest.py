from pathlib import Path

import pytest

from tests.client.cli import PASSWORD, Cli


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "password").write_text(PASSWORD + "\n")
    return folder


@pytest.fixture
def offline(home: Path) -> Cli:
    """A shell in which no server answers."""
    return Cli(
        env={
            "PARITY_KEYSTORE": str(home / "keystore.json"),
            "PARITY_PASSWORD_FILE": str(home / "password"),
            "FILECOIN_RPC": "http://127.0.0.1:9",
            "SERVER_URL": "http://127.0.0.1:9",
            "IPFS_API": "/ip4/127.0.0.1/tcp/9/http",
            "DEPLOYMENTS_DIR": str(home / "deployments"),
            "NO_COLOR": "1",
        }
    )
