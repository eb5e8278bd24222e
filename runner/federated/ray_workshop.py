"""The workshop on a Ray cluster, for owners who have one: the same work, by the same code, on whichever node is free.

Work and its data files travel with the call, so nodes need this package and nothing else: no key, no shared folder. Ray asks
nobody for a password: whoever reaches the cluster runs what he likes on it, so it belongs in a network of the owner's own.
"""

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import msgspec
import structlog

from protocol.errors import ConfigError
from runner.errors import EngineUnavailable
from runner.federated.messages import Aggregate, Data, Given, Request, Train, Trained
from runner.federated.workshop import Done, Workshop, unless_failed

_REMEDY = "Start it with `ray start --head`, and set RUNNER_RAY_ADDRESS to what it prints (host:6379 or ray://host:10001)."

log = structlog.get_logger()


class RayWorkshop(Workshop):
    """Hands work to a cluster, several pieces at a time. Use it as a context manager, which lets go of the cluster."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self._address = address
        self._remote: Any = None

    async def __aenter__(self) -> Self:
        """Join the cluster. `ConfigError` if Ray is not installed, or the address is not of a running cluster."""
        if self._address == "local":
            # A cluster begun here would inherit the daemon's environment, and with it the node key.
            raise ConfigError("RUNNER_RAY_ADDRESS: a running cluster is wanted, not `local`", hint=_REMEDY)
        await asyncio.to_thread(self._join)
        log.info("ray_joined", address=self._address)
        return self

    def _join(self) -> None:
        try:
            import ray  # noqa: PLC0415 (an extra)
        except ImportError as error:
            raise ConfigError(
                "RUNNER_RAY_ADDRESS is set, and Ray is not installed", hint="pip install 'parity[ray]'"
            ) from error
        try:
            ray.init(
                address=self._address,
                namespace="parity",
                log_to_driver=False,
                configure_logging=False,
            )
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise ConfigError(
                f"RUNNER_RAY_ADDRESS: no cluster answers at {self._address} ({error})", hint=_REMEDY
            ) from error
        self._remote = ray.remote(num_cpus=1, max_retries=0)(done_by_a_node)

    def _beside(self) -> Workshop:
        return self  # a cluster does several pieces of work at a time

    async def close(self) -> None:
        """Let go of the cluster, which goes on."""
        if self._remote is not None:
            import ray  # noqa: PLC0415 (an extra)

            self._remote = None
            await asyncio.to_thread(ray.shutdown)

    async def _ask(self, work: Request) -> Done:
        done = unless_failed(self._decoder.decode(await self._done(work)))
        if isinstance(done, Trained) and isinstance(work, Train) and work.checkpoints is not None:
            await asyncio.to_thread(_leave, done.checkpoints, Path(work.checkpoints))
            done = msgspec.structs.replace(done, checkpoints={})
        return done

    async def _done(self, request: Request) -> bytes:
        """Have a node do the work. `EngineUnavailable` when it or the cluster is lost."""
        import ray  # noqa: PLC0415 (an extra)

        files = await asyncio.to_thread(lambda: {path: Path(path).read_bytes() for path in _files(request)})
        answer = self._remote.remote(self._encoder.encode(request), files)
        try:
            return bytes(await asyncio.wrap_future(answer.future()))
        except asyncio.CancelledError:
            ray.cancel(answer, force=True)
            raise
        except ray.exceptions.RayError as error:
            raise EngineUnavailable(
                f"the Ray cluster at {self._address} did not do it ({type(error).__name__})",
                hint="Look at `ray status`; the work is tried again.",
            ) from error


def done_by_a_node(request: bytes, files: dict[str, bytes]) -> bytes:
    """Do one piece of work on a node of the cluster, with the files that came along."""
    from runner.federated.worker import answer  # noqa: PLC0415 (loads torch, which the daemon never does)

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


def _leave(checkpoints: dict[int, bytes], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for number, content in checkpoints.items():
        (folder / str(number)).write_bytes(content)


def _data(request: Request) -> Iterator[tuple[str, Data]]:
    for name in ("data", "evaluation"):
        found = getattr(request, name, None)
        if found is not None:
            yield name, found


def _files(request: Request) -> set[str]:
    audited = [one.evidence.data.file for one in _given(request) if one.evidence is not None]
    return {data.file for _, data in _data(request)} | set(audited)


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
