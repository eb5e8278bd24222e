"""What a node of a Ray cluster does: one piece of work, with the files that came along. It needs this package and nothing else."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec

from runner.federated.messages import Aggregate, Data, Given, Request, Train, Trained


def done_by_a_node(request: bytes, files: dict[str, bytes]) -> Iterator[bytes]:
    """Do one piece of work on a node of the cluster, with the files that came along: yield nothing at the start, then the answer."""
    yield b""
    yield _answer(request, files)


def _answer(request: bytes, files: dict[str, bytes]) -> bytes:
    from runner.federated.worker import answer  # noqa: PLC0415 (loads torch, which who hands work out never does)

    asked: Request = msgspec.msgpack.decode(request, type=Request)
    with tempfile.TemporaryDirectory(prefix="parity-work-") as folder:
        for number, (path, content) in enumerate(files.items()):
            place = Path(folder) / str(number)
            place.write_bytes(content)
            asked = _moved(asked, path, str(place))
        if not isinstance(asked, Train) or asked.checkpoints is None:
            return msgspec.msgpack.encode(answer(lambda: asked))
        here = Path(folder) / "checkpoints"
        asked = msgspec.structs.replace(asked, checkpoints=str(here))
        done = answer(lambda: asked)
        if isinstance(done, Trained) and here.is_dir():
            left = {int(file.name): file.read_bytes() for file in here.iterdir()}
            done = msgspec.structs.replace(done, checkpoints=left)
        return msgspec.msgpack.encode(done)


def files_of(request: Request) -> set[str]:
    """Return the paths of all files that a piece of work reads."""
    audited = [one.evidence.data.file for one in _given(request) if one.evidence is not None]
    return {data.file for _, data in _data(request)} | set(audited)


def _data(request: Request) -> Iterator[tuple[str, Data]]:
    for name in ("data", "evaluation"):
        found = getattr(request, name, None)
        if found is not None:
            yield name, found


def _given(request: Request) -> list[Given]:
    return request.given if isinstance(request, Aggregate) else []


def _moved(request: Request, before: str, after: str) -> Request:
    changes = {
        name: msgspec.structs.replace(data, file=after)
        for name, data in _data(request)
        if data.file == before
    }
    moved = msgspec.structs.replace(request, **changes)
    if isinstance(moved, Aggregate):
        moved = msgspec.structs.replace(moved, given=[_shown(one, before, after) for one in moved.given])
    return moved


def _shown(one: Given, before: str, after: str) -> Given:
    if one.evidence is None or one.evidence.data.file != before:
        return one
    data = msgspec.structs.replace(one.evidence.data, file=after)
    return msgspec.structs.replace(one, evidence=msgspec.structs.replace(one.evidence, data=data))
