"""`auth`: make or import the wallet's key."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from client.commands.options import Json
from client.commands.printer import Printer, note, warn
from client.commands.running import command, read_settings

if TYPE_CHECKING:
    from client.settings import ClientSettings
from protocol.errors import InputError


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    command(app, "auth", example="parity-client auth --new")(_auth)


async def _auth(
    *,
    private_key: Annotated[
        str | None,
        typer.Option(
            "--private-key",
            metavar="KEY|-|FILE",
            help="The key itself, - to read it from standard input, or a file that contains it. Others can see a key on "
            "the command line; leave the option out to be asked for it.",
            show_default=False,
        ),
    ] = None,
    keyfile: Annotated[
        Path | None,
        typer.Option(
            "--keyfile",
            metavar="FILE",
            help="A file with the key in hex, or the keystore file of another Ethereum wallet.",
            show_default=False,
        ),
    ] = None,
    new: Annotated[bool, typer.Option("--new", help="Generate a new key.")] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Overwrite an existing key; unless you have a copy, it is lost.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Encrypt a private key into the wallet's key file.

    The file is ~/.parity/keystore.json, or what PARITY_KEYSTORE names. You are asked for its password unless
    PARITY_PASSWORD_FILE names a file that contains it. Without an option you are asked for the key.
    """
    from client import keys  # noqa: PLC0415 (half a second that --help need not spend)

    given = sum((private_key is not None, keyfile is not None, new))
    if given > 1:
        raise InputError(
            "auth: more than one key was given",
            field="--private-key",
            hint="Choose one of --private-key, --keyfile and --new.",
        )
    settings = read_settings()
    address = keys.store(settings, _key(settings, private_key, keyfile, new=new), replace=replace)
    if new:
        note("Keep a copy of the key file and of its password: without both, what the account holds is lost.")
    Printer(as_json=as_json).result(
        {"address": address, "keystore": str(settings.keystore)},
        text=[f"{address} is stored, encrypted, in {settings.keystore}"],
    )


def _key(settings: "ClientSettings", private_key: str | None, keyfile: Path | None, *, new: bool) -> bytes:
    from client import keys  # noqa: PLC0415 (see above)
    from protocol import secret_input  # noqa: PLC0415 (see above)

    if new:
        return secret_input.new_private_key()
    if keyfile is not None:
        return keys.key_from_file(keyfile, settings)
    if secret_input.is_on_command_line(private_key):
        warn(secret_input.COMMAND_LINE_WARNING)
    return secret_input.private_key_from(private_key)
