"""`parity-server` as a person runs it."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from protocol.deployment import Deployment, save_deployment
from protocol.keystore import load_account

from .conftest import Index

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
KEY = "0x" + "17" * 32


def run(*arguments: str, given: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "api", *arguments],
        input=given,
        capture_output=True,
        text=True,
        env=os.environ | environment,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(("command", "page"), [("schema", "schema.graphql"), ("routes", "rest.md")])
def test_a_committed_reference_is_what_is_served(command: str, page: str) -> None:
    done = run(command)
    assert done.returncode == 0, done.stderr
    committed = (REFERENCE / page).read_text(encoding="utf-8")
    assert done.stdout == committed, f"run: parity-server {command} > docs/reference/{page}"


@pytest.mark.parametrize("way", ["stdin", "file"])
def test_auth_encrypts_a_key_and_never_shows_it(tmp_path: Path, way: str) -> None:
    (tmp_path / "password").write_text("open sesame\n")
    (tmp_path / "key").write_text(KEY + "\n")
    source = "-" if way == "stdin" else str(tmp_path / "key")
    keystore = tmp_path / "relayer.json"
    options = ["--keystore", str(keystore), "--password-file", str(tmp_path / "password")]
    done = run("auth", "--private-key", source, *options, given=KEY + "\n")
    assert done.returncode == 0, done.stderr
    account = load_account(keystore, "open sesame")
    assert account.address in done.stdout
    assert keystore.stat().st_mode & 0o777 == 0o600
    assert "17" * 32 not in done.stdout + done.stderr + keystore.read_text()
    again = run("auth", "--private-key", source, *options, given=KEY + "\n")
    assert (again.returncode, "exists already" in again.stderr) == (2, True)


def test_a_key_on_the_command_line_is_refused_and_not_repeated(tmp_path: Path) -> None:
    done = run("auth", "--private-key", KEY, "--keystore", str(tmp_path / "x.json"))
    assert done.returncode == 2
    assert "17" * 8 not in done.stdout + done.stderr
    assert "history" in done.stderr
    assert not (tmp_path / "x.json").exists()


BAD_SETTINGS = [
    ({"DATABASE_URL": ""}, "DATABASE_URL"),
    ({"DATABASE_URL": "mysql://x"}, "DATABASE_URL"),
    ({"SERVER_PORT": "99999"}, "SERVER_PORT"),
    ({"RELAYER_PRIVATE_KEY": "0x12"}, "RELAYER_PRIVATE_KEY"),
    ({"RELAYER_KEYSTORE": "nowhere.json"}, "RELAYER_PASSWORD_FILE"),
    ({"DEPLOYMENTS_DIR": "/nowhere"}, "DEPLOYMENTS_DIR"),
]


@pytest.mark.parametrize(("settings", "name"), BAD_SETTINGS, ids=str)
def test_a_wrong_setting_is_named(
    tmp_path: Path, nowhere: Deployment, settings: dict[str, str], name: str
) -> None:
    save_deployment(nowhere, folder=tmp_path)
    base = {"DATABASE_URL": "postgres://127.0.0.1:9/x", "DEPLOYMENTS_DIR": str(tmp_path), "SERVER_PORT": "0"}
    done = run("server", **(base | settings))
    assert done.returncode == 2, done.stderr
    assert name in done.stderr
    assert "hint:" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_development_key_is_refused_off_a_local_chain(tmp_path: Path, nowhere: Deployment) -> None:
    save_deployment(nowhere.model_copy(update={"chain_id": 314159}), folder=tmp_path)
    key = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
    done = run(
        "server",
        DATABASE_URL="postgres://127.0.0.1:9/x",
        DEPLOYMENTS_DIR=str(tmp_path),
        FILECOIN_CHAIN_ID="314159",
        RELAYER_PRIVATE_KEY=key,
    )
    assert done.returncode == 2
    assert "development account" in done.stderr
    assert key[2:] not in done.stderr


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_the_server_serves_and_stops_cleanly(
    tmp_path: Path, nowhere: Deployment, index: Index, stop: signal.Signals
) -> None:
    save_deployment(nowhere, folder=tmp_path)
    process = subprocess.Popen(
        [sys.executable, "-m", "api", "server", "--port", "0"],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"DATABASE_URL": index.url, "DEPLOYMENTS_DIR": str(tmp_path)},
    )
    assert process.stderr is not None
    port = None
    for line in process.stderr:
        if found := re.search(r"http://127\.0\.0\.1:(\d+)", json.loads(line)["event"]):
            port = int(found[1])
            break
    assert port
    assert httpx.get(f"http://127.0.0.1:{port}/health", headers={"X-Request-Id": "mine"}).status_code == 200
    process.send_signal(stop)
    rest = process.stderr.read()
    assert process.wait(20) == 0
    answered = [json.loads(line) for line in rest.splitlines() if '"answered"' in line]
    assert [(line["path"], line["status"], line["request_id"]) for line in answered] == [
        ("/health", 200, "mine")
    ]
    assert "Traceback" not in rest
