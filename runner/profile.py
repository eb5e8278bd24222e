"""What this runner offers, published: the profile document on IPFS, its digest on chain."""

import time
from collections.abc import Callable, Iterable
from typing import Literal

import structlog

from protocol.chain import Chain
from protocol.cid import digest_of
from protocol.content import ContentStore
from protocol.documents import CommandLimits, CommandOffer, ModelOffer, RunnerProfile, canonical
from protocol.sender import Sender
from runner.executors import Model
from runner.journal import Journal
from runner.settings import RunnerSettings

MOST_OUTPUT_KIB = 4_096
MOST_FILES = 1_024
"""What the document of a result has room for."""

_FIRST_PAUSE_S = 15.0
_LONGEST_PAUSE_S = 3_600.0
"""How long somebody else's profile is left in the place of this runner's: at the first time, and at most."""

log = structlog.get_logger()


def offers_of(models: Iterable[Model], settings: RunnerSettings) -> dict[str, ModelOffer]:
    """Price the models that the owner offers, keyed by `name@sha256:digest`."""
    offered = [
        ModelOffer(
            name=model.name,
            digest=model.digest,
            context=model.context,
            input_price=str(settings.runner_input_price),
            output_price=str(settings.runner_output_price),
            compared=settings.runner_compared_prompts,
        )
        for model in models
        if not settings.runner_models or model.name in settings.runner_models
    ]
    return {offer.reference: offer for offer in offered}


def commands_of(settings: RunnerSettings, *, level: Literal["namespaces"]) -> CommandOffer:
    """Write down which commands the owner takes, in a box of the given level."""
    limits = CommandLimits(
        memory_mib=settings.runner_command_memory_mib,
        disk_mib=settings.runner_command_disk_mib,
        processes=settings.runner_command_processes,
        wall_s=settings.runner_command_wall_s,
        output_kib=MOST_OUTPUT_KIB,
        files=MOST_FILES,
    )
    return CommandOffer(
        level=level,
        images=settings.runner_command_images,
        limits=limits,
        price_per_s=str(settings.runner_command_price),
    )


def profile_of(
    offers: Iterable[ModelOffer], settings: RunnerSettings, *, commands: CommandOffer | None = None
) -> RunnerProfile:
    """Write the profile; the order of models in it is fixed, so that equal offers have one digest."""
    models = tuple(sorted(offers, key=lambda offer: offer.reference))
    return RunnerProfile(
        label=settings.runner_label,
        models=models,
        slots=settings.runner_slots,
        url=settings.stream_url,
        commands=commands,
    )


class Publisher:
    """Keeps the published profile equal to what is offered.

    A profile that somebody else puts in its place is left there for a while, each time for longer: two processes with one node key
    would replace each other's for ever, and pay for each time.
    """

    def __init__(
        self,
        *,
        chain: Chain,
        sender: Sender,
        store: ContentStore,
        journal: Journal,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._published: bytes | None = None
        self._replaced = 0
        self._again_at: float | None = None
        self._chain = chain
        self._sender = sender
        self._store = store
        self._journal = journal

    async def publish(self, profile: RunnerProfile) -> bool:
        """Store the profile and put its digest on chain, unless the chain has it; say whether it was sent.

        Raises `ContentUnavailable`, `RpcUnavailable`, `TransactionReverted`.
        """
        content, there = canonical(profile), self._on_chain()
        if digest_of(content) == there or self._leaves(there):
            return False
        digest = await self._store.add(content)
        node = self._sender.address
        await self._sender.send(self._chain.reputation.functions.setProfile(node, digest), label="setProfile")
        # The event comes with the next block; until then this is what the chain has.
        self._journal.set_profile(node, digest)
        self._published, self._again_at = digest, None
        log.info("profile_published", digest=digest.hex(), models=[offer.name for offer in profile.models])
        return True

    def _leaves(self, there: bytes | None) -> bool:
        """Return whether a profile that stands in the place of one published before is left there for now."""
        if self._published in (None, there):
            return False
        if self._again_at is None:
            pause_s = min(_FIRST_PAUSE_S * 2**self._replaced, _LONGEST_PAUSE_S)
            self._replaced += 1
            self._again_at = self._clock() + pause_s
            log.warning(
                "profile_replaced",
                pause_s=pause_s,
                hint="Another process may use this node key: stop it, or give each runner a key of its own.",
            )
        return self._clock() < self._again_at

    def _on_chain(self) -> bytes | None:
        node = self._sender.address
        return next((bytes(row["profile"]) for row in self._journal.nodes() if row["node"] == node), None)
