from pathlib import Path

import pytest
from pydantic import Field

from protocol.deployment import Deployment, load_deployment, save_deployment
from protocol.errors import ConfigError
from protocol.settings import ChainSettings, IpfsSettings, load

ADDRESS = "0x5FbDB2315678afecb367f032d93F642f64180aa3"


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.chdir(tmp_path)
    for name in (*ChainSettings.model_fields, *IpfsSettings.model_fields):
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def saved(tmp_path: Path) -> Deployment:
    deployment = Deployment(
        chain_id=31337,
        version="V1",
        genesis_hash="0x" + "01" * 32,
        start_block=3,
        usdfc=ADDRESS,
        stake_wallet=ADDRESS,
        runner_reputation=ADDRESS,
        task_escrow=ADDRESS,
        session_charter=ADDRESS,
        federated_learning=ADDRESS,
        peer_monitoring=ADDRESS,
        audit_court=ADDRESS,
        beacon=ADDRESS,
        access_manager=ADDRESS,
        parity_token=ADDRESS,
        governor=ADDRESS,
        timelock=ADDRESS,
        treasury=ADDRESS,
        guardian=ADDRESS,
        params_id=1,
        local=True,
    )
    save_deployment(deployment, folder=tmp_path / "deployments")
    return deployment


def test_without_any_setting_the_local_chain_is_meant():
    settings = load(ChainSettings)
    assert settings.filecoin_rpc == "http://127.0.0.1:8545"
    assert settings.filecoin_chain_id == 31337
    assert load(IpfsSettings).ipfs_api == "/ip4/127.0.0.1/tcp/5001/http"


def test_the_environment_wins_over_the_env_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / ".env").write_text("FILECOIN_RPC=http://file:1\nFILECOIN_CHAIN_ID=314159\nSOMEBODY_ELSES=x\n")
    monkeypatch.setenv("FILECOIN_RPC", "http://environment:2/")
    settings = load(ChainSettings)
    assert settings.filecoin_rpc == "http://environment:2"
    assert settings.filecoin_chain_id == 314159


@pytest.mark.parametrize(
    ("settings", "name", "value", "expected"),
    [
        (ChainSettings, "FILECOIN_RPC", "localhost:8545", "http://"),
        (ChainSettings, "FILECOIN_CHAIN_ID", "calibration", "integer"),
        (ChainSettings, "FILECOIN_CHAIN_ID", "0", "greater than or equal to 1"),
        (ChainSettings, "USDFC_TOKEN_ADDRESS", "0x123", "40 hex digits"),
        (ChainSettings, "STAKE_WALLET_ADDRESS", "0x5fbDB2315678afecb367f032d93F642f64180aa3", "checksum"),
        (ChainSettings, "REPUTATION_CONTRACT_ADDRESS", "none", "40 hex digits"),
        (ChainSettings, "TASK_ESCROW_ADDRESS", "0x", "40 hex digits"),
        (IpfsSettings, "IPFS_API", "http://127.0.0.1:5001", "/ip4/127.0.0.1/tcp/5001/http"),
        (IpfsSettings, "IPFS_TIMEOUT_S", "-1", "greater than 0"),
    ],
)
def test_a_wrong_setting_is_named_with_what_was_expected(
    monkeypatch: pytest.MonkeyPatch, settings: type, name: str, value: str, expected: str
):
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError) as caught:
        load(settings)
    assert name in str(caught.value)
    assert expected in str(caught.value)
    assert caught.value.exit_code == 2


def test_every_wrong_setting_is_named_at_once(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("FILECOIN_RPC", "x")
    monkeypatch.setenv("FILECOIN_CHAIN_ID", "y")
    with pytest.raises(ConfigError, match=r"FILECOIN_RPC.*FILECOIN_CHAIN_ID"):
        load(ChainSettings)


def test_a_setting_without_a_default_is_said_to_be_missing():
    class Needy(IpfsSettings):
        database_url: str = Field(description="where the projection lies")

    with pytest.raises(ConfigError, match=r"DATABASE_URL .*is not set"):
        load(Needy)


def test_a_wrong_value_is_not_repeated_because_it_may_hold_a_password(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("FILECOIN_RPC", "postgres://user:hunter2@host/db")
    with pytest.raises(ConfigError) as caught:
        load(ChainSettings)
    assert "hunter2" not in f"{caught.value} {caught.value.hint} {caught.value.__cause__}"


def test_an_empty_variable_means_unset(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("USDFC_TOKEN_ADDRESS", "")
    assert load(ChainSettings).usdfc_token_address is None


def test_addresses_come_from_the_deployment_unless_they_are_set(
    saved: Deployment, monkeypatch: pytest.MonkeyPatch
):
    assert load(ChainSettings).deployment() == saved
    other = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
    monkeypatch.setenv("TASK_ESCROW_ADDRESS", other.lower())
    deployment = load(ChainSettings).deployment()
    assert deployment.task_escrow == other
    assert deployment.stake_wallet == ADDRESS


def test_a_missing_deployment_says_how_to_get_one(tmp_path: Path):
    with pytest.raises(ConfigError) as caught:
        load_deployment(314159, folder=tmp_path)
    assert "314159" in str(caught.value)
    assert "ape run deploy" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('"chain_id": 31337', '"chain_id": 1', "holds chain 1"),
        (f'"usdfc": "{ADDRESS}"', '"usdfc": "0x0"', "usdfc"),
        ('"local": true', '"local": true, "extra": 1', "extra"),
        ('"params_id": 1,', "", "params_id"),
        ("{", "", "file"),
    ],
)
def test_a_deployment_file_that_is_wrong_is_named_with_its_field(
    saved: Deployment, tmp_path: Path, old: str, new: str, complaint: str
):
    path = tmp_path / "deployments" / "31337.json"
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(ConfigError, match=complaint) as caught:
        load_deployment(31337, folder=path.parent)
    assert str(path) in str(caught.value)


def test_saving_a_deployment_leaves_one_file_that_others_can_read(saved: Deployment, tmp_path: Path):
    folder = tmp_path / "deployments"
    save_deployment(saved, folder=folder)
    assert [entry.name for entry in folder.iterdir()] == ["31337.json"]
    assert (folder / "31337.json").stat().st_mode & 0o777 == 0o644
