"""The training process: started with an empty environment when there is work, asked over pipes, ended with the daemon.

It sees the files it is given and nothing of the daemon's keys. One piece of work at a time: a device has one processor.
"""

import asyncio
import contextlib
import struct
import sys
from typing import Self

import msgspec
import structlog

from runner.errors import EngineUnavailable, ExecutionInvalid
from runner.federated.messages import (
    Aggregate,
    Aggregated,
    Failed,
    Rehearse,
    Rehearsed,
    Request,
    Response,
    Train,
    Trained,
)

LENGTH = struct.Struct(">Q")
_STOP_S = 5.0

Done = Rehearsed | Trained | Aggregated

log = structlog.get_logger()


class Workshop:
    """Hands work to the training process. Use it as a context manager, which ends the process."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._apart: Workshop | None = None
        self._turn = asyncio.Lock()
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(Response)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def fault(self) -> str | None:
        """Return why no work can be done now, with the remedy: nothing, for the process is started when it is needed."""
        return None

    async def rehearse(self, work: Rehearse) -> Rehearsed:
        """Try a session before it is joined; errors as `train`."""
        answer = await self._ask(work)
        assert isinstance(answer, Rehearsed)
        return answer

    async def train(self, work: Train, *, apart: bool = False) -> Trained:
        """Train. `ExecutionInvalid` says what is wrong with the session, `EngineUnavailable` that the process died.

        With `apart` in a process of its own, for which nothing else has to wait.
        """
        if apart:
            return await self._beside().train(work)
        answer = await self._ask(work)
        assert isinstance(answer, Trained)
        return answer

    async def aggregate(self, work: Aggregate) -> Aggregated:
        """Aggregate; errors as `train`."""
        answer = await self._ask(work)
        assert isinstance(answer, Aggregated)
        return answer

    def _beside(self) -> "Workshop":
        self._apart = self._apart or Workshop()
        return self._apart

    async def close(self) -> None:
        """End the process, and the one beside it."""
        if self._apart is not None:
            await self._apart.close()
        await self._end()

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), _STOP_S)

    async def _ask(self, work: Request) -> Done:
        async with self._turn:
            try:
                answer = await self._exchange(self._encoder.encode(work))
            except asyncio.CancelledError:
                await self._end()  # what nobody waits for must not keep the next one waiting
                raise
            except (OSError, asyncio.IncompleteReadError, msgspec.MsgspecError) as error:
                await self._end()
                raise EngineUnavailable(
                    "the training process ended before it answered",
                    hint="Look for a lack of memory; it is started again.",
                ) from error
        return unless_failed(answer)

    async def _exchange(self, request: bytes) -> Response:
        process = await self._running()
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(LENGTH.pack(len(request)) + request)
        await process.stdin.drain()
        (size,) = LENGTH.unpack(await process.stdout.readexactly(LENGTH.size))
        answer: Response = self._decoder.decode(await process.stdout.readexactly(size))
        return answer

    async def _running(self) -> asyncio.subprocess.Process:
        if self._process is None or self._process.returncode is not None:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-m", "runner.federated.worker"),
                env={},
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                start_new_session=True,
            )
        return self._process


def unless_failed(answer: Response) -> Done:
    """Return an answer that is one; `ExecutionInvalid` says what is wrong with what was asked."""
    if isinstance(answer, Failed):
        if answer.ours:
            log.error("training_broke", reason=answer.reason)
        raise ExecutionInvalid(answer.reason)
    return answer
