"""Finding an installed package's folder without importing it."""

from importlib.util import find_spec
from pathlib import Path


def package_folder(name: str) -> Path:
    """Return where package `name` is installed. Raises ModuleNotFoundError when it is not."""
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(name=name)
    return Path(spec.origin).parent
