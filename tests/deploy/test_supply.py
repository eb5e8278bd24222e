"""What is shipped may be shipped, is listed, and nothing secret ever was in the repository."""

import json
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SECRETS = runpy.run_path(str(ROOT / "toolchain/secrets"))
SHIPPED = runpy.run_path(str(ROOT / "toolchain/shipped"))


def run(name: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    argv = [sys.executable, ROOT / "toolchain" / name, *arguments]
    return subprocess.run(argv, capture_output=True, text=True, check=False)


def test_the_licences_of_what_is_shipped_are_permissive_and_listed() -> None:
    ran = run("shipped", "--check")
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize(
    "licence", ["GPL-3.0-only", "AGPL-3.0", "LGPL-2.1", "unknown", "Other/Proprietary", ""]
)
def test_a_licence_that_is_not_permissive_is_refused(licence: str) -> None:
    assert not SHIPPED["Component"]("pypi", "some", "1", licence, ()).permitted


def test_the_bill_of_materials_names_each_package_once_with_its_hashes(tmp_path: Path) -> None:
    ran = run("shipped", "--sbom", str(tmp_path / "sbom.json"))
    assert ran.returncode == 0, ran.stderr
    bill = json.loads((tmp_path / "sbom.json").read_text())
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    names = [component["bom-ref"] for component in bill["components"]]
    assert len(names) == len(set(names)) > 100
    for component in bill["components"]:
        assert re.fullmatch(r"pkg:(pypi|npm)/[\w.%/-]+@[\w.!+-]+", component["purl"])
        assert component["hashes"] or component["name"] == "torch"
        assert all(re.fullmatch(r"[0-9a-f]{64}|[0-9a-f]{128}", one["content"]) for one in component["hashes"])


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="no history here: an export of the sources")
def test_no_secret_is_or_was_in_the_repository() -> None:
    ran = run("secrets")
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (
            "private key (hex)",
            "PRIVATE_KEY=0x" + "4f3edf983ac636a65a842ce7c78d9aa706d3b113bce9c46f30d7d21715b23b1d",
        ),
        ("password in a URL", "postgres" + "://parity:Tr0ub4dor@db.example/parity"),
        ("cloud key", "AKIA" + "IOSFODNN7EXAMPLE"),
        ("private key (PEM)", "-----BEGIN " + "PRIVATE KEY-----\n" + "MIIEvQIBADANBgkqhkiG9w0BAQ" * 3),
        ("key file", '"ciphertext": "' + "d172bf743a674da9cdad04534d56926e" * 2 + '"'),
    ],
)
def test_a_secret_is_found(kind: str, text: str) -> None:
    assert [found for found, _ in SECRETS["findings"](text.encode(), frozenset())] == [kind]


def test_the_published_development_keys_are_no_secrets() -> None:
    key = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
    assert not list(SECRETS["findings"](f"private_key = '0x{key}'".encode(), SECRETS["known"]()))
