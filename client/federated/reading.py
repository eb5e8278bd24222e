"""Sessions read from the chain; figures from the cards that its aggregators agreed on, whose digests the chain holds."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from client.errors import SessionUnknown
from client.federated.records import Figures, ParticipantRecord, RoundRecord, SessionRecord
from client.logs import Event, Span, read_events
from learning.errors import LearningError
from learning.model_card import ModelCard
from learning.session_config import SessionConfig
from protocol.chain import Chain
from protocol.cid import digest_to_cid
from protocol.content import ContentStore
from protocol.enums import PRIVATE_DATA, SECURE_AGGREGATION, SessionPhase
from protocol.errors import ContentError, ContentMismatch

EVENTS = (
    "SessionCreated",
    "ParticipantJoined",
    "ParticipantLeft",
    "RoundStarted",
    "ContributionRevealed",
    "Posted",
    "ParticipantMissed",
    "ParticipantCaught",
    "RoundSettled",
    "SessionEnded",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionState:
    """What `IFederatedLearning.sessionOf` returns, by name; sets of slots as bits."""

    phase: SessionPhase
    round: int
    attempts: int
    closing: bool
    deadline: int
    seed_block: int
    members: int
    expected: int
    present: int
    model: bytes
    task: bytes


async def read_state(chain: Chain, session: bytes) -> SessionState:
    """Read where a session is now; `SessionUnknown` if the chain has none of this id."""
    (
        phase, number, attempts, _tips, closing, deadline, seed_block, members, expected, present, _inputs, model,
        _transcript, task,
    ) = await chain.call(chain.federated.functions.sessionOf(session))  # fmt: skip
    if SessionPhase(phase) is SessionPhase.NONE:
        raise SessionUnknown(
            f"session 0x{session.hex()}: the chain has no such session",
            hint="Check the id and FILECOIN_CHAIN_ID; parity-client fl list-sessions lists what there is.",
        )
    return SessionState(
        phase=SessionPhase(phase),
        round=number,
        attempts=attempts,
        closing=closing,
        deadline=deadline,
        seed_block=seed_block,
        members=members,
        expected=expected,
        present=present,
        model=bytes(model),
        task=bytes(task),
    )


async def read_session(chain: Chain, content: ContentStore, session: bytes) -> SessionRecord:
    """Read a session whole, with the figures of its rounds; what IPFS does not have is left out, not raised."""
    state = await read_state(chain, session)
    block = await chain.block_number()
    events = await _events(chain, session, state, last=block)
    created = next(event for event in events if event.name == "SessionCreated")
    order = created.arguments["order"]
    config = await try_config(content, bytes(order["config"]))
    ended = next((event for event in events if event.name == "SessionEnded"), None)
    return SessionRecord(
        session_id=session,
        phase=state.phase,
        block=block,
        deadline=state.deadline,
        round=state.round,
        rounds=order["rounds"],
        attempts=state.attempts,
        closing=state.closing,
        creator=order["creator"],
        payer=order["payer"],
        budget=order["budget"],
        reward=order["reward"],
        bond=order["bond"],
        min_participants=order["minParticipants"],
        max_participants=order["maxParticipants"],
        members=state.members.bit_count(),
        expected=state.expected.bit_count(),
        present=state.present.bit_count(),
        secure=bool(order["flags"] & SECURE_AGGREGATION),
        private_data=bool(order["flags"] & PRIVATE_DATA),
        join_by=order["joinBy"],
        config_cid=digest_to_cid(bytes(order["config"])),
        name=config.name if config else None,
        method=config.aggregation.method if config else None,
        model=state.model if any(state.model) else None,
        created_block=created.block,
        transaction_hash=created.transaction_hash,
        returned=ended.arguments["returned"] if ended else None,
        participants=_participants(events),
        round_list=await with_figures(content, rounds_of(events)),
    )


async def _events(chain: Chain, session: bytes, state: SessionState, *, last: int) -> list[Event]:
    """Read a session's events from its creation on, whose height follows from the session itself."""
    delay = await chain.call(chain.charter.functions.SEED_DELAY())
    span = Span(state.seed_block - delay, last)
    return await read_events(chain, "FederatedLearning", names=EVENTS, span=span, reference=session)


async def read_config(content: ContentStore, digest: bytes) -> SessionConfig:
    """Fetch a session's configuration; `ContentMismatch` if what lies there is none."""
    try:
        return SessionConfig.parse(await content.get(digest))
    except LearningError as error:
        raise ContentMismatch(
            f"{digest_to_cid(digest)}: not a session's configuration ({error})",
            hint="Whoever created the session published something else; nobody can train on it.",
        ) from error


