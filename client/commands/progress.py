"""Progress of what takes over a second: a spinner on a terminal, plain lines elsewhere, always on standard error."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from client.commands.printer import note, plain

Tell = Callable[[str], None]
"""Says what is going on now."""


@contextmanager
def progress(first: str) -> Iterator[Tell]:
    """Show `first` and then whatever the returned function is told."""
    if not sys.stderr.isatty():
        note(first)
        yield note
        return
    from rich.console import Console  # noqa: PLC0415 (0.1 s that a script need not spend)
    from rich.text import Text  # noqa: PLC0415 (see above)

    # As `Text`: rich takes a plain string for its own markup, and square brackets in a file's name for an error.
    with Console(stderr=True).status(Text(plain(first))) as status:
        yield lambda what: status.update(Text(plain(what)))
