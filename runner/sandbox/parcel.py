"""What lies in /out, packed from inside the box once nothing else runs there: a link cannot lead out of it."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field

OUT = "/out"
_LONGEST_PATH = 512
_PIECE = 1 << 16


@dataclass(slots=True)
class Found:
    """Plain files by path within /out, sorted, with size and whether they may be executed; and how much else there is."""

    files: list[tuple[str, int, bool]] = field(default_factory=list)
    left_out: int = 0


class TooMuch(Exception):
    """There is more than may be returned."""


def look(*, most_files: int, most_bytes: int) -> Found:
    """List the plain files; `TooMuch`, and OSError for what cannot be read. Links, sockets and the like are only counted."""
    found, size = Found(), 0
    for path, status in _walk(OUT, ""):
        if status is None:
            found.left_out += 1
            continue
        size += status.st_size
        found.files.append((path, status.st_size, bool(status.st_mode & stat.S_IXUSR)))
        if len(found.files) > most_files or size > most_bytes:
            raise TooMuch
    found.files.sort()
    return found


def send(found: Found, sink: int) -> None:
    """Write the files' bytes one after the other; OSError, also when a file is shorter than it was."""
    for path, size, _ in found.files:
        descriptor = os.open(os.path.join(OUT, path), os.O_RDONLY | os.O_NOFOLLOW)
        try:
            left = size
            while left:
                piece = os.read(descriptor, min(_PIECE, left))
                if not piece:
                    raise OSError(f"{path!r} became shorter")
                write(sink, piece)
                left -= len(piece)
        finally:
            os.close(descriptor)


def write(sink: int, content: bytes) -> None:
    """Write all of `content`; OSError."""
    view = memoryview(content)
    while view:
        view = view[os.write(sink, view) :]


def _walk(folder: str, prefix: str) -> Iterator[tuple[str, os.stat_result | None]]:
    """Yield each plain file with its status, and None as the status of what is neither that nor a folder."""
    with os.scandir(folder) as entries:
        for entry in entries:
            status = entry.stat(follow_symlinks=False)
            path = prefix + entry.name
            if not _is_text(entry.name) or len(path) > _LONGEST_PATH:
                yield path, None
            elif stat.S_ISDIR(status.st_mode):
                os.chmod(entry.path, 0o700)
                yield from _walk(entry.path, path + "/")
            else:
                yield path, status if stat.S_ISREG(status.st_mode) else None


def _is_text(name: str) -> bool:
    return name.isprintable() and name.isascii() and "\\" not in name