async def try_config(content: ContentStore, digest: bytes) -> SessionConfig | None:
    """Fetch a session's configuration; `None` if it is not to be had."""
    try:
        return await read_config(content, digest)
    except ContentError:
        return None


async def read_card(content: ContentStore, manifest: bytes) -> ModelCard:
    """Fetch a round's card; `ContentMismatch` if what lies there is none."""
    try:
        return ModelCard.parse(await content.get(manifest))
    except LearningError as error:
        raise ContentMismatch(
            f"{digest_to_cid(manifest)}: not a model's card ({error})",
            hint="The round's aggregators agreed on something that nobody can read.",
        ) from error


def figures_of(card: ModelCard) -> Figures:
    """Take the figures from a card."""
    return Figures(
        loss=float(card.loss),
        metrics={name: float(value) for name, value in card.metrics.items()},
        samples=card.samples,
        epsilon=None if card.epsilon is None else float(card.epsilon),
        stands=card.stands,
        left_out={one.participant: one.reason for one in card.left_out},
        late={one.participant: one.late for one in card.counted if one.late},
    )


async def with_figures(content: ContentStore, rounds: Sequence[RoundRecord]) -> tuple[RoundRecord, ...]:
    """Add the figures of settled rounds, fetched side by side."""

    async def one(record: RoundRecord) -> RoundRecord:
        if record.manifest is None or record.figures is not None:
            return record
        try:
            return replace(record, figures=figures_of(await read_card(content, record.manifest)))
        except ContentError:
            return record

    return tuple(await asyncio.gather(*(one(record) for record in rounds)))


def rounds_of(events: Sequence[Event]) -> tuple[RoundRecord, ...]:
    """Fold a session's events, in the chain's order, into its rounds."""
    rounds: dict[int, RoundRecord] = {}
    current = 0
    for event in events:
        given = event.arguments
        match event.name:
            case "RoundStarted":
                current = given["round"]
                rounds[current] = _started(rounds.get(current), event)
            case "ContributionRevealed" if given["samples"]:  # without, nothing is handed in yet
                rounds[current] = replace(rounds[current], contributions=rounds[current].contributions + 1)
            case "Posted" if given["phase"] == SessionPhase.MASKING:
                rounds[current] = replace(rounds[current], contributions=rounds[current].contributions + 1)
            case "RoundSettled":
                rounds[given["round"]] = _settled(rounds[given["round"]], event)
    return tuple(rounds[number] for number in sorted(rounds))


def _started(before: RoundRecord | None, event: Event) -> RoundRecord:
    return RoundRecord(
        round=event.arguments["round"],
        attempts=event.arguments["attempt"],
        contributions=0,
        started_block=before.started_block if before else event.block,
    )


def _settled(before: RoundRecord, event: Event) -> RoundRecord:
    given: dict[str, Any] = event.arguments
    aggregate = given["aggregate"]
    return replace(
        before,
        accepted=int(aggregate["accepted"]).bit_count(),
        model=bytes(aggregate["model"]),
        manifest=bytes(aggregate["manifest"]),
        pay=given["pay"] * int(given["paid"]).bit_count(),
        fee=given["fee"] * int(given["paid"]).bit_count(),
        stop=aggregate["stop"],
        settled_block=event.block,
        transaction_hash=event.transaction_hash,
    )


def _participants(events: Sequence[Event]) -> tuple[ParticipantRecord, ...]:
    slots: dict[int, ParticipantRecord] = {}
    for event in events:
        given = event.arguments
        match event.name:
            case "ParticipantJoined":
                slots[given["slot"]] = ParticipantRecord(
                    slot=given["slot"],
                    node=given["node"],
                    owner=given["owner"],
                    accepted=0,
                    earned=0,
                    missed=0,
                    slashed=0,
                    out=False,
                    caught=False,
                )
            case "ParticipantLeft":
                del slots[given["slot"]]
            case "ParticipantMissed":
                before = slots[given["slot"]]
                slots[given["slot"]] = replace(
                    before, missed=before.missed + 1, slashed=before.slashed + given["lost"], out=given["out"]
                )
            case "ParticipantCaught":
                before = slots[given["slot"]]
                slots[given["slot"]] = replace(
                    before, slashed=before.slashed + given["lost"], out=True, caught=True
                )
            case "RoundSettled":
                for slot, before in slots.items():
                    if given["paid"] >> slot & 1:
                        slots[slot] = replace(
                            before, accepted=before.accepted + 1, earned=before.earned + given["pay"]
                        )
    return tuple(slots[slot] for slot in sorted(slots))
