"""Files and folders on IPFS, for data sets and models: put there, fetched and checked, kept and let go.

A folder is its files and one listing of them, a file itself, whose CID names the folder: that works on every node, and
every byte is checked on the way back.
"""

import asyncio
import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Annotated, Literal, Self

import rfc8785
from pydantic import Field, ValidationError, field_validator, model_validator

from protocol.documents import Document, input_error
from protocol.errors import ContentTooLarge, InputError
from protocol.files import MAX_FILE_BYTES, FileStore
from protocol.unixfs import DAG_PB, Cid, layout_of, parse_cid

MAX_FILES = 10_000
_MAX_LISTING_BYTES = 8 << 20
_LISTING_START = b'{"files":['

Told = Callable[[str, int, int | None], None]
"""Is told the name of what moves, how many bytes of it have passed, and how many there are, if that is known."""


class ListedFile(Document):
    """One file of a folder: its path below the folder, with / between the names."""

    path: Annotated[str, Field(min_length=1, max_length=1_024)]
    cid: Annotated[str, Field(min_length=1, max_length=128)]
    size: Annotated[int, Field(strict=True, ge=0)]

    @field_validator("path")
    @classmethod
    def _stays_below(cls, path: str) -> str:
        parts = path.split("/")
        if any(part in ("", ".", "..") or "\\" in part or "\0" in part for part in parts) or ":" in parts[0]:
            raise ValueError(f"{path!r:.80} does not lie below the folder")
        return path


