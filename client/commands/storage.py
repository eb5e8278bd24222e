"""`storage`: files and folders on IPFS, such as data sets and models."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from client.commands.options import Json
from client.commands.printer import Printer, aligned, note, table
from client.commands.progress import Tell, progress
from client.commands.running import command, read_settings

if TYPE_CHECKING:
    from client.storage import ContentInfo, Storage, Told

CidArgument = Annotated[
    str,
    typer.Argument(metavar="CID", help="A content identifier: Qm…, bafy… or bafkrei….", show_default=False),
]
MaxBytes = Annotated[
    int, typer.Option("--max-bytes", min=1, metavar="BYTES", help="Refuse content larger than this.")
]
_DEFAULT_MAX_BYTES = 1 << 30
_SHOWN_FILES = 20


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    group = typer.Typer(
        help="Files and folders on IPFS: data sets, models.", no_args_is_help=True, rich_markup_mode=None
    )
    command(group, "upload-file", example="parity-client storage upload-file digits.csv")(_upload_file)
    command(group, "upload-dir", example="parity-client storage upload-dir photos/")(_upload_dir)
    command(group, "download", example="parity-client storage download bafkrei… -o digits.csv")(_download)
    command(group, "info", example="parity-client storage info bafkrei…")(_info)
    command(group, "pin", example="parity-client storage pin bafkrei…")(_pin)
    command(group, "unpin", example="parity-client storage unpin bafkrei…")(_unpin)
    app.add_typer(group, name="storage")


async def _upload_file(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="The file.", show_default=False)],
    *,
    as_json: Json = False,
) -> None:
    """Store and pin a file on IPFS. Anyone who learns its CID can read it.

    The CID is computed locally and compared with the node's.
    """
    with progress(f"uploading {path.name}") as tell:
        stored = await _storage().upload_file(path, on_progress=_telling(tell))
    note(f"{stored.size:,} bytes of {path.name}")
    Printer(as_json=as_json).result(stored, text=[stored.cid])


async def _upload_dir(
    path: Annotated[Path, typer.Argument(metavar="FOLDER", help="The folder.", show_default=False)],
    *,
    as_json: Json = False,
) -> None:
    """Store all files of a folder on IPFS, and a listing of them whose CID stands for the folder.

    `storage download` of that CID recreates the folder. Symbolic links are refused.
    """
    with progress(f"uploading {path.name}") as tell:
        stored = await _storage().upload_folder(path, on_progress=_telling(tell))
    note(f"{len(stored.files):,} files, {stored.size:,} bytes")
    Printer(as_json=as_json).result(stored, text=[stored.cid])


async def _download(
    cid: CidArgument,
    *,
    output: Annotated[
        Path,
        typer.Option("-o", "--output", metavar="PATH", help="Where to write it.", show_default=False),
    ],
    replace: Annotated[bool, typer.Option("--replace", help="Overwrite an existing file.")] = False,
    max_bytes: MaxBytes = _DEFAULT_MAX_BYTES,
    as_json: Json = False,
) -> None:
    """Fetch a file, or a folder that upload-dir stored, and check every byte against the CID.

    Files appear under their names only when they are complete and verified.
    """
    with progress(f"fetching {cid}") as tell:
        stored = await _storage().download(
            cid, output, replace=replace, max_bytes=max_bytes, on_progress=_telling(tell)
        )
    Printer(as_json=as_json).result(stored, text=[f"{stored.size:,} bytes, checked, in {stored.path}"])


async def _info(cid: CidArgument, *, max_bytes: MaxBytes = _DEFAULT_MAX_BYTES, as_json: Json = False) -> None:
    """Fetch and verify what a CID names, and describe it."""
    with progress(f"fetching {cid}"):
        info = await _storage().info(cid, max_bytes=max_bytes)
    Printer(as_json=as_json).result(info, text=_info_lines(info))


async def _pin(cid: CidArgument, *, as_json: Json = False) -> None:
    """Pin a file, or a folder with all its files, on the IPFS node."""
    with progress(f"pinning {cid}"):
        count = await _storage().pin(cid)
    Printer(as_json=as_json).result({"cid": cid, "pinned": count}, text=[f"pinned {_things(count)}"])


async def _unpin(cid: CidArgument, *, as_json: Json = False) -> None:
    """Unpin a file, or a folder with all its files, so that the IPFS node may delete it."""
    with progress(f"unpinning {cid}"):
        count = await _storage().unpin(cid)
    text = [f"unpinned {_things(count)}" if count else "was not pinned"]
    Printer(as_json=as_json).result({"cid": cid, "unpinned": count}, text=text)


def _storage() -> "Storage":
    from client.storage import Storage  # noqa: PLC0415 (with the next: 0.2 s that --help need not spend)
    from protocol.files import FileStore  # noqa: PLC0415

    settings = read_settings()
    return Storage(FileStore(settings.ipfs_api, timeout_s=settings.ipfs_timeout_s))


def _telling(tell: Tell) -> "Told":
    """Pass on how far a transfer is, a line for each tenth of what is known, or for each 16 MiB."""
    last: dict[str, int] = {}

    def told(name: str, done: int, total: int | None) -> None:
        step = done * 10 // total if total else done >> 24
        if last.get(name) != step and done:
            last[name] = step
            tell(f"{name}: {done:,} of {total:,} bytes" if total else f"{name}: {done:,} bytes")

    return told


def _things(count: int) -> str:
    return "1 file" if count == 1 else f"{count:,} files"


def _info_lines(info: "ContentInfo") -> list[str]:
    fields = [
        ("cid", info.cid),
        ("as CIDv1", info.cid_v1),
        ("as CIDv0", info.cid_v0 or "none: a raw block has none"),
        ("is", f"a folder of {len(info.files):,} files" if info.files else "a file"),
        ("size", f"{info.size:,} bytes"),
        ("sha256", info.sha256),
        ("checked", f"every byte, in chunks of {info.chunk_bytes:,}"),
    ]
    rows = [(file.path, f"{file.size:,}", file.cid) for file in (info.files or ())[:_SHOWN_FILES]]
    return aligned(fields) + (["", *table(("PATH", "BYTES", "CID"), rows)] if rows else [])
