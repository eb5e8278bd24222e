"""Where the wallet's key comes from, and how it is unlocked. Nothing here ever repeats a key or a password."""

from pathlib import Path
from typing import TYPE_CHECKING

from eth_utils.address import is_address, to_checksum_address

from client.settings import ClientSettings
from protocol.errors import InputError, KeystoreError
from protocol.keystore import create_keystore, keystore_address, load_account, parse_private_key
from protocol.secret_input import key_file_text, password_from

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount


def key_from_file(path: Path, settings: ClientSettings) -> bytes:
    """Read a key from a file: hex digits, or a key store of any Ethereum wallet (ape, geth), whose password is asked."""
    text = key_file_text(path)
    if text.lstrip().startswith("{"):
        return bytes(load_account(path, password(settings, prompt=f"Password of {path}")).key)
    return parse_private_key(text, field="--keyfile")


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
    """Return the wallet's address; no password is needed."""
    return keystore_address(settings.keystore)


def unlock(settings: ClientSettings) -> "LocalAccount":
    """Unlock the wallet's key file; `KeystoreError` on a wrong password."""
    keystore_address(settings.keystore)
    return load_account(settings.keystore, password(settings, prompt=f"Password of {settings.keystore}"))


def password(settings: ClientSettings, *, prompt: str, confirm: bool = False) -> str:
    """Read the password from PARITY_PASSWORD_FILE, or ask for it on the terminal."""
    return password_from(
        settings.parity_password_file, variable="PARITY_PASSWORD_FILE", prompt=prompt, confirm=confirm
    )


def read_address(text: str, *, field: str = "--account") -> str:
    """Read an address; `InputError` if it is none."""
    if not is_address(text.strip()):
        raise InputError(
            f"{field}: {text!r:.80} is not an address",
            field=field,
            hint="Use 0x and 40 hex digits; in mixed case the checksum must be right.",
        )
    return str(to_checksum_address(text.strip()))
