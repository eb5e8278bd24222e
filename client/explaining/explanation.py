"""One task, explained in sentences: what it waits for or why it ended so, and what to do."""

from dataclasses import dataclass

from client.api import ApiClient
from client.auditing import read_case
from client.explaining.candidates import Candidate, Terms, read_candidates
from client.logs import Event
from client.offers import read_market
from client.tasks import TaskState, life, read_state
from protocol.chain import Chain
from protocol.cid import digest_to_cid
from protocol.content import ContentStore
from protocol.documents import LlmSpec, parse_document
from protocol.enums import AuditStage, Mode, TaskStatus
from protocol.errors import ContentError, InputError
from protocol.money import format_usdfc


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why a task is where it is, as of `block`. `facts` are sentences, `remedies` what may be done, both for people.

    `candidates` are there while seats are open, the earliest first; `able` of them have nothing against them.
    """

    task_id: bytes
    status: TaskStatus
    block: int
    deadline: int
    summary: str
    facts: tuple[str, ...]
    remedies: tuple[str, ...]
    candidates: tuple[Candidate, ...]
    able: int


@dataclass(frozen=True, slots=True)
class _Said:
    summary: str
    facts: tuple[str, ...] = ()
    remedies: tuple[str, ...] = ()


async def explain(
    chain: Chain, content: ContentStore, profiles: ContentStore, api: ApiClient, task_id: bytes
) -> Explanation:
    """Explain a task; `TaskUnknown`, `RpcUnavailable`. What cannot be read off the chain is said to be unread."""
    block = await chain.block_number()
    state = await read_state(chain, task_id)
    events = await life(chain, task_id, state=state)
    candidates: tuple[Candidate, ...] = ()
    if state.status is TaskStatus.OPEN:
        terms = await _read_terms(content, events)
        market = await read_market(chain, profiles, api)
        candidates = await read_candidates(chain, api, market, task_id, state=state, terms=terms)
        said = _open(state, terms, candidates, block=block, events=events)
    elif state.status in (TaskStatus.CHALLENGEABLE, TaskStatus.DISPUTED):
        said = await _in_court(chain, task_id, block=block)
    else:
        said = _by_events(state, events, block=block)
    return Explanation(
        task_id=task_id,
        status=state.status,
        block=block,
        deadline=state.deadline,
        summary=said.summary,
        facts=said.facts,
        remedies=tuple(remedy.replace("ID", "0x" + task_id.hex()) for remedy in said.remedies),
        candidates=candidates,
        able=sum(not each.obstacles for each in candidates),
    )


async def _read_terms(content: ContentStore, events: list[Event]) -> Terms:
    order = next(event.arguments["order"] for event in events if event.name == "TaskSubmitted")
    try:
        document = parse_document(await content.get(bytes(order["spec"])))
    except (ContentError, InputError):
        document = None
    return Terms(
        client=order["client"],
        input_price=order["inputPrice"],
        output_price=order["outputPrice"],
        seated=frozenset(event.arguments["owner"] for event in events if event.name == "SeatClaimed"),
        spec=document if isinstance(document, LlmSpec) else None,
    )


def _open(
    state: TaskState, terms: Terms, candidates: tuple[Candidate, ...], *, block: int, events: list[Event]
) -> _Said:
    missing = state.replicas - state.claimed
    order = next(event.arguments["order"] for event in events if event.name == "TaskSubmitted")
    able = [each for each in candidates if not each.obstacles]
    facts = [
        f"{state.claimed} of {state.replicas} seats are taken; they can be until block {state.deadline} (now {block})",
        f"at most {format_usdfc(state.reward // state.replicas)} USDFC a seat, for {format_usdfc(state.bond)} USDFC of stake",
        f"{len(able)} of {len(candidates)} active runners have nothing against them",
    ]
    if terms.spec is None:
        facts.append(
            f"the spec {digest_to_cid(bytes(order['spec']))} could not be read from IPFS: runners need it"
        )
    summary, remedies = _waiting(state, able, block=block, missing=missing, candidates=candidates)
    return _Said(summary, tuple(facts), remedies)


def _waiting(
    state: TaskState,
    able: list[Candidate],
    *,
    block: int,
    missing: int,
    candidates: tuple[Candidate, ...],
) -> tuple[str, tuple[str, ...]]:
    if block > state.deadline:
        remedy = "Anybody can end it, runners do: parity-client task advance ID."
        return (
            f"It was not claimed in time, by block {state.deadline}; all money goes back when it is ended.",
            (remedy,),
        )
    if block <= state.seed_block:
        return f"It waits for its draw: who may claim is known after block {state.seed_block}.", ()
    if len(able) < missing:
        remedies = (
            "Take it back with parity-client task cancel ID, if no seat is taken,",
            "and order again with a higher --max-price, another model or fewer --replicas, as the reasons below suggest.",
        )
        if not candidates:
            return "There is no active runner.", remedies
        return f"Too few runners can take it: {missing} wanted, {len(able)} could.", remedies
    first = min(each.opens_at_block for each in able if each.opens_at_block is not None)
    if first > block + 1:
        return f"It waits for its turn: the first runner that can take it may claim from block {first}.", ()
    remedy = (
        "Wait: each step of waiting admits more runners. It can be taken back: parity-client task cancel ID."
    )
    return "Runners that may claim it now have not: busy, asleep, or not content with the pay.", (remedy,)


async def _in_court(chain: Chain, task_id: bytes, *, block: int) -> _Said:
    case = await read_case(chain, task_id)
    if case.stage in (AuditStage.OPEN, AuditStage.CLEARED):
        return _Said(
            f"Its answer is revealed and final after block {case.deadline}, unless it is audited or challenged (now {block}).",
            remedies=(
                "Read it: parity-client llm get ID. If it is false: parity-client task dispute ID.",
                *_overdue(case.deadline, block=block),
            ),
        )
    called = "a challenge" if case.challenger else "the beacon"
    return _Said(
        f"Its answer is before a panel, called by {called}; the case is {case.stage.name.lower()}.",
        (
            f"{len(case.votes)} auditors have a seat; this stage lasts until block {case.deadline} (now {block})",
        ),
        ("Follow it: parity-client task case ID.", *_overdue(case.deadline, block=block)),
    )


def _overdue(deadline: int, *, block: int) -> tuple[str, ...]:
    return (
        ("The time is over; anybody can go on: parity-client task advance ID.",) if block > deadline else ()
    )


def _by_events(state: TaskState, events: list[Event], *, block: int) -> _Said:
    match state.status:
        case TaskStatus.COMMITTING | TaskStatus.REVEALING:
            return _at_work(state, events, block=block)
        case TaskStatus.FINAL:
            return _Said("It is done, and paid.", remedies=("The answer: parity-client llm get ID.",))
        case TaskStatus.CANCELLED:
            return _cancelled(state, events)
        case _:
            return _failed(state, events)


def _at_work(state: TaskState, events: list[Event], *, block: int) -> _Said:
    working = state.status is TaskStatus.COMMITTING
    done = "SeatCommitted" if working else "SeatRevealed"
    behind = _seats(events, "SeatClaimed" if working else "SeatCommitted") - _seats(events, done)
    nodes = {e.arguments["seat"]: e.arguments["node"] for e in events if e.name == "SeatClaimed"}
    deed = "working, and has to say by a commitment that it is done" if working else "to reveal its result"
    facts = tuple(f"seat {seat}, {nodes[seat]}, is {deed}" for seat in sorted(behind))
    summary = f"Runners are at work, until block {state.deadline} at most (now {block})."
    return _Said(summary, facts, _overdue(state.deadline, block=block))


def _cancelled(state: TaskState, events: list[Event]) -> _Said:
    ended = events[-1].block
    claim_by = next(e.arguments["order"]["claimBy"] for e in events if e.name == "TaskSubmitted")
    facts = (f"{state.claimed} of {state.replicas} seats were taken",)
    if ended <= claim_by:
        return _Said("Whoever ordered or pays took it back; all money went back.", facts)
    return _Said(
        f"Too few runners took a seat by block {claim_by}; all money went back.",
        facts,
        (
            "Order again with a higher --max-price or fewer --replicas; parity-client llm models shows the prices asked.",
        ),
    )


def _failed(state: TaskState, events: list[Event]) -> _Said:
    revealed = [event for event in events if event.name == "SeatRevealed"]
    if state.mode is Mode.AUDITED and revealed:
        return _Said(
            "A panel of auditors threw its answer out; the reward went back to the payer, with a share of the stake.",
            remedies=("Who voted how: parity-client task case ID.",),
        )
    answers = {
        (bytes(e.arguments["result"]), e.arguments["inputTokens"], e.arguments["outputTokens"])
        for e in revealed
    }
    silent = state.claimed - len(revealed)
    facts = (
        f"{state.quorum} of {state.replicas} had to agree; {len(revealed)} revealed, {len(answers)} different answers",
        *(
            (f"{silent} seats committed or revealed nothing, and lost a part of their stake for it",)
            if silent
            else ()
        ),
    )
    return _Said(
        "Too few runners agreed on a result; the reward went back to the payer.",
        facts,
        ("Order again. Answers agree where model build and settings do; temperature 0 is the default.",),
    )


def _seats(events: list[Event], name: str) -> set[int]:
    return {event.arguments["seat"] for event in events if event.name == name}
