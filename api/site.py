"""The dashboard: static files that a browser may keep, and one document for all its pages."""

import gzip
import hashlib
import json
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from api.summary import summary

SOURCE = Path(__file__).parent / "dashboard"
BUILT = SOURCE / "dist"

_FOR_EVER = "public, max-age=31536000, immutable"
_ASK_AGAIN = "no-cache"
_PLACE = "<!--summary-->"
_COMPRESSIBLE = (".js", ".css", ".svg")
_NOT_BUILT = "The dashboard is not built: run `make dashboard`, then start the server again. The API itself works: /docs.\n"

mimetypes.add_type("font/woff2", ".woff2")
mimetypes.add_type("text/javascript", ".js")


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """One built file, as it is and compressed; `etag` names its content."""

    content: bytes
    compressed: bytes | None
    media_type: str
    cache: str
    etag: str


class Site:
    """The built dashboard, read once into memory: a few hundred kilobytes. Without a build, a page that says so."""

    def __init__(self, folder: Path = BUILT) -> None:
        self._files: Mapping[str, File] = dict(_read(folder)) if folder.is_dir() else {}
        index = self._files.get("/index.html")
        self._document = index.content.decode() if index else None

    def routes(self) -> list[BaseRoute]:
        """Return the routes of the pages and of the files that they load."""
        pages = json.loads((SOURCE / "routes.json").read_text(encoding="utf-8"))
        return [
            *(Route(path, self._page, name=f"page-{name}") for name, path in pages.items()),
            Route("/theme.js", self._file),
            Route("/assets/{name}", self._file),
        ]

    async def _page(self, request: Request) -> Response:
        if self._document is None:
            return PlainTextResponse(_NOT_BUILT, HTTPStatus.SERVICE_UNAVAILABLE)
        text = await summary(request.app.state.services, request.url.path)
        content = self._document.replace(_PLACE, text).encode()
        etag = _etag(content)
        headers = {"Cache-Control": _ASK_AGAIN, "ETag": etag}
        if _has(request, etag):
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
        return Response(content, media_type="text/html", headers=headers)

    async def _file(self, request: Request) -> Response:
        file = self._files.get(request.url.path)
        if file is None:
            raise HTTPException(HTTPStatus.NOT_FOUND, "no such file of the dashboard")
        headers = {"Cache-Control": file.cache, "ETag": file.etag, "Vary": "Accept-Encoding"}
        if _has(request, file.etag):
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
        content = file.content
        if file.compressed is not None and "gzip" in request.headers.get("accept-encoding", ""):
            content = file.compressed
            headers["Content-Encoding"] = "gzip"
        return Response(content, media_type=file.media_type, headers=headers)


def _read(folder: Path) -> list[tuple[str, File]]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return [("/" + path.relative_to(folder).as_posix(), _file(folder, path)) for path in paths]


def _file(folder: Path, path: Path) -> File:
    content = path.read_bytes()
    named_by_content = path.parent == folder / "assets"
    return File(
        content=content,
        compressed=gzip.compress(content, mtime=0) if path.suffix in _COMPRESSIBLE else None,
        media_type=mimetypes.guess_type(path.name)[0] or "application/octet-stream",
        cache=_FOR_EVER if named_by_content else _ASK_AGAIN,
        etag=_etag(content),
    )


def _etag(content: bytes) -> str:
    # Weak, since one tag stands for the content as it is and compressed.
    return f'W/"{hashlib.sha256(content).hexdigest()[:32]}"'


def _has(request: Request, etag: str) -> bool:
    known = {tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")}
    return etag.removeprefix("W/") in known
