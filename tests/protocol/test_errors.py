import re

from protocol import errors
from protocol.errors import ParityError


def tree() -> dict[type[ParityError], int]:
    found = {ParityError: ParityError.exit_code}
    pending = [ParityError]
    while pending:
        for kind in pending.pop().__subclasses__():
            if kind.__module__ == errors.__name__:
                found[kind] = kind.exit_code
                pending.append(kind)
    return found


def test_the_drawn_tree_has_every_error_with_its_exit_code():
    drawn = {name: int(code) for name, code in re.findall(r"(\w+)\s+(\d)(?:\s{3}|\n)", errors.__doc__ or "")}
    assert drawn == {kind.__name__: code for kind, code in tree().items()}
