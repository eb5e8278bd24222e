"""JSON from strangers: parsed once, in one way, within limits that protect the code that walks it."""

from collections.abc import Iterator

import msgspec

MAX_NESTING = 64

Place = tuple[str | int, ...]


class NotReadable(ValueError):
    """What was sent is not JSON, or JSON that nothing here could need; the message says why."""


def read_json(data: bytes | str) -> object:
    """Read a document; `NotReadable` if it is none, if it nests too deeply, or if a text holds what no database stores."""
    try:
        document: object = msgspec.json.decode(data)
    except RecursionError:
        raise NotReadable(f"nested more than {MAX_NESTING} levels deep") from None
    except (msgspec.DecodeError, ValueError) as error:  # a ValueError is of bytes that are not UTF-8
        raise NotReadable(f"not JSON ({error})") from None
    _check(data.encode("utf-8", "replace") if isinstance(data, str) else data, document)
    return document


def _check(data: bytes, document: object) -> None:
    # Counting bytes is enough for nearly all that is ever sent; only what may be at fault is walked.
    may_be_deep = data.count(b"{") + data.count(b"[") > MAX_NESTING
    if may_be_deep or rb"\u0000" in data:
        for place, value in _texts(document):
            if "\0" in value:
                where = ".".join(str(part) for part in place[:6]) or "the document"
                raise NotReadable(f"{where}: text may not contain U+0000")


def _texts(document: object) -> Iterator[tuple[Place, str]]:
    """Yield every text, names among them, and where it is; without recursion, since depth is what is checked."""
    waiting: list[tuple[Place, object]] = [((), document)]
    while waiting:
        place, value = waiting.pop()
        if len(place) > MAX_NESTING:
            raise NotReadable(f"nested more than {MAX_NESTING} levels deep")
        if isinstance(value, str):
            yield place, value
        elif isinstance(value, dict):
            for name, inner in value.items():
                yield place, name
                waiting.append(((*place, name), inner))
        elif isinstance(value, list):
            waiting.extend(((*place, index), inner) for index, inner in enumerate(value))
