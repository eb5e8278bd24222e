"""A task's life as the chain tells it: its state, its seats, its steps, and where its money went."""

from dataclasses import dataclass
from typing import Any

from client.errors import TaskUnknown
from client.logs import Event, Span, read_events
from client.records import Payment, Progress, Seat, Settlement, Step, TaskRecord
from protocol.chain import Chain
from protocol.cid import digest_to_cid
from protocol.enums import Mode, SeatState, TaskStatus
from protocol.money import format_usdfc

_LIFE = (
    "TaskSubmitted",
    "SeatClaimed",
    "SeatCommitted",
    "SeatRevealed",
    "PhaseChanged",
    "TaskFinalized",
)
_MONEY = ("Escrowed", "BondLocked", "Settled", "Moved")


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskState:
    """What `ITaskEscrow.taskOf` returns, by name."""

    payer: str
    reward: int
    bond: int
    deadline: int
    seed_block: int
    params_id: int
    replicas: int
    quorum: int
    claimed: int
    committed: int
    revealed: int
    mode: Mode
    status: TaskStatus


async def read_state(chain: Chain, task_id: bytes) -> TaskState:
    """Read a task; `TaskUnknown` if the chain has none of this id."""
    (
        payer, reward, bond, deadline, seed_block, params_id, replicas, quorum, claimed, committed, revealed, mode, status,
    ) = await chain.call(chain.escrow.functions.taskOf(task_id))  # fmt: skip
    if TaskStatus(status) is TaskStatus.NONE:
        raise TaskUnknown(
            f"task 0x{task_id.hex()}: the chain has no such task",
            hint="Check the id and FILECOIN_CHAIN_ID; an order that was never submitted costs nothing.",
        )
    return TaskState(
        payer=payer,
        reward=reward,
        bond=bond,
        deadline=deadline,
        seed_block=seed_block,
        params_id=params_id,
        replicas=replicas,
        quorum=quorum,
        claimed=claimed,
        committed=committed,
        revealed=revealed,
        mode=Mode(mode),
        status=TaskStatus(status),
    )


async def read_progress(chain: Chain, task_id: bytes) -> Progress:
    """Read how far a task has come."""
    block = await chain.block_number()
    state = await read_state(chain, task_id)
    return Progress(
        task_id=task_id,
        status=state.status,
        replicas=state.replicas,
        claimed=state.claimed,
        committed=state.committed,
        revealed=state.revealed,
        deadline=state.deadline,
        block=block,
    )


async def read_task(chain: Chain, task_id: bytes) -> TaskRecord:
    """Read a task whole: order, seats, and its settlement once it has ended."""
    state = await read_state(chain, task_id)
    events = await life(chain, task_id, state=state)
    submitted = next(event for event in events if event.name == "TaskSubmitted")
    order = submitted.arguments["order"]
    final = next((event for event in events if event.name == "TaskFinalized"), None)
    return TaskRecord(
        task_id=task_id,
        status=state.status,
        mode=state.mode,
        client=submitted.arguments["client"],
        submitted_block=submitted.block,
        transaction_hash=submitted.transaction_hash,
        spec_cid=digest_to_cid(bytes(order["spec"])),
        result_cid=digest_to_cid(agreed_result(events)) if final else None,
        reward=state.reward,
        bond=state.bond,
        input_price=order["inputPrice"],
        output_price=order["outputPrice"],
        replicas=state.replicas,
        quorum=state.quorum,
        claim_by=order["claimBy"],
        deadline=state.deadline,
        seats=_seats(events, winners=final.arguments["winners"] if final else None),
        settlement=await read_settlement(chain, task_id) if state.status.is_terminal else None,
    )


async def read_steps(chain: Chain, task_id: bytes) -> tuple[Step, ...]:
    """List what happened to a task and its money, with transactions, in the order of the chain."""
    state = await read_state(chain, task_id)
    events = await life(chain, task_id, state=state)
    money = await _read(chain, "StakeWallet", _MONEY, task_id, state=state, last=_last_block(events, state))
    ordered = sorted((*events, *money), key=lambda event: (event.block, event.index))
    return tuple(
        Step(
            name=event.name,
            node=event.arguments.get("node"),
            detail=_detail(event),
            transaction_hash=event.transaction_hash,
            block=event.block,
        )
        for event in ordered
    )


async def read_settlement(chain: Chain, task_id: bytes) -> Settlement | None:
    """Return where a task's money went, from the wallet's own events; `None` while the task runs."""
    state = await read_state(chain, task_id)
    if not state.status.is_terminal:
        return None
    events = await life(chain, task_id, state=state)
    money = await _read(chain, "StakeWallet", _MONEY, task_id, state=state, last=_last_block(events, state))
    return _settlement(task_id, state, events, money)


async def read_submission(chain: Chain, task_id: bytes) -> Event:
    """Find the event that submitted a task; `TaskUnknown` if the chain has none of this id."""
    events = await life(chain, task_id, state=await read_state(chain, task_id))
    return next(event for event in events if event.name == "TaskSubmitted")


async def life(chain: Chain, task_id: bytes, *, state: TaskState) -> list[Event]:
    """Read a task's own events, from its submission on."""
    return await _read(chain, "TaskEscrow", _LIFE, task_id, state=state, last=None)


def agreed_result(events: list[Event]) -> bytes:
    """Return the result digest of a final task's life: what its winning seats revealed, who agree."""
    winners = next(event.arguments["winners"] for event in events if event.name == "TaskFinalized")
    return next(
        bytes(event.arguments["result"])
        for event in events
        if event.name == "SeatRevealed" and winners >> event.arguments["seat"] & 1
    )