class FolderListing(Document):
    """What a folder holds, in the order of the paths."""

    kind: Literal["folder"] = "folder"
    version: Literal[1] = 1
    files: tuple[ListedFile, ...] = Field(min_length=1, max_length=MAX_FILES)

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        paths = [file.path for file in self.files]
        if paths != sorted(set(paths)):
            raise ValueError("files: not each path once, in order")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """A file on IPFS. `size` counts its bytes."""

    path: str
    cid: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFolder:
    """A folder on IPFS; `cid` names its listing, `size` counts the bytes of all its files."""

    path: str
    cid: str
    size: int
    files: tuple[StoredFile, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentInfo:
    """What a CID names. `cid_v0` is there where the content has such a name; `chunk_bytes` is how it was cut."""

    cid: str
    cid_v1: str
    cid_v0: str | None
    codec: str
    size: int
    sha256: str
    chunk_bytes: int
    files: tuple[StoredFile, ...] | None


class Storage:
    """Files and folders on an IPFS node.

    Every method may raise `ContentUnavailable`; those that read, `ContentMismatch`, `ContentTooLarge` and `InputError`
    naming what is no CID.
    """

    def __init__(self, files: FileStore) -> None:
        self._files = files

    async def upload_file(self, path: Path, *, on_progress: Told | None = None) -> StoredFile:
        """Store and pin a file; `InputError` if it cannot be read."""
        told = on_progress or _ignore
        with _opened(path) as file:
            size = os.fstat(file.fileno()).st_size
            cid = await self._files.upload(
                file, name=path.name, on_progress=lambda done: told(path.name, done, size)
            )
        return StoredFile(path=str(path), cid=cid, size=size)

    async def upload_folder(self, path: Path, *, on_progress: Told | None = None) -> StoredFolder:
        """Store and pin all files below a folder, and then the listing that names them.

        Raises `InputError` for a folder without files, or with more than `MAX_FILES`, or with links.
        """
        found = _files_below(path)
        listed = []
        for name, file in found:
            stored = await self.upload_file(file, on_progress=on_progress)
            listed.append(ListedFile(path=name, cid=stored.cid, size=stored.size))
        listing = FolderListing(files=tuple(listed))
        with tempfile.TemporaryFile() as written:
            written.write(rfc8785.dumps(listing.model_dump(mode="json", exclude_none=True)))
            cid = await self._files.upload(written, name="listing")
        return StoredFolder(
            path=str(path), cid=cid, size=sum(one.size for one in listed), files=_stored(listing)
        )

    async def download(
        self,
        cid: str,
        target: Path,
        *,
        replace: bool = False,
        max_bytes: int = MAX_FILE_BYTES,
        on_progress: Told | None = None,
    ) -> StoredFile | StoredFolder:
        """Write a file, or a folder's files, to `target`; what is not whole and checked does not get its name.

        Raises `InputError` where `target` exists, unless it is a file to be replaced.
        """
        _require_free(target, replace=replace)
        stored = await self._download_file(cid, target, max_bytes=max_bytes, told=on_progress or _ignore)
        listing = _listing_in(target)
        if listing is None:
            return stored
        return await self._unfold(cid, listing, target, max_bytes=max_bytes, told=on_progress or _ignore)

    async def info(self, cid: str, *, max_bytes: int = MAX_FILE_BYTES) -> ContentInfo:
        """Fetch what a CID names, check it, and say what it is."""
        wanted = parse_cid(cid)
        with tempfile.NamedTemporaryFile() as file:
            size = await self._files.download(cid, file, max_bytes=max_bytes)
            file.flush()
            layout = layout_of(file, wanted)
            file.seek(0)
            total = hashlib.file_digest(file, "sha256").hexdigest()
            listing = _listing_in(Path(file.name))
        return ContentInfo(
            cid=cid,
            cid_v1=str(wanted.modern),
            cid_v0=str(Cid(0, DAG_PB, wanted.digest)) if wanted.codec == DAG_PB else None,
            codec="raw" if wanted.is_raw else "dag-pb",
            size=size,
            sha256=total,
            chunk_bytes=layout.chunk_bytes if layout else 0,
            files=_stored(listing) if listing else None,
        )

    async def pin(self, cid: str) -> int:
        """Keep a file, or a folder with all its files, and give how many were pinned."""
        names = await self._names(cid)
        for name in names:
            await self._files.pin(name)
        return len(names)

    async def unpin(self, cid: str) -> int:
        """Let a file go, or a folder with all its files, and give how many had been pinned."""
        return sum([await self._files.unpin(name) for name in reversed(await self._names(cid))])

    async def _names(self, cid: str) -> list[str]:
        """List a folder's files and then the folder; a file alone is itself."""
        parse_cid(cid)
        with tempfile.NamedTemporaryFile() as file:
            try:
                await self._files.download(cid, file, max_bytes=_MAX_LISTING_BYTES)
            except ContentTooLarge:
                return [cid]
            file.flush()
            listing = _listing_in(Path(file.name))
        return [*(one.cid for one in listing.files), cid] if listing else [cid]

    async def _download_file(self, cid: str, target: Path, *, max_bytes: int, told: Told) -> StoredFile:
        with _becoming(target) as part:
            size = await self._files.download(
                cid, part, max_bytes=max_bytes, on_progress=lambda done: told(target.name, done, None)
            )
        return StoredFile(path=str(target), cid=cid, size=size)

    async def _unfold(
        self, cid: str, listing: FolderListing, target: Path, *, max_bytes: int, told: Told
    ) -> StoredFolder:
        await asyncio.to_thread(target.unlink)
        for file in listing.files:
            await self._download_file(
                file.cid, target / PurePosixPath(file.path), max_bytes=max_bytes, told=told
            )
        total = sum(file.size for file in listing.files)
        return StoredFolder(path=str(target), cid=cid, size=total, files=_stored(listing))


def _files_below(folder: Path) -> list[tuple[str, Path]]:
    if not folder.is_dir():
        raise InputError(
            f"{folder}: no such folder", field="FOLDER", hint="Pass a folder; for one file use upload-file."
        )
    found = []
    for path in folder.rglob("*"):
        if path.is_symlink():
            raise InputError(
                f"{path}: is a link",
                field="FOLDER",
                hint="Replace the link by the file itself, or move it away.",
            )
        if path.is_file():
            found.append((path.relative_to(folder).as_posix(), path))
    if not 1 <= len(found) <= MAX_FILES:
        raise InputError(
            f"{folder}: {len(found)} files",
            field="FOLDER",
            hint=f"Pass a folder with 1 to {MAX_FILES:,} files.",
        )
    return sorted(found)


def _listing_in(path: Path) -> FolderListing | None:
    """Read a file as a folder's listing; `None` if it is none. `InputError` for one whose paths lead elsewhere."""
    with path.open("rb") as file:
        if file.read(len(_LISTING_START)) != _LISTING_START or path.stat().st_size > _MAX_LISTING_BYTES:
            return None
        file.seek(0)
        content = file.read()
    if b'"kind":"folder"' not in content:
        return None
    try:
        return FolderListing.model_validate_json(content)
    except ValidationError as error:
        raise input_error(error) from error


def _stored(listing: FolderListing) -> tuple[StoredFile, ...]:
    return tuple(StoredFile(path=file.path, cid=file.cid, size=file.size) for file in listing.files)


def _opened(path: Path) -> IO[bytes]:
    try:
        if path.is_dir():
            raise InputError(f"{path}: is a folder", field="FILE", hint="Use upload-dir for a folder.")
        return path.open("rb")
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error.strerror})",
            field="FILE",
            hint="Check the path and its permissions.",
        ) from error


def _require_free(target: Path, *, replace: bool) -> None:
    if target.exists() and (target.is_dir() or not replace):
        raise InputError(
            f"{target}: exists already",
            field="-o",
            hint="Choose another name, or --replace the file that is there.",
        )


@contextmanager
def _becoming(target: Path) -> Iterator[IO[bytes]]:
    """Yield a file to write that becomes `target` when the block is left without an error, and else goes away."""
    part: Path | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.", delete=False) as file:
            part = Path(file.name)
            yield file
        part.chmod(0o644)
        part.replace(target)
    except OSError as error:
        raise _unwritable(target, error) from error
    finally:
        if part is not None:
            part.unlink(missing_ok=True)


def _unwritable(path: Path, error: OSError) -> InputError:
    return InputError(
        f"{path}: cannot be written ({error.strerror})", field="-o", hint="Choose another place."
    )


def _ignore(_name: str, _done: int, _total: int | None) -> None:
    """Nobody wants to know."""
