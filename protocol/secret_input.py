"""Private keys and passwords as a person gives them: from a terminal, standard input, a file, or an option's value.

None of these functions ever repeats what it was given.
"""

import secrets
import sys
from getpass import getpass
from pathlib import Path

from protocol.errors import ConfigError, InputError, KeystoreError
from protocol.keystore import parse_private_key

_MAX_KEY_FILE_BYTES = 64 * 1024

COMMAND_LINE_WARNING = (
    "a key on the command line stays in the shell's history and can be seen by other users; "
    "leave --private-key out to be asked, or use --private-key - or a file"
)


def new_private_key() -> bytes:
    """Draw a private key from the system's randomness."""
    while True:
        try:
            return parse_private_key(secrets.token_hex(32))
        except InputError:  # one in 2^128 draws is not a key
            continue


def is_on_command_line(given: str | None) -> bool:
    """Return whether `--private-key` was given the key itself, which deserves `COMMAND_LINE_WARNING`."""
    return given is not None and given != "-" and not Path(given).expanduser().is_file()


def private_key_from(given: str | None, *, field: str = "--private-key") -> bytes:
    """Read a key: `None` asks on the terminal, `-` is a line of standard input, a file's path its content.

    Anything else is the key itself. Raises `InputError` or `KeystoreError`.
    """
    if given is None:
        hint = f"Pass {field} FILE, or {field} - and the key on standard input; a prompt needs a terminal."
        return parse_private_key(_ask("Private key (not shown)", field=field, hint=hint), field=field)
    if given == "-":
        return parse_private_key(sys.stdin.readline(), field=field)
    path = Path(given).expanduser()
    return parse_private_key(key_file_text(path) if path.is_file() else given, field=field)


def key_file_text(path: Path) -> str:
    """Read a file that should hold a key, in hex or as a key store; `KeystoreError`."""
    try:
        with path.open("rb") as file:
            return file.read(_MAX_KEY_FILE_BYTES).decode("utf-8")
    except FileNotFoundError:
        raise KeystoreError(f"{path}: no such file", hint="Pass the path of a key file.") from None
    except (OSError, UnicodeDecodeError):
        raise KeystoreError(
            f"{path}: cannot be read as text", hint="It must contain 64 hex digits or a key store."
        ) from None


def password_from(file: Path | None, *, variable: str, prompt: str, confirm: bool = False) -> str:
    """Read a password from the first line of `file`, or ask for it when there is none.

    `variable` names what says where the file is, for the errors: `ConfigError`, `InputError`.
    """
    if file is not None:
        return _first_line(file.expanduser(), variable=variable)
    hint = f"Write the password to a file that only you can read, and set {variable} to it."
    typed = _ask(prompt, field=variable, hint=hint)
    if confirm and _ask("Once more", field=variable, hint=hint) != typed:
        raise InputError("password: the two differ", field="password", hint="Try again.")
    return typed


def _first_line(path: Path, *, variable: str) -> str:
    hint = "Point it at a file whose first line is the password."
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise ConfigError(f"{variable}: {path} cannot be read", hint=hint) from None
    if not lines or not lines[0]:
        raise ConfigError(f"{variable}: {path} is empty", hint=hint)
    return lines[0]


def _ask(prompt: str, *, field: str, hint: str) -> str:
    if not sys.stdin.isatty():
        raise InputError(f"{field}: not given, and there is no terminal to ask on", field=field, hint=hint)
    return getpass(f"{prompt}: ", stream=sys.stderr)
