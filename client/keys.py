"""Where the wallet's key comes from, and how it is unlocked. Nothing here ever repeats a key or a password."""

import secrets
import sys
from getpass import getpass
from pathlib import Path
from typing import TYPE_CHECKING

from eth_utils.address import is_address, to_checksum_address

from client.settings import ClientSettings
from protocol.errors import ConfigError, InputError, KeystoreError
from protocol.keystore import create_keystore, keystore_address, load_account, parse_private_key

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

_MAX_KEY_FILE_BYTES = 64 * 1024


def new_key() -> bytes:
    """Draw a private key from the system's randomness."""
    while True:
        drawn = secrets.token_hex(32)
        try:
            return parse_private_key(drawn)
        except InputError:  # one in 2^128 draws is not a key
            continue


def key_from_option(value: str) -> bytes:
    """Read the key that `--private-key` gave: itself, or `-` for one line of standard input."""
    text = sys.stdin.readline() if value == "-" else value
    return parse_private_key(text, field="--private-key")


def key_from_file(path: Path, settings: ClientSettings) -> bytes:
    """Read a key from a file: hex digits, or a key store of any Ethereum wallet (ape, geth), whose password is asked."""
    try:
        text = path.read_bytes()[:_MAX_KEY_FILE_BYTES].decode("utf-8")
    except FileNotFoundError:
        raise KeystoreError(f"{path}: no such file", hint="Give the path of a key file.") from None
    except (OSError, UnicodeDecodeError):
        raise KeystoreError(
            f"{path}: cannot be read as text", hint="Give 64 hex digits or a key store."
        ) from None
    if text.lstrip().startswith("{"):
        return bytes(load_account(path, password(settings, prompt=f"Password of {path}")).key)
    return parse_private_key(text, field="--keyfile")


def key_from_prompt() -> bytes:
    """Ask for a key on the terminal, without showing it."""
    if not sys.stdin.isatty():
        raise InputError(
            "--private-key: no key was given",
            field="--private-key",
            hint="Give --keyfile FILE, --private-key - (standard input) or --new; a prompt needs a terminal.",
        )
    return parse_private_key(getpass("Private key (not shown): ", stream=sys.stderr), field="private key")


def store(settings: ClientSettings, key: bytes, *, replace: bool = False) -> str:
    """Encrypt a key into the settings' key file and give its address."""
    if settings.keystore.exists() and not replace:
        raise KeystoreError(
            f"{settings.keystore}: exists already, for {keystore_address(settings.keystore)}",
            hint="Choose another file with PARITY_KEYSTORE, or --replace it; without a copy its key is then lost.",
        )
    chosen = password(settings, prompt="Password for the new key file", confirm=True)
    return create_keystore(settings.keystore, key, chosen, overwrite=replace)


def address(settings: ClientSettings) -> str:
    """Give the wallet's address; no password is needed."""
    return keystore_address(settings.keystore)


def unlock(settings: ClientSettings) -> "LocalAccount":
    """Unlock the wallet's key file; `KeystoreError` on a wrong password."""
    keystore_address(settings.keystore)
    return load_account(settings.keystore, password(settings, prompt=f"Password of {settings.keystore}"))


def password(settings: ClientSettings, *, prompt: str, confirm: bool = False) -> str:
    """Read the password from PARITY_PASSWORD_FILE, or ask for it on the terminal."""
    if settings.parity_password_file is not None:
        return _password_in(settings.parity_password_file.expanduser())
    if not sys.stdin.isatty():
        raise InputError(
            "password: there is no terminal to ask on",
            field="PARITY_PASSWORD_FILE",
            hint="Write the password to a file that only you can read, and set PARITY_PASSWORD_FILE to it.",
        )
    typed = getpass(f"{prompt}: ", stream=sys.stderr)
    if confirm and getpass("Once more: ", stream=sys.stderr) != typed:
        raise InputError("password: the two differ", field="password", hint="Try again.")
    return typed


def _password_in(path: Path) -> str:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise ConfigError(
            f"PARITY_PASSWORD_FILE: {path} cannot be read",
            hint="Point it at a file whose first line is the password.",
        ) from None
    if not lines or not lines[0]:
        raise ConfigError(
            f"PARITY_PASSWORD_FILE: {path} is empty", hint="Its first line must be the password."
        )
    return lines[0]


def read_address(text: str, *, field: str = "--account") -> str:
    """Read an address; `InputError` if it is none."""
    if not is_address(text.strip()):
        raise InputError(
            f"{field}: {text!r:.80} is not an address",
            field=field,
            hint="Give 0x and 40 hex digits; in mixed case the checksum must be right.",
        )
    return str(to_checksum_address(text.strip()))
