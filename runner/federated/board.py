"""A learning session as the chain has it, and everything that was published in it, in the chain's order."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from protocol.abi import event_topics
from protocol.chain import Chain
from protocol.enums import SessionPhase
from protocol.errors import TransactionReverted
from protocol.session import SESSION_FIELDS, Aggregate, Post, SessionOrder
from runner.heard import Heard

_TOPICS = event_topics()["FederatedLearning"]
_CREATED = next(topic for topic, event in _TOPICS.items() if event.name == "SessionCreated")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """A session at block `head_block`. Sets of slots have bit i for slot i; `deadline` is the phase's last block."""

    head_block: int
    phase: SessionPhase
    round: int
    attempts: int
    deadline: int
    members: int
    expected: int
    present: int
    inputs: int
    model: bytes
    transcript: bytes
    task: bytes

    @property
    def overdue(self) -> bool:
        """Return whether a transaction sent now comes after the phase's last block."""
        return self.head_block >= self.deadline

    def awaits(self, slot: int) -> bool:
        """Return whether the phase waits for this slot."""
        return bool((self.expected & ~self.present) >> slot & 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Created:
    """A session at its creation."""

    session: bytes
    order: SessionOrder
    purse: str
    block: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """The latest attempt of a round: what was published in it, and what it came to, if it has ended.

    `committed` has the block of each slot's commitment, in their order; `entered` has the block at which each phase began, and
    `closed` is the hash of the block in which the last commitment was made, none before: nobody knew it when committing.
    """

    number: int
    attempt: int
    base: bytes
    committed: Mapping[int, int] = field(default_factory=dict)
    posts: tuple[Post, ...] = ()
    entered: Mapping[SessionPhase, int] = field(default_factory=dict)
    closed: bytes | None = None
    settled: Aggregate | None = None
    paid: int = 0
    pay: int = 0

    def by(self, phase: SessionPhase) -> dict[int, Post]:
        """Return what was posted in a phase, by slot."""
        return {post.slot: post for post in self.posts if post.phase is phase}

    def updates(self) -> dict[int, Post]:
        """Return the updates that were revealed, by slot: without samples, nothing is handed in yet."""
        return {slot: post for slot, post in self.by(SessionPhase.REVEALING).items() if any(post.second)}


class Board:
    """Reads of FederatedLearning. Every method raises `RpcUnavailable` when the node does not answer."""

    def __init__(self, chain: Chain, heard: Heard | None = None) -> None:
        self._chain = chain
        self.heard = heard or Heard()
        self._functions = chain.federated.functions
        self._past: dict[bytes, tuple[int, list[Any]]] = {}

    async def sight(self, session: bytes) -> Sight:
        """Return how a session stands at the head block: read anew only when an event named it since."""
        speakers = ((self._chain.federated.address, session),)
        sight = await self.heard.once(("sight", session), speakers, partial(self._sight, session))
        return replace(sight, head_block=max(sight.head_block, self.heard.head_block))

    async def _sight(self, session: bytes, block: int | str) -> Sight:
        head = block if isinstance(block, int) else await self._chain.block_number()
        row = await self._chain.call(self._functions.sessionOf(session), block=head)
        return Sight(
            head_block=head,
            phase=SessionPhase(row[0]),
            round=row[1],
            attempts=row[2],
            deadline=row[5],
            members=row[7],
            expected=row[8],
            present=row[9],
            inputs=row[10],
            model=bytes(row[11]),
            transcript=bytes(row[12]),
            task=bytes(row[13]),
        )

    async def slot(self, session: bytes, *, owner: str, node: str) -> int | None:
        """Return the slot that `node` holds for its owner, if it has one: read anew only when an event named it since."""
        speakers = ((self._chain.federated.address, session),)
        read = partial(self._slot, session, owner, node)
        return await self.heard.once(("slot", session, owner, node), speakers, read)

    async def _slot(self, session: bytes, owner: str, node: str, block: int | str) -> int | None:
        try:
            slot = int(await self._chain.call(self._functions.slotOf(session, owner), block=block))
        except TransactionReverted:
            return None
        holder = (await self._chain.call(self._functions.participantOf(session, slot), block=block))[0]
        return slot if holder == node else None

    async def created(self, first: int, last: int) -> list[Created]:
        """List the sessions created from block `first` to `last`, which one query may span."""
        logs = await self._logs(first, last, _CREATED)
        found = [
            (log, self._chain.federated.events.SessionCreated().process_log(log)["args"]) for log in logs
        ]
        return [
            Created(
                session=bytes(given["session"]),
                order=SessionOrder(**{name: given["order"][key] for name, key, _ in SESSION_FIELDS}),
                purse=given["purse"],
                block=log["blockNumber"],
            )
            for log, given in found
        ]

    async def rounds(self, session: bytes, *, since_block: int) -> dict[int, Round]:
        """Return all rounds of a session created at `since_block`, by number."""
        return fold(await self._events(session, since_block))

    async def _events(self, session: bytes, since_block: int) -> list[Any]:
        """Read a session's events; what lies deeper than a reorganisation goes is kept."""
        head = self.heard.as_of or await self._chain.block_number()
        first, kept = self._past.get(session, (since_block, []))
        found: list[Any] = []
        while first <= head:
            last = min(first + self._chain.network.max_log_blocks - 1, head)
            for log in await self._logs(first, last, None, session):
                name = _TOPICS[bytes(log["topics"][0])].name
                found.append(self._chain.federated.events[name]().process_log(log))
            first = last + 1
        settled = head - self._chain.network.finality_blocks
        old = [event for event in found if event["blockNumber"] <= settled]
        self._past[session] = (max(settled + 1, since_block), [*kept, *old])
        return [*kept, *found]

    async def _logs(self, first: int, last: int, *topics: bytes | None) -> list[Any]:
        contract = self._chain.federated.address
        heard = self.heard.logs(contract, first, last, topics=topics)
        if heard is not None:
            return heard
        query: Any = {
            "fromBlock": first,
            "toBlock": last,
            "address": contract,
            "topics": [None if topic is None else "0x" + topic.hex() for topic in topics],
        }
        return list(await self._chain.w3.eth.get_logs(query))


def last_update(rounds: Mapping[int, Round], slot: int, *, before: int) -> tuple[int, Post] | None:
    """Return the last update that a slot has revealed before a round, and in which; none if there is none."""
    for number in range(before - 1, 0, -1):
        post = rounds[number].updates().get(slot)
        if post is not None:
            return number, post
    return None


def fold(events: Iterable[Any]) -> dict[int, Round]:
    """Build the rounds from a session's decoded events, in order."""
    rounds: dict[int, Round] = {}
    current = 0
    for event in events:
        given, kind = event["args"], event["event"]
        if kind == "RoundStarted":
            current = given["round"]
            rounds[current] = Round(number=current, attempt=given["attempt"], base=bytes(given["base"]))
        elif current:
            rounds[current] = _after(rounds[current], kind, given, event)
    return rounds


def _after(one: Round, kind: str, given: Any, event: Any) -> Round:
    match kind:
        case "SessionPhaseChanged":
            phase = SessionPhase(given["phase"])
            closed = bytes(event["blockHash"]) if phase is SessionPhase.REVEALING else one.closed
            return replace(one, entered={**one.entered, phase: event["blockNumber"]}, closed=closed)
        case "ContributionCommitted":
            return replace(one, committed={**one.committed, given["slot"]: event["blockNumber"]})
        case "ContributionRevealed":
            samples = int(given["samples"]).to_bytes(32, "big")
            return replace(
                one, posts=(*one.posts, _post(given, SessionPhase.REVEALING, given["update"], samples))
            )
        case "Posted":
            phase = SessionPhase(given["phase"])
            return replace(one, posts=(*one.posts, _post(given, phase, given["first"], given["second"])))
        case "RoundSettled":
            told = given["aggregate"]
            aggregate = Aggregate(
                model=bytes(told["model"]),
                manifest=bytes(told["manifest"]),
                accepted=told["accepted"],
                caught=told["caught"],
                stop=told["stop"],
            )
            return replace(one, settled=aggregate, paid=given["paid"], pay=given["pay"])
    return one


def _post(given: Any, phase: SessionPhase, first: bytes, second: bytes) -> Post:
    return Post(phase=phase, slot=given["slot"], node=given["node"], first=bytes(first), second=bytes(second))
