"""The workshop on a Ray cluster, for owners who have one: the same work, by the same code, on whichever node is free.

Work and its data files travel with the call, so nodes need this package and nothing else: no key, no shared folder. Unless its
owner sets it up to, Ray asks nobody for a password: whoever reaches the cluster runs what he likes on it, so it belongs in a
network of the owner's own.

A cluster may go away and come back: while it is away all work fails at once with the reason, and it is joined again as soon
as it answers.
"""

import asyncio
import importlib.util
from pathlib import Path
from typing import Self

import msgspec
import structlog

from protocol.errors import ConfigError
from runner.errors import ClusterAway
from runner.federated.messages import Request, Train, Trained
from runner.federated.ray_contact import REMEDY, ROOM, Contact
from runner.federated.workshop import Done, Workshop, unless_failed

_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 15.0

log = structlog.get_logger()


class RayWorkshop(Workshop):
    """Hands work to a cluster, several pieces at a time. Use it as a context manager, which lets go of the cluster."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self._address = address
        self._contact: Contact | None = None
        self._away: ClusterAway | None = None
        self._tried = asyncio.Event()
        self._keeping: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Begin to join the cluster, for which nothing waits. `ConfigError` if Ray is not installed or cannot be used."""
        if self._address == "local":
            # Ray would begin a cluster of the runner's own, which ends with it and needs memory that nobody planned.
            raise ConfigError("RUNNER_RAY_ADDRESS: a running cluster is wanted, not `local`", hint=REMEDY)
        if importlib.util.find_spec("ray") is None:
            raise ConfigError(
                "RUNNER_RAY_ADDRESS is set, and Ray is not installed", hint="pip install 'parity[ray]'"
            )
        self._keeping = asyncio.create_task(self._keep_joined())
        return self

    @property
    def fault(self) -> str | None:
        """Return why nothing can be done there, with the remedy: the cluster is away, or has no processor for what it was given.

        None while it works, or is tried for the first time.
        """
        if self._away is not None:
            return f"{self._away}. {self._away.hint}"
        queued = self._contact.queued if self._contact is not None else 0
        if not queued:
            return None
        return f"the Ray cluster at {self._address} has had no free processor for {queued} piece(s) of work. {ROOM}"

    @property
    def has_joined(self) -> bool:
        """Return whether the cluster is joined, and not known to be away."""
        return self._contact is not None

    async def joined(self) -> None:
        """Wait until it is known whether the cluster can be joined. `ClusterAway` if not."""
        await self._reached()

    def _beside(self) -> Workshop:
        return self  # a cluster does several pieces of work at a time

    async def close(self) -> None:
        """Let go of the cluster, which goes on."""
        keeping, self._keeping = self._keeping, None
        if keeping is not None:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)

    async def _keep_joined(self) -> None:
        """Join, and again whenever the cluster has gone, at growing intervals."""
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                async with Contact.made(self._address) as contact:
                    self._found(contact)
                    pause_s = _FIRST_PAUSE_S
                    self._lost(await contact.listen())
            except ClusterAway as error:
                self._lost(error)
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)

    def _found(self, contact: Contact) -> None:
        self._contact, self._away = contact, None
        self._tried.set()
        log.info("ray_joined", address=self._address)

    def _lost(self, error: ClusterAway) -> None:
        if str(error) != str(self._away):
            log.warning("ray_away", error=str(error), hint=error.hint)
        self._contact, self._away = None, error
        self._tried.set()

    async def _reached(self) -> Contact:
        await self._tried.wait()
        if self._away is not None:
            raise ClusterAway(str(self._away), hint=self._away.hint)
        assert self._contact is not None
        return self._contact

    async def _ask(self, work: Request) -> Done:
        contact = await self._reached()
        done = unless_failed(self._decoder.decode(await contact.ask(self._encoder.encode(work))))
        if isinstance(done, Trained) and isinstance(work, Train) and work.checkpoints is not None:
            await asyncio.to_thread(_leave, done.checkpoints, Path(work.checkpoints))
            done = msgspec.structs.replace(done, checkpoints={})
        return done


def _leave(checkpoints: dict[int, bytes], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for number, content in checkpoints.items():
        (folder / str(number)).write_bytes(content)
