"""Files that a person names to describe a learning session."""

from pathlib import Path

from protocol.errors import InputError

_MAX_MODEL_FILE_BYTES = 1 << 20


def weights_of(path: Path | None) -> bytes | None:
    """Read the weights to start from; `InputError` for a file that cannot be read."""
    if path is None:
        return None
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(
            f"--start-from: {path} cannot be read ({error})",
            field="--start-from",
            hint="Check the path and its permissions.",
        ) from error


def text_of(path: Path | None) -> str | None:
    """Read the model's description; `InputError` for a file that is too large or cannot be read."""
    if path is None:
        return None
    try:
        if path.stat().st_size > _MAX_MODEL_FILE_BYTES:
            raise InputError(
                f"--config-file: {path} is longer than {_MAX_MODEL_FILE_BYTES:,} bytes",
                field="--config-file",
                hint="Pass the model's description, not its weights.",
            )
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"--config-file: {path} cannot be read ({error})",
            field="--config-file",
            hint="Check the path and its permissions.",
        ) from error
