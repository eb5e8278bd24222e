"""Keys and passwords of the commands: from files, from the environment, or asked for at a terminal."""

import os
import sys
from pathlib import Path

import typer
from eth_account import Account
from eth_account.signers.local import LocalAccount

from protocol.errors import ConfigError, InputError
from protocol.keystore import load_account, parse_private_key, refuse_development_key
from runner.settings import RunnerSettings, read_password


def owner_account(
    settings: RunnerSettings, keystore: Path | None, password_file: Path | None
) -> LocalAccount:
    """Unlock the owner's key: from its key file, or from OWNER_PRIVATE_KEY.

    Raises `ConfigError` where there is neither, `KeystoreError`, and `InputError` for a published development key on a
    public chain.
    """
    if keystore is not None:
        password = (
            read_password(password_file, variable="--owner-password-file")
            if password_file
            else _ask("Password of the owner's key file")
        )
        owner = load_account(keystore.expanduser(), password)
    elif os.environ.get("OWNER_PRIVATE_KEY"):
        owner = Account.from_key(
            parse_private_key(os.environ["OWNER_PRIVATE_KEY"], field="OWNER_PRIVATE_KEY")
        )
    else:
        raise ConfigError(
            "--owner-keystore (the owner's key file) is not given",
            hint="Only the owner can register a node: pass its key file, or set OWNER_PRIVATE_KEY.",
        )
    refuse_development_key(owner.address, settings.filecoin_chain_id)
    return owner


def given_key(value: str | None) -> str:
    """Return the text of a key: from a file, from standard input (`-`), as it stands, or asked for; `InputError`."""
    if value is None:
        return _ask("Private key of the node")
    if value == "-":
        return sys.stdin.read()
    path = Path(value).expanduser()
    try:
        return path.read_text(encoding="utf-8") if path.is_file() else value
    except (OSError, UnicodeDecodeError):
        raise InputError(
            "--private-key: the file cannot be read", field="--private-key", hint="Check its permissions."
        ) from None


def asked_password(settings: RunnerSettings) -> str | None:
    """Ask for the key file's password where a person can answer and nothing else gives it."""
    if settings.runner_private_key or settings.runner_password_file or not sys.stdin.isatty():
        return None
    return _ask(f"Password of {settings.keystore}")


def _ask(prompt: str) -> str:
    if not sys.stdin.isatty():
        raise InputError(
            f"{prompt}: no terminal to ask on",
            field="--private-key",
            hint="Pass a file, or - and the value on standard input.",
        )
    return str(typer.prompt(prompt, hide_input=True))


def new_password() -> str:
    """Ask twice for the password of a new key file; `ConfigError` where there is no terminal."""
    if not sys.stdin.isatty():
        raise ConfigError(
            "RUNNER_PASSWORD_FILE (file with the key file's password) is not set",
            hint="Set it, or run this in a terminal to be asked.",
        )
    return str(typer.prompt("New password", hide_input=True, confirmation_prompt=True))
