"""Wrong use is said in one line with its remedy, exits with its own code, and needs no network to be found."""

import subprocess
import sys
from importlib.metadata import version

import pytest

TASK = "0x" + "11" * 32


@pytest.mark.parametrize(
    ("argv", "code", "said"),
    [
        (("balance", "--account", "0x12"), 2, "--account: '0x12' is not an address"),
        (("deposit", "--amount", "1.5e3"), 2, "--amount: '1.5e3' is not an amount of USDFC"),
        (("deposit", "--amount", "-1"), 2, "--amount: '-1' is not an amount of USDFC"),
        (("llm", "get", "0x12"), 2, "ID: '0x12' is not a task's id"),
        (("task", "get", "nonsense"), 2, "ID: 'nonsense' is not a task's id"),
        (("balance",), 2, "no such key file"),
        (("llm", "get", TASK), 2, "no deployment for chain 31337"),
        (("health",), 1, "the API server at http://127.0.0.1:9 does not answer"),
    ],
)
def test_an_error_names_what_is_wrong_and_what_to_do(offline, argv, code, said):
    ran = offline.run(*argv)

    assert (ran.code, ran.out) == (code, "")
    lines = ran.err.splitlines()
    assert lines[-2].startswith("error: ")
    assert said in lines[-2]
    assert lines[-1].startswith("hint: ")


def test_a_wrong_setting_is_named_with_what_was_expected(offline):
    ran = offline.run("llm", "models", FILECOIN_RPC="ftp://somewhere")

    assert ran.code == 2
    assert "FILECOIN_RPC (RPC endpoint of the chain): expected a URL" in ran.err


def test_an_option_that_does_not_exist_is_wrong_use(offline):
    assert offline.run("balance", "--nonsense").code == 2


def test_settings_are_read_from_a_dot_env_file(offline, home, monkeypatch):
    (home / ".env").write_text("SERVER_URL=http://127.0.0.1:10\n")
    monkeypatch.chdir(home)

    assert "http://127.0.0.1:10 does not answer" in offline.run("health", SERVER_URL="").err


def test_debug_shows_where_an_error_came_from(offline):
    assert "Traceback" in offline.run("--debug", "llm", "get", "0x12").err
    assert "Traceback" not in offline.run("llm", "get", "0x12").err


def test_doctor_reports_every_failure_with_its_remedy(offline):
    ran = offline.run("doctor", "--json")

    assert ran.code == 1
    found = {finding["subject"]: finding for finding in ran.json}
    assert set(found) == {"key file", "deployment", "chain", "balance", "API", "IPFS"}
    assert all(finding["verdict"] == "fail" and finding["remedy"] for finding in found.values())


def test_help_does_not_load_the_chains_libraries():
    code = (
        "import sys; from client.commands.app import app; from typer.testing import CliRunner; "
        "assert CliRunner().invoke(app, ['llm', 'submit', '--help']).exit_code == 0; "
        "heavy = {'web3', 'eth_account', 'httpx', 'ipfshttpclient'} & set(sys.modules); assert not heavy, heavy"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("program", ["client", "runner", "api", "indexer", "devnet"])
def test_every_program_tells_its_version(program):
    ran = subprocess.run(
        [sys.executable, "-m", program, "--version"], capture_output=True, text=True, check=False
    )

    assert (ran.returncode, ran.stdout) == (0, f"parity {version('parity')}\n"), ran.stderr
