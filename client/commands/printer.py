"""The one place that writes: results on standard output as text or JSON, everything else on standard error."""

import json
import re
import sys
from collections.abc import Iterable, Sequence

from client.errors import Refused
from client.records import to_json
from protocol.errors import InputError, ParityError

Fields = Sequence[tuple[str, str]]

_STEERING = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]|\r(?!\n)")
"""What steers a terminal (its cursor, its title, the clipboard behind it) or turns the order in which letters are shown."""


def plain(text: str) -> str:
    """Return a text in which what would steer a terminal is written as an escape, so that it can be seen and does nothing.

    Names, answers and refusals are written by strangers, and may be shown right above the question whether to sign.
    """
    return _STEERING.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def write(text: str) -> None:
    """Write to standard output: to a terminal what it may show, to a file or a program the very text."""
    sys.stdout.write(plain(text) if sys.stdout.isatty() else text)
    sys.stdout.flush()


class Printer:
    """Writes a command's result once, in the form that was asked for."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json

    def result(self, value: object, *, text: Iterable[str]) -> None:
        """Write the result: `value` as one JSON document, or else the lines of `text`."""
        if self._as_json:
            write(json.dumps(to_json(value), indent=2, ensure_ascii=False) + "\n")
        else:
            write("".join(line + "\n" for line in text))


def note(text: str) -> None:
    """Write a line for the person, beside the result."""
    sys.stderr.write(plain(text) + "\n")
    sys.stderr.flush()


def warn(text: str) -> None:
    """Write a warning."""
    note(f"warning: {text}")


def print_error(error: ParityError) -> None:
    """Write what failed, and what to do about it."""
    note(f"error: {error.message}")
    if error.hint:
        note(f"hint: {error.hint}")


def confirm(title: str, fields: Fields, *, yes: bool) -> None:
    """Show what is about to be signed and ask for consent.

    Raises `Refused` on anything but yes, `InputError` where nobody can answer and `yes` is not given.
    """
    note(title)
    for line in aligned(fields):
        note(line)
    if yes:
        return
    if not sys.stdin.isatty():
        raise InputError(
            "consent: there is no terminal to ask on",
            field="--yes",
            hint="Look at the figures above and add --yes to sign without asking.",
        )
    sys.stderr.write("Sign and send? [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        raise Refused("nothing was signed", hint="Answer y to sign.")


def aligned(fields: Fields) -> list[str]:
    """Set names and values in two columns."""
    width = max((len(name) for name, _ in fields), default=0)
    return [f"  {name:<{width}}  {value}".rstrip() for name, value in fields]


def table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Set rows in columns under their headers; the last column is not padded."""
    widths = [max(len(row[i]) for row in (headers, *rows)) for i in range(len(headers))]
    return [
        "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (headers, *rows)
    ]
