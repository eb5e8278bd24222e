"""`parity-runner`'s commands around the daemon: keys and registration, and what they say when something is wrong."""

import json
from pathlib import Path

import pytest

import runner.__main__ as command
from devnet.accounts import LOCAL
from protocol.deployment import save_deployment
from protocol.errors import ConfigError
from protocol.keystore import load_account
from protocol.money import USDFC
from protocol.sender import Sender
from protocol.settings import load
from runner.settings import RunnerSettings
from tests.runner.bench import Bench

KEY = "0x" + "5a" * 32


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a password in it, and an environment that points nowhere else."""
    monkeypatch.chdir(tmp_path)
    for name in RunnerSettings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    (tmp_path / "password").write_text("correct horse\n")
    monkeypatch.setenv("RUNNER_KEYSTORE", str(tmp_path / "keys" / "node.json"))
    monkeypatch.setenv("RUNNER_PASSWORD_FILE", str(tmp_path / "password"))
    monkeypatch.setenv("RUNNER_HOME", str(tmp_path))
    return tmp_path


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Run a command in this process; give its exit code."""
    monkeypatch.setattr("sys.argv", ["parity-runner", *arguments])
    with pytest.raises(SystemExit) as ended:
        command.main()
    return int(ended.value.code or 0)


@pytest.mark.parametrize("way", ["value", "file", "-"])
def test_auth_encrypts_the_key_and_never_shows_it(
    home: Path, way: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (home / "node.key").write_text(KEY + "\n")
    monkeypatch.setattr("sys.stdin", (home / "node.key").open())
    given = {"value": KEY, "file": str(home / "node.key"), "-": "-"}[way]
    assert run(monkeypatch, "auth", "--private-key", given) == 0
    written = home / "keys" / "node.json"
    assert load_account(written, "correct horse").key.hex().removeprefix("0x") == KEY[2:]
    assert written.stat().st_mode & 0o777 == 0o600
    shown = capfd.readouterr()
    assert KEY[2:] not in shown.out + shown.err
    assert load_account(written, "correct horse").address in shown.out


def test_auth_refuses_what_is_no_key_without_repeating_it(
    home: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "auth", "--private-key", "0xdeadbeef") == 2
    shown = capfd.readouterr().err
    assert "--private-key: not a private key" in shown
    assert "hint: Use 64 hex digits" in shown
    assert "deadbeef" not in shown
    assert not (home / "keys").exists()


def test_auth_keeps_the_key_that_is_there(
    home: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "auth", "--private-key", KEY) == 0
    before = (home / "keys" / "node.json").read_bytes()
    assert run(monkeypatch, "auth", "--new") == 2
    assert "exists already" in capfd.readouterr().err
    assert (home / "keys" / "node.json").read_bytes() == before


def test_auth_new_makes_a_different_key_each_time(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, "auth", "--new") == 0
    first = json.loads((home / "keys" / "node.json").read_text())["address"]
    assert run(monkeypatch, "auth", "--new", "--overwrite") == 0
    assert json.loads((home / "keys" / "node.json").read_text())["address"] != first


def test_a_missing_key_file_is_named_with_a_remedy(
    home: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "runner") == 2
    assert "node.json: no such key file" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RUNNER_SLOTS", "many"),
        ("RUNNER_OUTPUT_PRICE", "-1"),
        ("RUNNER_MIN_REWARD", "0.1 USDFC"),
        ("RUNNER_DENY_CREATORS", "bob"),
        ("RUNNER_LOG_LEVEL", "loud"),
        ("WEBHOOK_PORT", "70000"),
        ("OLLAMA_URL", "localhost"),
    ],
)
def test_a_wrong_setting_is_named(home: Path, name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=name):
        load(RunnerSettings)


def test_prices_and_lists_are_read_as_people_write_them(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNNER_INPUT_PRICE", "0.25")
    monkeypatch.setenv("RUNNER_MODELS", "a:1b, b:2b,")
    monkeypatch.setenv("RUNNER_DENY_CREATORS", LOCAL.client.address.lower())
    settings = load(RunnerSettings)
    assert settings.runner_input_price == USDFC // 4
    assert settings.runner_output_price == USDFC // 5000
    assert settings.runner_models == ("a:1b", "b:2b")
    assert settings.runner_deny_creators == (LOCAL.client.address,)


def test_a_development_key_is_refused_on_a_real_chain(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "RUNNER_PRIVATE_KEY", "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
    )
    assert load(RunnerSettings).account().address == LOCAL.deployer.address
    monkeypatch.setenv("FILECOIN_CHAIN_ID", "314159")
    with pytest.raises(Exception, match="published development account"):
        load(RunnerSettings).account()


async def test_register_needs_stake_and_says_so_then_registers(
    bench: Bench, home: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    save_deployment(bench.chain.deployment, folder=home / "deployments")
    monkeypatch.setenv("FILECOIN_RPC", bench.anvil.url)
    monkeypatch.setenv("RUNNER_PRIVATE_KEY", LOCAL.node(9).key.hex())
    settings = load(RunnerSettings)
    with pytest.raises(Exception, match="100 USDFC"):
        await command._register(settings, owner=LOCAL.owner(9), node=LOCAL.node(9))
    await bench.stake_for(9)
    await command._register(settings, owner=LOCAL.owner(9), node=LOCAL.node(9))
    assert f"registered {LOCAL.node(9).address}" in capfd.readouterr().out
    registered = await bench.chain.call(bench.chain.reputation.functions.runnerOf(LOCAL.node(9).address))
    assert registered[0] == LOCAL.owner(9).address


async def test_register_with_stake_takes_it_from_an_owner_without_coin(
    bench: Bench, home: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, node, token = LOCAL.owner(9), LOCAL.node(9), bench.chain.token.functions
    save_deployment(bench.chain.deployment, folder=home / "deployments")
    monkeypatch.setenv("FILECOIN_RPC", bench.anvil.url)
    monkeypatch.setenv("RUNNER_PRIVATE_KEY", node.key.hex())
    await Sender(bench.chain, LOCAL.relayer).send(token.mint(owner.address, 100 * USDFC), label="mint")
    await bench.anvil.rpc("anvil_setBalance", owner.address, "0x0")
    await command._register(load(RunnerSettings), owner=owner, node=node, stake=100 * USDFC)
    assert f"registered {node.address}" in capfd.readouterr().out
    bonded = (await bench.chain.call(bench.chain.wallet.functions.stakeOf(owner.address)))[0]
    assert bonded == 100 * USDFC
