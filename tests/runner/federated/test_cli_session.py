"""A session that a person creates on the command line, done by runners, and fetched on the command line again."""

import csv
import json
from pathlib import Path

import pytest
from sklearn.datasets import load_digits

from devnet.accounts import LOCAL
from protocol.deployment import save_deployment
from tests.client.cli import PASSWORD, Cli
from tests.runner.federated.school import School

pytestmark = pytest.mark.timeout(600)
CREATE = (
    "--name", "Digits", "--model-type", "neural_network", "--round-time", "3600", "--min-participants", "3",
    "--learning-rate", "0.5", "--batch-size", "32", "--local-epochs", "5", "--divide-by", "16", "--seed", "1", "--yes", "--json",
)  # fmt: skip

LEAST_OF_A_FOREST = 0.75
"""Sixty trees on 160 images each: .855 on average over 150 random divisions, deviation .024, the worst .79; chance is .1."""


@pytest.fixture
def cli(school: School, tmp_path: Path) -> Cli:
    """The payer's shell on the school's chain; there is no API server."""
    folder = tmp_path / "person"
    folder.mkdir()
    key_file = folder / "keystore.json"
    key_file.write_text(json.dumps(LOCAL.payer.encrypt(PASSWORD, kdf="scrypt", iterations=2)))
    key_file.chmod(0o600)
    (folder / "password").write_text(PASSWORD + "\n")
    save_deployment(school.bench.chain.deployment, folder=folder / "deployments")
    return Cli(
        env={
            "PARITY_KEYSTORE": str(key_file),
            "PARITY_PASSWORD_FILE": str(folder / "password"),
            "DEPLOYMENTS_DIR": str(folder / "deployments"),
            "FILECOIN_RPC": school.bench.anvil.url,
            "IPFS_API": school.bench.ipfs_api,
            "SERVER_URL": "http://127.0.0.1:9",
            "NO_COLOR": "1",
        }
    )


@pytest.fixture
def digits(tmp_path: Path) -> tuple[Path, Path]:
    """600 images to train on and 200 to measure with, as CSV."""
    whole = load_digits()
    rows = [[int(label), *map(int, pixels)] for pixels, label in zip(whole.data, whole.target, strict=True)]
    header = ["label", *(f"pixel{i}" for i in range(64))]
    paths = tmp_path / "train.csv", tmp_path / "test.csv"
    for path, part in zip(paths, (rows[:600], rows[600:800]), strict=True):
        with path.open("w", newline="") as file:
            csv.writer(file).writerows([header, *part])
    return paths


@pytest.mark.parametrize(
    ("flags", "secure", "least"),
    [
        (("--total-rounds", "2", "--aggregation-method", "fedavg"), False, 0.75),
        (("--total-rounds", "2", "--model-type", "random_forest"), False, LEAST_OF_A_FOREST),
        (("--total-rounds", "1", "--secure-aggregation", "--enable-differential-privacy", "--noise-multiplier", "0.01", "--l2-norm-clip", "8"), True, 0.2),
    ],
    ids=["plain", "forest", "secure and private"],
)  # fmt: skip
async def test_runners_train_what_a_person_asked_for_and_the_person_fetches_it(
    school: School,
    cli: Cli,
    digits: tuple[Path, Path],
    tmp_path: Path,
    flags: tuple[str, ...],
    secure: bool,
    least: float,
):
    train, test = digits
    for number in range(3):
        await school.runner(number)
    created = await cli("fl", "create-session-with-data", str(train), *CREATE, *flags)
    assert created.code == 0, created.err
    session = created.json["sessionId"]

    watched = await cli("fl", "watch-session", session, "--timeout", "500", "--json")
    assert watched.code == 0, watched.err
    assert (watched.json["phase"], watched.json["secure"]) == ("finished", secure)
    figures = [one["figures"] for one in watched.json["roundList"]]
    assert all(0 <= one["metrics"]["accuracy"] <= 1 for one in figures)
    assert [one["epsilon"] is not None for one in figures] == [secure] * len(figures)
    assert [one["accepted"] for one in watched.json["participants"]] == [len(figures)] * 3

    model = tmp_path / "digits.safetensors"
    got = await cli("fl", "get-model", session, "-o", str(model), "--json")
    assert got.code == 0, got.err
    assert "0x" + got.json["sha256"] == watched.json["model"]
    measured = await cli("fl", "evaluate", str(model), str(test), "--json")
    assert measured.code == 0, measured.err
    assert measured.json["metrics"]["accuracy"] > least
