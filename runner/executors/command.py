"""Commands, in a box: inputs and image by digest before the claim, what comes out by digest before the promise."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import structlog

from protocol.content import ContentStore
from protocol.documents import (
    Blob,
    CommandOffer,
    CommandResult,
    CommandSpec,
    StoredFile,
    canonical,
)
from protocol.errors import ContentMismatch, ContentTooLarge
from runner.executors import Execution
from runner.sandbox.box import Delivery, Job, run
from runner.sandbox.plan import Outcome
from runner.sandbox.probe import Box

FOLDER = "commands"
_MEBIBYTE = 1 << 20
_KIBIBYTE = 1 << 10
_READY = "ready"

log = structlog.get_logger()


class CommandExecutor:
    """Runs commands in boxes, at most `slots` at a time, each with `cpus` processors; what they need lies below `home`."""

    def __init__(
        self, store: ContentStore, box: Box, *, offer: CommandOffer, home: Path, slots: int, cpus: float
    ) -> None:
        self.offer = offer
        self._store = store
        self._box = box
        self._home = home / FOLDER
        self._slots = asyncio.Semaphore(slots)
        self._cpus = cpus
        shutil.rmtree(
            self._home, ignore_errors=True
        )  # of tasks that the last daemon left; they are fetched again

    async def prepare(self, spec: CommandSpec, task_id: bytes) -> None:
        """Fetch all that a command needs, so that a claim cannot fail for want of it.

        Raises `ContentUnavailable`, and `ContentMismatch` when a block is not as long as the spec says.
        """
        folder = self._home / task_id.hex()
        if (folder / _READY).exists():
            return
        shutil.rmtree(folder, ignore_errors=True)
        inputs = folder / "in"
        inputs.mkdir(parents=True)
        if spec.image is not None:
            await self._fetch(spec.image, folder / "image.tar")
        for file in spec.inputs:
            path = inputs / file.path
            path.parent.mkdir(parents=True, exist_ok=True)
            await self._fetch(file, path)
            path.chmod(0o755 if file.executable else 0o644)
        for shown in (inputs, *(path for path in inputs.rglob("*") if path.is_dir())):
            shown.chmod(0o755)  # whatever the runner's umask is: nobody reads them
        (folder / _READY).touch()

    def forget(self, task_id: bytes) -> None:
        """Let go of what was fetched for a task."""
        shutil.rmtree(self._home / task_id.hex(), ignore_errors=True)

    async def execute(self, spec: CommandSpec, task_id: bytes) -> Execution:
        """Run a command, store what it printed and wrote, and give the result document.

        Raises `SandboxUnavailable`, `ContentUnavailable`, `ContentMismatch`. How a command ends is never an error: an
        honest runner must be able to commit to whatever a stranger's command does.
        """
        async with self._slots:
            await self.prepare(spec, task_id)
            folder = self._home / task_id.hex()
            async with run(self._job(spec, folder), self._box.hierarchy) as delivery:
                result = await self._result(delivery, task_id)
        self.forget(task_id)
        log.info("command_ended", outcome=result.outcome, code=result.code, files=len(result.files))
        return Execution(result=_written(result), input_tokens=0, output_tokens=0)

    def _job(self, spec: CommandSpec, folder: Path) -> Job:
        limits = spec.limits
        return Job(
            argv=spec.argv,
            inputs=folder / "in",
            image=None if spec.image is None else folder / "image.tar",
            memory_bytes=limits.memory_mib * _MEBIBYTE,
            disk_bytes=limits.disk_mib * _MEBIBYTE,
            output_bytes=limits.output_kib * _KIBIBYTE,
            processes=limits.processes,
            cpus=self._cpus,
            wall_s=limits.wall_s,
            files=limits.files,
        )

    async def _result(self, delivery: Delivery, task_id: bytes) -> CommandResult:
        parcel = delivery.parcel
        task = "0x" + task_id.hex()
        if not parcel.outcome.has_output:
            return CommandResult(task=task, outcome=parcel.outcome.value)
        stdout = await self._keep(delivery, parcel.stdout)
        stderr = await self._keep(delivery, parcel.stderr)
        files = []
        for path, size, executable in parcel.files:
            blob = await self._keep(delivery, size)
            files.append(StoredFile(path=path, executable=executable, size=blob.size, blocks=blob.blocks))
        return CommandResult(
            task=task,
            outcome=parcel.outcome.value,
            code=parcel.code,
            stdout=stdout,
            stderr=stderr,
            files=tuple(files),
            left_out=parcel.left_out,
        )

    async def _keep(self, delivery: Delivery, size: int) -> Blob:
        blocks = [(await self._store.add(piece)).hex() async for piece in delivery.pieces(size)]
        return Blob(size=size, blocks=tuple(blocks))

    async def _fetch(self, blob: Blob, path: Path) -> None:
        with path.open("wb") as file:
            async for block in self._blocks(blob):
                file.write(block)

    async def _blocks(self, blob: Blob) -> AsyncIterator[bytes]:
        for digest, size in zip(blob.blocks, blob.sizes(), strict=True):
            block = await self._store.get(bytes.fromhex(digest))
            if len(block) != size:
                raise ContentMismatch(
                    f"block {digest}: {len(block):,} bytes; the spec says {size:,}",
                    hint="The spec is wrong; its author has to write it again.",
                )
            yield block


def _written(result: CommandResult) -> bytes:
    """Write the result; one that names more than a document holds came to too much output."""
    try:
        return canonical(result)
    except ContentTooLarge:
        return canonical(CommandResult(task=result.task, outcome=Outcome.OUTPUT.value))
