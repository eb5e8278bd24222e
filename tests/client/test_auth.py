import json
import stat

import pytest

from protocol.keystore import create_keystore, load_account
from tests.client.cli import PASSWORD

KEY = "0x" + "42" * 32
ADDRESS = "0x17c5185167401eD00cF5F5b2fc97D9BBfDb7D025"


def test_a_key_on_the_command_line_is_taken_with_a_warning_and_never_shown(offline, home):
    ran = offline.run("auth", "--private-key", KEY)

    assert ran.code == 0
    assert ran.out == f"{ADDRESS} is stored, encrypted, in {home / 'keystore.json'}\n"
    assert "warning: a key on the command line stays in the shell's history" in ran.err
    assert "42" * 32 not in ran.out + ran.err
    assert load_account(home / "keystore.json", PASSWORD).key.hex() == "42" * 32


def test_the_key_file_is_for_its_owner_only_and_holds_no_clear_key(offline, home):
    offline.run("auth", "--private-key", KEY)

    assert stat.S_IMODE((home / "keystore.json").stat().st_mode) == 0o600
    text = (home / "keystore.json").read_text()
    assert json.loads(text)["crypto"]["kdf"] == "scrypt"
    assert "42" * 32 not in text


def test_a_key_from_standard_input_brings_no_warning(offline):
    ran = offline.run("auth", "--private-key", "-", "--json", stdin=KEY + "\n")

    assert (ran.code, ran.err) == (0, "")
    assert ran.json["address"] == ADDRESS


def test_a_key_is_read_from_a_file_of_hex(offline, home):
    (home / "key.txt").write_text("42" * 32 + "\n")

    assert offline.run("auth", "--keyfile", str(home / "key.txt"), "--json").json["address"] == ADDRESS


def test_a_key_is_imported_from_another_wallets_key_store(offline, home):
    create_keystore(home / "ape.json", bytes.fromhex("42" * 32), PASSWORD)

    assert offline.run("auth", "--keyfile", str(home / "ape.json"), "--json").json["address"] == ADDRESS


def test_two_new_keys_differ(offline, home):
    first = offline.run("auth", "--new", "--json").json["address"]
    second = offline.run("auth", "--new", "--replace", "--json").json["address"]

    assert first != second


@pytest.mark.parametrize(
    "wrong",
    ["0x1234", "not a key", "00" * 32, "0x17c5185167401eD00cF5F5b2fc97D9BBfDb7D025", "ff" * 32],
    ids=["too short", "words", "zero", "an address", "above the curve"],
)
def test_what_is_no_private_key_is_refused_without_being_repeated(offline, home, wrong):
    ran = offline.run("auth", "--private-key", wrong)

    assert ran.code == 2
    assert "error: --private-key: not a private key" in ran.err
    assert "hint: Use 64 hex digits" in ran.err
    assert wrong not in ran.out + ran.err
    assert not (home / "keystore.json").exists()


def test_an_existing_key_is_not_overwritten_unasked(offline, home):
    offline.run("auth", "--private-key", KEY)

    ran = offline.run("auth", "--new")

    assert ran.code == 2
    assert f"exists already, for {ADDRESS}" in ran.err
    assert load_account(home / "keystore.json", PASSWORD).address == ADDRESS


def test_two_ways_to_give_a_key_are_one_too_many(offline):
    ran = offline.run("auth", "--new", "--private-key", KEY)

    assert ran.code == 2
    assert "Choose one of --private-key, --keyfile and --new." in ran.err


def test_without_a_key_and_without_a_terminal_the_ways_to_give_one_are_named(offline):
    ran = offline.run("auth")

    assert ran.code == 2
    assert "Pass --private-key FILE, or --private-key - and the key on standard input" in ran.err


def test_without_a_password_and_without_a_terminal_nothing_is_written(offline, home):
    ran = offline.run("auth", "--new", PARITY_PASSWORD_FILE="")

    assert ran.code == 2
    assert "set PARITY_PASSWORD_FILE" in ran.err
    assert not (home / "keystore.json").exists()


def test_an_empty_password_file_is_named(offline, home):
    (home / "empty").write_text("\n")

    ran = offline.run("auth", "--new", PARITY_PASSWORD_FILE=str(home / "empty"))

    assert ran.code == 2
    assert "PARITY_PASSWORD_FILE" in ran.err
    assert "is empty" in ran.err
