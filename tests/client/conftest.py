import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from client import ClientSettings, Parity
from devnet.accounts import LocalAccounts
from devnet.anvil import Anvil
from protocol.chain import Chain
from protocol.content import IpfsStore
from protocol.deployment import Deployment, save_deployment
from tests.client.cli import PASSWORD, Cli
from tests.client.seats import Runners
from tests.client.sessions import table

NOWHERE = "http://127.0.0.1:9"


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
            "FILECOIN_RPC": NOWHERE,
            "SERVER_URL": NOWHERE,
            "IPFS_API": "/ip4/127.0.0.1/tcp/9/http",
            "DEPLOYMENTS_DIR": str(home / "deployments"),
            "NO_COLOR": "1",
        }
    )


@pytest.fixture(scope="session")
def key_files(tmp_path_factory: pytest.TempPathFactory, accounts: LocalAccounts) -> dict[str, Path]:
    """Key files by role, with a weak encryption, since the real one is slow on purpose."""
    folder = tmp_path_factory.mktemp("keys")
    roles = {
        "client": accounts.client,
        "payer": accounts.payer,
        "outsider": accounts.outsider,
        "deployer": accounts.deployer,
    }
    for name, account in roles.items():
        document = account.encrypt(PASSWORD, kdf="scrypt", iterations=2)
        (folder / name).write_text(json.dumps(document))
        (folder / name).chmod(0o600)
    return {name: folder / name for name in roles}


@pytest.fixture
def shell(settings: ClientSettings, offline: Cli, key_files: dict[str, Path]) -> Callable[..., Cli]:
    """Make a shell of a role's wallet on this test's chain. There is no API server in it unless a test gives one."""

    def make(role: str = "client", **env: str) -> Cli:
        network = {
            "FILECOIN_RPC": settings.filecoin_rpc,
            "IPFS_API": settings.ipfs_api,
            "PARITY_KEYSTORE": str(key_files[role]),
        }
        return Cli(env={**offline.env, **network, **env})

    return make


@pytest.fixture
async def chain(anvil: Anvil, deployment: Deployment) -> AsyncIterator[Chain]:
    async with Chain.connect(anvil.url, deployment) as connected:
        yield connected


@pytest.fixture
async def runners(anvil: Anvil, chain: Chain, ipfs_api: str, accounts: LocalAccounts) -> Runners:
    """Three runners, of which the first offers a model."""
    made = Runners(anvil=anvil, chain=chain, content=IpfsStore(ipfs_api), accounts=accounts)
    await made.offer(0)
    return made


@pytest.fixture
def settings(anvil: Anvil, deployment: Deployment, ipfs_api: str, home: Path) -> ClientSettings:
    save_deployment(deployment, folder=home / "deployments")
    return ClientSettings(
        filecoin_rpc=anvil.url,
        deployments_dir=home / "deployments",
        ipfs_api=ipfs_api,
        ipfs_timeout_s=3,
        server_url=NOWHERE,
    )


@pytest.fixture
async def parity(settings: ClientSettings, accounts: LocalAccounts) -> AsyncIterator[Parity]:
    """The client's wallet, which holds tokens and has deposited none."""
    async with Parity.connect(settings, accounts.client) as connected:
        yield connected


@pytest.fixture
async def depositor(settings: ClientSettings, accounts: LocalAccounts) -> AsyncIterator[Parity]:
    """The payer's wallet, which has a free balance."""
    async with Parity.connect(settings, accounts.payer) as connected:
        yield connected


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A file of 120 rows, 4 columns of numbers, and labels of 3 classes."""
    path = tmp_path / "data.csv"
    path.write_text(table(120, 4, classes=3))
    return path
