"""A session's documents and data, checked against the digests that the chain and each other give.

They are fetched once, and kept until the session is over: whoever published them may take them away when others have bound
themselves to work on them.
"""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import msgspec

from learning.assignment import PartitionIndex
from learning.errors import LearningError
from learning.model_spec import RandomForest
from learning.session_config import SessionConfig
from protocol.cid import digest_of
from protocol.content import ContentStore
from protocol.errors import ContentMismatch
from protocol.files import FileStore
from protocol.parts import fetch_parts
from protocol.session import Aggregate
from runner.errors import ExecutionInvalid
from runner.federated.board import Round
from runner.federated.diary import Entry
from runner.federated.messages import Data, Rehearse

MAX_BYTES = 1 << 30
"""The longest content that is fetched for a session."""
_MAX_LIST_BYTES = 1 << 28


class _File(msgspec.Struct, frozen=True):
    sha256: str
    parts: str


class _Card(msgspec.Struct, frozen=True):
    """The part of a model card that says where its model lies."""

    file: _File


class Papers:
    """Fetches what sessions name. `private` maps a session's id or a creator's address, lower case, to a file.

    Every method raises `ContentUnavailable`, `ContentMismatch`, `ContentTooLarge`; and `ExecutionInvalid` for content that
    is not what the session needs.
    """

    def __init__(
        self, store: ContentStore, files: FileStore, *, folder: Path, private: Mapping[str, Path]
    ) -> None:
        self.store = store
        self._files = files
        self._folder = folder
        self._private = private
        self._configs: dict[bytes, SessionConfig] = {}
        self._indices: dict[bytes, PartitionIndex] = {}
        self._fetching = asyncio.Lock()

    async def config(self, entry: Entry) -> SessionConfig:
        """Return a session's configuration."""
        digest = entry.order.config
        if digest not in self._configs:
            content = await self._kept(entry, "config", lambda: self.store.get(digest))
            try:
                config = SessionConfig.parse(content)
            except LearningError as error:
                raise ExecutionInvalid(f"the session's configuration cannot be used: {error}") from error
            if config.canonical() != content:
                raise ExecutionInvalid("the session's configuration is not canonical JSON")
            self._configs[digest] = config
        return self._configs[digest]

    def private_file(self, entry: Entry) -> Path | None:
        """Return the owner's own file for a session, if there is one."""
        return self._private.get("0x" + entry.session.hex()) or self._private.get(entry.order.creator.lower())

    async def index(self, entry: Entry, config: SessionConfig) -> PartitionIndex | None:
        """Return where the lists of samples lie; none where participants bring their own."""
        if config.partition.index is None:
            return None
        digest = bytes.fromhex(config.partition.index)
        if digest not in self._indices:
            try:
                content = await self._kept(entry, "index", lambda: self.store.get(digest))
                index = PartitionIndex.parse(content)
            except LearningError as error:
                raise ExecutionInvalid(f"the session's partition cannot be used: {error}") from error
            if index.root != config.partition.root or len(index.lists) != config.partition.participants:
                raise ExecutionInvalid("partition.index is not of the session's partition")
            self._indices[digest] = index
        return self._indices[digest]

    async def first(self, entry: Entry, config: SessionConfig) -> bytes | None:
        """Return the model's file that the session begins with; none where its weights are drawn from the seed."""
        if isinstance(config.model, RandomForest) or config.model.init is None:
            return None
        return await self._parts(entry, config.model.init, max_bytes=MAX_BYTES)

    async def rehearsal(self, entry: Entry, config: SessionConfig) -> Rehearse:
        """Fetch everything that the session will ask for, whichever slot is had."""
        index = await self.index(entry, config)
        places = () if index is None else index.lists
        longest = max(range(len(places)), key=lambda slot: places[slot].samples, default=0)
        return Rehearse(
            config=config.canonical(),
            data=await self.share(entry, config, longest),
            evaluation=await self.evaluation(entry, config),
            lists=[await self._list(entry, place.parts) for place in places],
            sizes=[place.samples for place in places],
            first=await self.first(entry, config),
        )

    async def share(self, entry: Entry, config: SessionConfig, slot: int) -> Data:
        """Return the samples that a slot trains on: its list's, or the owner's own file."""
        index = await self.index(entry, config)
        if not config.dataset.cid or index is None:
            own = self.private_file(entry)
            if own is None or not own.is_file():
                raise ExecutionInvalid(
                    f"RUNNER_PRIVATE_DATA: there is no file for session 0x{entry.session.hex()}"
                )
            return Data(file=str(own.resolve()))
        rows = await self._list(entry, index.lists[slot].parts)
        return Data(file=str(await self._file(entry, config.dataset.cid)), rows=rows)

    async def evaluation(self, entry: Entry, config: SessionConfig) -> Data:
        """Return the samples that rounds are measured on."""
        if config.dataset.evaluation_cid:
            return Data(file=str(await self._file(entry, config.dataset.evaluation_cid)))
        index = await self.index(entry, config)
        if index is None or index.evaluation is None:
            raise ExecutionInvalid("the session's partition holds out no samples to evaluate on")
        rows = await self._list(entry, index.evaluation.parts)
        return Data(file=str(await self._file(entry, config.dataset.cid)), rows=rows)

    async def base(
        self, entry: Entry, config: SessionConfig, rounds: Mapping[int, Round], number: int
    ) -> bytes | None:
        """Return the model's file with which a round begins; none where its weights are drawn from the seed."""
        if number == 1:
            return await self.first(entry, config)
        settled = rounds[number - 1].settled
        assert settled is not None
        return await self.model(settled)

    async def model(self, settled: Aggregate) -> bytes:
        """Fetch the model file that a round ended with."""
        content = await self.store.get(settled.manifest)
        try:
            file = msgspec.json.decode(content, type=_Card).file
            root = bytes.fromhex(file.parts)
        except (msgspec.MsgspecError, ValueError) as error:
            raise ExecutionInvalid(f"the round's card does not say where its model lies: {error}") from error
        model = await fetch_parts(self.store, root, max_bytes=MAX_BYTES)
        if digest_of(model) != settled.model:
            raise ContentMismatch("the round's card names another model than the chain")
        return model

    def checkpoints(self, entry: Entry, number: int) -> Path:
        """Name the folder of a round's checkpoints."""
        return self._of(entry).resolve() / f"round-{number}"

    async def drop_checkpoints(self, entry: Entry, *, before: int) -> None:
        """Delete the checkpoints of earlier rounds."""
        folder = self._of(entry)
        for number in range(1, before):
            if (folder / f"round-{number}").exists():
                await asyncio.to_thread(shutil.rmtree, self.checkpoints(entry, number), ignore_errors=True)

    async def drop(self, entry: Entry) -> None:
        """Delete a session's files."""
        await asyncio.to_thread(shutil.rmtree, self._of(entry), ignore_errors=True)

    def _of(self, entry: Entry) -> Path:
        return self._folder / entry.session.hex()[:16]

    async def _list(self, entry: Entry, root: str) -> bytes:
        return await self._parts(entry, root, max_bytes=_MAX_LIST_BYTES)

    async def _parts(self, entry: Entry, root: str, *, max_bytes: int) -> bytes:
        return await self._kept(
            entry, root, lambda: fetch_parts(self.store, bytes.fromhex(root), max_bytes=max_bytes)
        )

    async def _kept(self, entry: Entry, name: str, fetch: Callable[[], Awaitable[bytes]]) -> bytes:
        path = self._of(entry) / name
        try:
            return await asyncio.to_thread(path.read_bytes)
        except FileNotFoundError:
            content = await fetch()
            await asyncio.to_thread(_lay, path, content)
            return content

    async def _file(self, entry: Entry, cid: str) -> Path:
        """Fetch a file into the session's folder, whole or not at all."""
        path = self._of(entry) / digest_of(cid.encode()).hex()[:16]
        async with self._fetching:
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                part = path.with_suffix(".part")
                with part.open("w+b") as into:
                    await self._files.download(cid, into, max_bytes=MAX_BYTES)
                part.rename(path)
        return path.resolve()


def _lay(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, whoever else does the same."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, part = tempfile.mkstemp(dir=path.parent, suffix=".part")
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    Path(part).rename(path)
