"""Files that a stranger may have written, or half a disk: read, or refused by an error of ours that names them."""

import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from protocol.deployment import read_deployment
from protocol.documents import canonical
from protocol.errors import ParityError
from protocol.fingerprint import Alternative, Fingerprint, TokenMark, parse_fingerprint
from protocol.keystore import create_keystore, load_account

MARK = TokenMark(token="61", logprob=-5, top=(Alternative(token="61", logprob=-5),))
FINGERPRINT = canonical(
    Fingerprint(task="0x" + "11" * 32, model="m@sha256:" + "0" * 64, input_tokens=1, tokens=(MARK,))
)

anything = st.binary(max_size=300) | st.sampled_from(
    [b"", b"{}", b"[]", b"null", b"\xff", b"[" * 50_000, b"9" * 5_000]
)
same_folder = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None
)


def cut_and_changed(content: bytes) -> st.SearchStrategy[bytes]:
    """Return the content with one byte changed, or its end missing."""
    places = st.integers(0, len(content) - 1)
    changed = st.tuples(places, st.integers(0, 255)).map(
        lambda made: content[: made[0]] + bytes([made[1]]) + content[made[0] + 1 :]
    )
    return changed | places.map(lambda place: content[:place])


@given(anything | cut_and_changed(FINGERPRINT))
def test_a_fingerprint(content: bytes) -> None:
    with contextlib.suppress(ParityError):
        parse_fingerprint(content)


@same_folder
@given(content=anything)
def test_a_deployment_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "31337.json"
    path.write_bytes(content)
    with pytest.raises(ParityError, match="31337"):
        read_deployment(path)


@same_folder
@given(content=anything)
def test_a_key_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "key.json"
    path.write_bytes(content)
    with pytest.raises(ParityError):
        load_account(path, "password")


@pytest.fixture(scope="module")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("keys") / "key.json"
    create_keystore(path, bytes([1] * 32), "password")
    return path.read_text()


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("crypto", "kdf"), "none"),
        (("crypto", "kdfparams"), {}),
        (("crypto", "kdfparams", "n"), 2**40),
        (("crypto", "kdfparams", "n"), -1),
        (("crypto", "kdfparams", "r"), 10**9),
        (("crypto", "kdfparams", "dklen"), 2**40),
        (("crypto", "ciphertext"), "zz"),
        (("crypto", "mac"), None),
        (("version",), 2),
    ],
)
def test_a_key_file_that_was_tampered_with_is_refused_without_eating_the_memory(
    tmp_path: Path, key_file: str, place: tuple[str, ...], value: object
) -> None:
    path = tmp_path / "key.json"
    document = json.loads(key_file)
    inner = document
    for name in place[:-1]:
        inner = inner[name]
    inner[place[-1]] = value
    path.write_text(json.dumps(document))
    with pytest.raises(ParityError, match=r"key\.json"):
        load_account(path, "password")
