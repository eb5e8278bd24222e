"""A data set in a file on this machine."""

import io
from pathlib import Path

from learning.datasets import MAX_BYTES
from protocol.errors import InputError
from protocol.unixfs import cid_of_file


def check_files(*paths: Path) -> None:
    """Raise `InputError` where there is no such file: before a slow start, not after it."""
    for path in paths:
        if not path.is_file():
            raise InputError(f"{path}: there is no such file", field="FILE", hint="Check the path.")


def read_data_file(path: Path) -> tuple[bytes, str]:
    """Read a data set, and give the CID that it has once it is uploaded; `InputError` if it cannot be read."""
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise InputError(
                f"{path}: {size:,} bytes; data sets have at most {MAX_BYTES:,}",
                field="FILE",
                hint="Leave rows out, or store it as Parquet.",
            )
        content = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error.strerror})",
            field="FILE",
            hint="Check the path and its permissions.",
        ) from error
    return content, str(cid_of_file(io.BytesIO(content)))