async def _read(
    chain: Chain,
    contract: str,
    names: tuple[str, ...],
    task_id: bytes,
    *,
    state: TaskState,
    last: int | None,
) -> list[Event]:
    """Read events of a task between submission and end; heights come from the task itself, so no history is scanned."""
    delay = await chain.call(chain.escrow.functions.SEED_DELAY())
    span = Span(state.seed_block - delay, last if last is not None else await chain.block_number())
    if contract != "StakeWallet":
        return await read_events(chain, contract, names=names, span=span, reference=task_id)
    # `ref` is the first indexed argument of Settled and Moved, and the second of Escrowed and BondLocked.
    first = await read_events(chain, contract, names=("Settled", "Moved"), span=span, reference=task_id)
    second = await read_events(
        chain, contract, names=("Escrowed", "BondLocked"), span=span, second_reference=task_id
    )
    return sorted((*first, *second), key=lambda event: (event.block, event.index))


def _last_block(events: list[Event], state: TaskState) -> int | None:
    return events[-1].block if state.status.is_terminal else None


def _seats(events: list[Event], *, winners: int | None) -> tuple[Seat, ...]:
    seats: dict[int, dict[str, Any]] = {}
    for event in events:
        given = event.arguments
        match event.name:
            case "SeatClaimed":
                seats[given["seat"]] = {
                    "node": given["node"],
                    "owner": given["owner"],
                    "state": SeatState.CLAIMED,
                }
            case "SeatCommitted":
                seats[given["seat"]]["state"] = SeatState.COMMITTED
            case "SeatRevealed":
                seats[given["seat"]] |= {
                    "state": SeatState.REVEALED,
                    "result_cid": digest_to_cid(bytes(given["result"])),
                    "input_tokens": given["inputTokens"],
                    "output_tokens": given["outputTokens"],
                }
    return tuple(
        Seat(
            seat=number,
            right=None if winners is None else bool(winners >> number & 1),
            **({"result_cid": None, "input_tokens": 0, "output_tokens": 0} | seat),
        )
        for number, seat in sorted(seats.items())
    )


def _settlement(
    task_id: bytes, state: TaskState, events: list[Event], money: list[Event]
) -> Settlement | None:
    settled = next((event for event in money if event.name == "Settled"), None)
    if settled is None:
        return None
    moves = [event.arguments for event in money if event.name == "Moved"]
    if state.mode is Mode.AUDITED and any(event.name == "SeatRevealed" for event in events):
        return _judged(task_id, state, events, moves, settled=settled)
    claims = sum(event.name == "SeatClaimed" for event in events)
    # The contract writes one line for each claimed seat first, then those of payer, treasury and burn account.
    payments = tuple(
        Payment(owner=move["who"], paid=move["pay"], slashed=move["slash"]) for move in moves[:claims]
    )
    paid = sum(payment.paid for payment in payments)
    fee = sum(event.arguments["fee"] for event in events if event.name == "TaskFinalized")
    to_payer = sum(move["pay"] for move in moves[claims:] if move["who"] == state.payer)
    returned = settled.arguments["released"] - paid - fee
    return Settlement(
        task_id=task_id,
        payer=state.payer,
        escrowed=settled.arguments["released"],
        payments=payments,
        paid=paid,
        fee=fee,
        returned=returned,
        slashed=sum(payment.slashed for payment in payments),
        compensation=to_payer - returned,
        transaction_hash=settled.transaction_hash,
        block=settled.block,
    )


def _judged(
    task_id: bytes,
    state: TaskState,
    events: list[Event],
    moves: list[dict[str, Any]],
    *,
    settled: Event,
) -> Settlement:
    """Read what the AuditCourt settled: whoever had a bond locked, runner or auditor, is one of the payments.

    Slashed auditors may pay others' wages, so that what the escrow paid is what it did not give back.
    """
    payments = tuple(
        Payment(owner=move["who"], paid=move["pay"], slashed=move["slash"])
        for move in moves
        if move["unlock"]
    )
    escrowed = settled.arguments["released"]
    fee = sum(event.arguments["fee"] for event in events if event.name == "TaskFinalized")
    to_payer = sum(move["pay"] for move in moves if move["who"] == state.payer)
    returned = min(to_payer, escrowed)
    return Settlement(
        task_id=task_id,
        payer=state.payer,
        escrowed=escrowed,
        payments=payments,
        paid=escrowed - fee - returned,
        fee=fee,
        returned=returned,
        slashed=sum(payment.slashed for payment in payments),
        compensation=to_payer - returned,
        transaction_hash=settled.transaction_hash,
        block=settled.block,
    )


def _detail(event: Event) -> str | None:
    """Return in a few words what an event is about, beside its name and node."""
    given = event.arguments
    said: str | None = None
    match event.name:
        case "SeatClaimed" | "SeatCommitted":
            said = f"seat {given['seat']}"
        case "SeatRevealed":
            said = f"seat {given['seat']}: {given['inputTokens']} tokens in, {given['outputTokens']} out"
        case "PhaseChanged":
            said = TaskStatus(given["status"]).name.lower()
        case "TaskFinalized":
            said = f"fee {format_usdfc(given['fee'])} USDFC"
        case "Escrowed" | "BondLocked":
            said = f"{format_usdfc(given['amount'])} USDFC of {given.get('payer') or given.get('owner')}"
        case "Settled":
            said = f"{format_usdfc(given['released'])} USDFC released"
        case "Moved":
            said = _moved(given)
    return said


def _moved(given: dict[str, Any]) -> str:
    parts = [
        f"{word} {format_usdfc(given[key])} USDFC"
        for key, word in (("pay", "paid"), ("unlock", "unlocked"), ("slash", "slashed"))
        if given[key]
    ]
    return f"{given['who']} {', '.join(parts) or 'nothing'}"
