"""Federated learning sessions: the list, one with its rounds and participants, one round, the newest model."""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field, computed_field

from api.database import Record, Snapshot
from api.fields import AddressIn
from api.queries import documents, sessions
from api.rejections import NotFound, Refusal
from api.rest.endpoint import Endpoint
from api.rest.models import AddressText, Amount, HashText, Height, Model, PageInfo, read
from api.rest.reads import bytes_or_none, equal, page_of, reading, unknown
from api.rest.requests import ById, Paged
from api.services import Services
from protocol.cid import digest_to_cid

_READ = (400, 503)
_ONE = (400, 404, 503)
_PATH = "/api/v1/federated-learning/sessions"

Phase = Literal[
    "joining",
    "training",
    "revealing",
    "keys",
    "shares",
    "masking",
    "unmasking",
    "aggregating",
    "finished",
    "failed",
    "cancelled",
]


class NoModel(Refusal):
    """No round of the session is settled yet."""

    slug = "no-model"
    title = "No model yet"
    status = 404


class ListSessions(Paged):
    """Which sessions."""

    creator: AddressIn | None = None
    node: AddressIn | None = Field(None, description="some participant")
    phase: Phase | None = None


class ByRound(ById):
    """One round of one session."""

    round: int = Field(ge=1, le=2**31 - 1)


class Session(Model):
    """A learning session, with the state of its life. Amounts in base units."""

    id: HashText = Field(validation_alias="session_id")
    creator: AddressText
    payer: AddressText
    phase: str
    budget: Amount
    reward: Amount
    bond: Amount
    rounds: int
    finished: int
    round: int
    min_participants: int
    max_participants: int
    members: int
    secure: bool
    private_data: bool
    join_by: Height
    deadline: Height
    config: HashText
    model: HashText | None
    paid: Amount
    fees: Amount
    slashed: Amount
    returned: Amount
    created_block: Height
    created_tx: HashText
    created_at: datetime
    ended_block: Height | None
    ended_tx: HashText | None


class Round(Model):
    """One round."""

    round: int
    status: str
    attempts: int
    contributions: int
    accepted_count: int
    task_id: HashText | None
    model: HashText | None
    manifest: HashText | None
    pay: Amount
    fee: Amount
    stop: bool
    started_block: Height
    started_at: datetime
    settled_block: Height | None
    settled_tx: HashText | None


class RoundWithManifest(Round):
    """One round, and what its aggregation says of it."""

    session_id: HashText
    manifest_document: Any = None


class Participant(Model):
    """One runner's part."""

    slot: int
    node: AddressText
    owner: AddressText
    status: str
    samples: int | None
    contributions: int
    accepted: int
    missed: int
    caught_round: int | None = Field(
        description="round whose aggregators re-executed its training and found it to be another"
    )
    paid: Amount
    slashed: Amount


class SessionWithRounds(Session):
    """A session with its rounds, participants and configuration."""

    round_list: list[Round]
    participants: list[Participant]
    config_document: Any = None


class Sessions(Model):
    """One page of sessions, newest first."""

    sessions: list[Session]
    page_info: PageInfo


class SessionModel(Model):
    """The model after the last settled round."""

    session_id: HashText
    round: int
    model: HashText = Field(description="SHA-256 digest of the model")

    @computed_field(description="where IPFS has it")  # type: ignore[prop-decorator]  # pydantic's own way
    @property
    def model_cid(self) -> str:
        """Return the model's content identifier."""
        return digest_to_cid(bytes.fromhex(self.model[2:]))


async def list_sessions(services: Services, asked: ListSessions, _body: None) -> Sessions:
    """Return one page of sessions."""
    where = equal(creator=bytes_or_none(asked.creator), node=bytes_or_none(asked.node), phase=asked.phase)
    async with reading(services, asked.min_block) as snapshot:
        page = await sessions.page(snapshot, page_of(asked), where=where)
    return Sessions(sessions=[read(Session, row) for row in page.rows], page_info=PageInfo.of(page))


async def get_session(services: Services, asked: ById, _body: None) -> SessionWithRounds:
    """Return one session."""
    async with reading(services, asked.min_block) as snapshot:
        session = await _session(snapshot, asked)
        rounds = await snapshot.fetch(sessions.rounds_of(snapshot.tables), [session["session_id"]])
        participants = await snapshot.fetch(
            sessions.participants_of(snapshot.tables), [session["session_id"]]
        )
        config = await snapshot.fetch(documents.by_digests(snapshot.tables), [session["config"]])
    whole: SessionWithRounds = read(
        SessionWithRounds,
        session,
        round_list=[read(Round, row) for row in rounds],
        participants=[read(Participant, row) for row in participants],
        config_document=config[0]["content"] if config else None,
    )
    return whole


async def get_round(services: Services, asked: ByRound, _body: None) -> RoundWithManifest:
    """Return one round."""
    async with reading(services, asked.min_block) as snapshot:
        session = await _session(snapshot, asked)
        rounds = await snapshot.fetch(sessions.rounds_of(snapshot.tables), [session["session_id"]])
        found = next((row for row in rounds if row["round"] == asked.round), None)
        if found is None:
            raise NotFound(
                f"session {asked.id} has no round {asked.round} yet; it is in round {session['round']}",
                field="round",
                hint="Rounds count from 1.",
            )
        digests = [found["manifest"]] if found["manifest"] else []
        manifest = await snapshot.fetch(documents.by_digests(snapshot.tables), digests)
    whole: RoundWithManifest = read(
        RoundWithManifest, found, manifest_document=manifest[0]["content"] if manifest else None
    )
    return whole


async def get_model(services: Services, asked: ById, _body: None) -> SessionModel:
    """Return the newest model."""
    async with reading(services, asked.min_block) as snapshot:
        session = await _session(snapshot, asked)
    if session["model"] is None:
        raise NoModel(
            f"no round of session {asked.id} is settled yet: it is {session['phase']}",
            field="id",
            hint="Wait until the first round is settled.",
        )
    return SessionModel(session_id=session["session_id"], round=session["finished"], model=session["model"])


async def _session(snapshot: Snapshot, asked: ById) -> Record:
    found = await snapshot.fetch(sessions.by_ids(snapshot.tables), [bytes.fromhex(asked.id[2:])])
    if not found:
        raise unknown("session", asked.id)
    return found[0]


ENDPOINTS = (
    Endpoint(
        method="GET",
        path=_PATH,
        summary="Learning sessions, newest first",
        handle=list_sessions,
        answer=Sessions,
        parameters=ListSessions,
        problems=_READ,
    ),
    Endpoint(
        method="GET",
        path=f"{_PATH}/{{id}}",
        summary="One learning session with its rounds and participants",
        handle=get_session,
        answer=SessionWithRounds,
        parameters=ById,
        problems=_ONE,
    ),
    Endpoint(
        method="GET",
        path=f"{_PATH}/{{id}}/rounds/{{round}}",
        summary="One round of a learning session",
        handle=get_round,
        answer=RoundWithManifest,
        parameters=ByRound,
        problems=_ONE,
    ),
    Endpoint(
        method="GET",
        path=f"{_PATH}/{{id}}/model",
        summary="The model after the last settled round",
        handle=get_model,
        answer=SessionModel,
        parameters=ById,
        problems=_ONE,
    ),
)
