"""Which models the network's runners offer, from the chain's registry and their profiles on IPFS."""

import asyncio
import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from client.api import ApiClient
from client.logs import Span, read_events
from client.records import CommandTaker, Offer
from protocol.chain import Chain
from protocol.content import ContentStore
from protocol.documents import RunnerProfile, parse_document
from protocol.enums import RunnerStatus
from protocol.errors import ApiError, ContentError, InputError

_QUICK_QUERIES = 20
"""Log queries that a person may be made to wait for; a longer history is asked of the API first."""
_PROFILE_EVENTS = ("RunnerRegistered", "RunnerProfileChanged")
_Offered = TypeVar("_Offered", Offer, CommandTaker)


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """What is on offer. `unread` runners are active but their profile could not be read."""

    offers: tuple[Offer, ...]
    unread: int
    takers: tuple[CommandTaker, ...] = ()

    def of(self, reference: str) -> tuple[Offer, ...]:
        """Return the offers of one model, cheapest first."""
        found = (offer for offer in self.offers if offer.reference == reference)
        return tuple(sorted(found, key=lambda offer: (offer.output_price, offer.input_price)))

    def resolve(self, model: str) -> str:
        """Turn what a person calls a model into `name@sha256:<digest>`; `InputError` lists what is offered.

        A name alone means the build of it that most owners offer, and must not be a tie: two digests are two models.
        """
        if not self.offers:
            raise InputError(
                "model: no active runner offers any model",
                field="model",
                hint="Start a runner (parity-runner runner), or check FILECOIN_RPC and IPFS_API: parity-client doctor.",
            )
        if any(offer.reference == model for offer in self.offers):
            return model
        return self._most_offered(_owners_by_build(self.offers, model), model)

    def _most_offered(self, builds: Mapping[str, set[str]], model: str) -> str:
        if not builds:
            raise self._unknown(model)
        ranked = sorted(builds, key=lambda reference: (-len(builds[reference]), reference))
        if len(ranked) > 1 and len(builds[ranked[0]]) == len(builds[ranked[1]]):
            raise InputError(
                f"model: {model!r} is offered in {len(ranked)} builds",
                field="model",
                hint="Choose one by its digest: " + ", ".join(ranked),
            )
        return ranked[0]

    def _unknown(self, model: str) -> InputError:
        names = sorted({offer.name for offer in self.offers})
        nearest = difflib.get_close_matches(model.partition("@")[0], names, n=1, cutoff=0.5)
        question = f"Did you mean {nearest[0]}? " if nearest else ""
        return InputError(
            f"model: no active runner offers {model!r}",
            field="model",
            hint=f"{question}Offered now: {', '.join(names)}.",
        )


def of_others(found: Sequence[_Offered], account: str | None, *, field: str) -> tuple[_Offered, ...]:
    """Leave out the runners of the account that orders, which the contract gives no seat; `InputError` if that leaves none."""
    others = tuple(one for one in found if one.owner != account)
    if found and not others:
        raise InputError(
            f"{field}: only this account's own runners take it, and a runner takes no order of its owner",
            field=field,
            hint="Order with another account.",
        )
    return others


async def read_market(chain: Chain, content: ContentStore, api: ApiClient) -> Market:
    """Read every active runner's offers. Raises `RpcUnavailable`; unreadable profiles are counted, not raised."""
    head = await chain.block_number()
    profiles = _published(await registered_profiles(chain, api, head=head))
    try:
        async with asyncio.TaskGroup() as group:
            reads = [
                group.create_task(_read_runner(chain, content, node, digest, head=head))
                for node, digest in profiles.items()
            ]
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from failures
    read = [result for task in reads if (result := task.result()) is not None]
    return Market(
        offers=tuple(offer for result in read if result.readable for offer in result.offers),
        unread=sum(not result.readable for result in read),
        takers=tuple(result.taker for result in read if result.taker is not None),
    )


@dataclass(frozen=True, slots=True)
class _ActiveRunner:
    offers: tuple[Offer, ...]
    readable: bool
    taker: CommandTaker | None = None


def _owners_by_build(offers: Sequence[Offer], name: str) -> dict[str, set[str]]:
    builds: dict[str, set[str]] = {}
    for offer in offers:
        if name in (offer.name, f"{offer.name}@sha256:{offer.digest[:12]}") or offer.name == f"{name}:latest":
            builds.setdefault(offer.reference, set()).add(offer.owner)
    return builds


async def registered_profiles(chain: Chain, api: ApiClient, *, head: int) -> dict[str, bytes]:
    """Map each node that ever registered to its newest profile's digest, 32 zero bytes where it has published none.

    The contract keeps no profile, only events. Where the history is long, the API names the profiles: a wrong one can
    only show a model or a price that the person then sees, and no runner would take the order.
    """
    span = Span(chain.deployment.start_block, head)
    if span.last - span.first > _QUICK_QUERIES * chain.network.max_log_blocks:
        try:
            runners = await api.runners()
        except ApiError:
            pass  # slow is better than nothing
        else:
            return {runner.node: bytes.fromhex(runner.profile[2:]) for runner in runners}
    events = await read_events(chain, "RunnerReputation", names=_PROFILE_EVENTS, span=span)
    return {event.arguments["node"]: bytes(event.arguments["profile"]) for event in events}


def _published(profiles: Mapping[str, bytes]) -> dict[str, bytes]:
    return {node: digest for node, digest in profiles.items() if any(digest)}


async def _read_runner(
    chain: Chain, content: ContentStore, node: str, profile: bytes, *, head: int
) -> _ActiveRunner | None:
    owner, _, banned_until, status, _, suspended = await chain.call(chain.reputation.functions.runnerOf(node))
    if RunnerStatus(status) is not RunnerStatus.ACTIVE or banned_until > head:
        return None
    if suspended and (await chain.call(chain.reputation.functions.scoreOf(node)))[-1] > head:
        return None
    try:
        document = parse_document(await content.get(profile))
    except (ContentError, InputError):
        return _ActiveRunner((), readable=False)
    if not isinstance(document, RunnerProfile):
        return _ActiveRunner((), readable=False)
    return _ActiveRunner(
        _offers(document, node=node, owner=owner),
        readable=True,
        taker=_taker(document, node=node, owner=owner),
    )


def _taker(profile: RunnerProfile, *, node: str, owner: str) -> CommandTaker | None:
    offer = profile.commands
    if offer is None:
        return None
    return CommandTaker(
        node=node,
        owner=owner,
        label=profile.label,
        level=offer.level,
        images=offer.images,
        limits=offer.limits,
        price_per_s=int(offer.price_per_s),
    )


def _offers(profile: RunnerProfile, *, node: str, owner: str) -> tuple[Offer, ...]:
    return tuple(
        Offer(
            node=node,
            owner=owner,
            label=profile.label,
            name=model.name,
            digest=model.digest,
            context=model.context,
            input_price=int(model.input_price),
            output_price=int(model.output_price),
            url=profile.url,
            compared=model.compared,
        )
        for model in profile.models
    )
