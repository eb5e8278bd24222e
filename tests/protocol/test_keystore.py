import json
import stat
import traceback
from pathlib import Path

import pytest
from eth_account import Account
from hypothesis import given
from hypothesis import strategies as st

from protocol import keystore
from protocol.errors import InputError, KeystoreError
from protocol.keystore import (
    DEVELOPMENT_ADDRESSES,
    create_keystore,
    keystore_address,
    load_account,
    parse_private_key,
    refuse_development_key,
)

KEY = bytes.fromhex("4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318")
ADDRESS = Account.from_key(KEY).address


@pytest.fixture(autouse=True)
def _cheap_scrypt(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(keystore, "_SCRYPT_N", 2**10)


@pytest.mark.parametrize("text", [KEY.hex(), "0x" + KEY.hex(), " 0x" + KEY.hex().upper() + "\n"])
def test_a_key_is_read_with_or_without_its_prefix(text: str):
    assert parse_private_key(text) == KEY


hex_digits = st.text("0123456789abcdef", min_size=12, max_size=200)
nearly_keys = hex_digits.filter(lambda text: len(text) != 64) | st.text(
    "0123456789abcdefg", min_size=63, max_size=63
).map(lambda text: text + "g")


@given(nearly_keys)
def test_a_wrong_key_is_refused_without_repeating_it(text: str):
    with pytest.raises(InputError) as caught:
        parse_private_key(text)
    told = (
        "".join(traceback.format_exception_only(caught.value)) + repr(caught.value) + str(caught.value.hint)
    )
    assert text.strip() not in told
    assert caught.value.__cause__ is None
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("number", [0, keystore._CURVE_ORDER, 2**256 - 1])
def test_a_number_off_the_curve_is_no_key(number: int):
    with pytest.raises(InputError):
        parse_private_key(f"{number:064x}")


@given(st.integers(min_value=1, max_value=keystore._CURVE_ORDER - 1))
def test_an_account_does_not_show_its_key(number: int):
    key = number.to_bytes(32, "big")
    account = Account.from_key(key)
    shown = repr(account) + str(account) + f"{account}"
    assert key.hex() not in shown


def test_a_key_file_unlocks_with_its_password_only(tmp_path: Path):
    path = tmp_path / "keys" / "client.json"
    assert create_keystore(path, KEY, "correct horse") == ADDRESS
    assert load_account(path, "correct horse").key == KEY
    assert keystore_address(path) == ADDRESS
    with pytest.raises(KeystoreError, match="wrong password") as caught:
        load_account(path, "battery staple")
    told = "".join(traceback.format_exception(caught.value))
    assert "battery staple" not in told.replace('load_account(path, "battery staple")', "")
    assert KEY.hex() not in told


def test_a_key_file_is_the_owners_alone_and_holds_no_plain_key(tmp_path: Path):
    path = tmp_path / "client.json"
    create_keystore(path, KEY, "correct horse")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert KEY.hex() not in path.read_text().lower()
    document = json.loads(path.read_text())
    assert document["version"] == 3
    assert document["crypto"]["kdf"] == "scrypt"
    assert [entry.name for entry in tmp_path.iterdir()] == ["client.json"]


def test_scrypt_is_expensive_by_default(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.undo()
    assert keystore._SCRYPT_N >= 2**17


def test_an_existing_key_file_is_not_overwritten_by_accident(tmp_path: Path):
    path = tmp_path / "client.json"
    create_keystore(path, KEY, "one")
    with pytest.raises(KeystoreError, match="exists already"):
        create_keystore(path, b"\x01" * 32, "two")
    assert load_account(path, "one").key == KEY
    create_keystore(path, b"\x01" * 32, "two", overwrite=True)
    assert load_account(path, "two").key == b"\x01" * 32


def test_a_write_that_fails_leaves_the_old_key_file_and_no_litter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = tmp_path / "client.json"
    create_keystore(path, KEY, "one")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(KeystoreError, match="No space left"):
        create_keystore(path, b"\x01" * 32, "two", overwrite=True)
    assert load_account(path, "one").key == KEY
    assert [entry.name for entry in tmp_path.iterdir()] == ["client.json"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"crypto": {}}',
        '{"version": 3, "crypto": {"kdf": "scrypt"}}',
        '{"crypto": 5}',
        "\x00",
    ],
)
def test_a_file_that_is_no_key_file_is_said_to_be_none(tmp_path: Path, text: str):
    path = tmp_path / "client.json"
    path.write_text(text)
    with pytest.raises(KeystoreError, match="not a key file"):
        load_account(path, "any")


def test_a_missing_key_file_says_how_to_make_one(tmp_path: Path):
    with pytest.raises(KeystoreError) as caught:
        load_account(tmp_path / "none.json", "any")
    assert "parity-client auth" in str(caught.value.hint)


def test_an_empty_password_is_refused(tmp_path: Path):
    with pytest.raises(InputError) as caught:
        create_keystore(tmp_path / "client.json", KEY, "")
    assert caught.value.field == "password"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("chain_id", [1, 314, 314159])
def test_a_development_key_is_refused_on_every_public_chain(chain_id: int):
    for address in DEVELOPMENT_ADDRESSES:
        with pytest.raises(InputError, match="published development account"):
            refuse_development_key(address, chain_id)
    refuse_development_key(ADDRESS, chain_id)


@pytest.mark.parametrize("chain_id", [31337, 1337])
def test_a_development_key_works_on_local_chains(chain_id: int):
    for address in DEVELOPMENT_ADDRESSES:
        refuse_development_key(address, chain_id)


def test_the_development_accounts_are_those_of_the_well_known_mnemonic():
    Account.enable_unaudited_hdwallet_features()
    words = "test test test test test test test test test test test junk"
    assert {
        Account.from_mnemonic(words, account_path=f"m/44'/60'/0'/0/{index}").address for index in range(50)
    } == DEVELOPMENT_ADDRESSES
