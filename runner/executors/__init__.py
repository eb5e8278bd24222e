"""Executors: each does one kind of work and returns what an honest runner commits to."""

import asyncio
from dataclasses import dataclass
from typing import Protocol

from protocol.documents import LlmSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """Work done: the canonical result document and the tokens it is billed by.

    Audited work brings its fingerprint: the canonical document, and the Merkle root that is committed to.
    """

    result: bytes
    input_tokens: int
    output_tokens: int
    fingerprint: bytes | None = None
    fingerprint_root: bytes = bytes(32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A model that an engine has; `digest` is 64 hex digits, `context` tokens."""

    name: str
    digest: str
    context: int


class Executor(Protocol):
    """What the daemon asks of an executor."""

    @property
    def places(self) -> asyncio.Semaphore:
        """Return the places in front of the engine, which all who use it share."""
        ...

    async def models(self) -> tuple[Model, ...]:
        """List the models at hand. `EngineUnavailable` also tells that no work can be done now."""
        ...

    async def execute(self, spec: LlmSpec, task_id: bytes, *, audited: bool = False) -> Execution:
        """Do the work of one task, with a fingerprint if it may be audited.

        Raises `EngineUnavailable`, `EngineRefused`, `ExecutionInvalid`.
        """
        ...
