"""The learning of a rehearsal: a session whose training is re-executed, and one whose updates nobody sees.

What nobody may see nobody can re-execute, so the one who trains falsely is looked for in the first, in which every runner that learns
has a seat.
"""

import asyncio
import csv
import io
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import structlog
from web3.exceptions import Web3Exception

from client import Parity
from client.errors import SessionFailed, SessionUnknown
from client.federated.ordering import SessionPlan
from client.federated.records import SessionRecord
from client.federated.wishes import Data, Protection, Terms, Wishes
from devnet.accounts import LOCAL
from devnet.ledger.findings import Finding
from devnet.services import runner_name
from devnet.soak.plan import SoakPlan
from protocol.enums import SessionPhase
from protocol.errors import ParityError
from protocol.money import format_usdfc

_SAMPLES: Final = 600
_ROUNDS: Final = 2
_LEAST: Final = 3
_SECURE_SEATS: Final = _LEAST + 1
_TERMS: Final = Terms(join_s=120, train_s=120)
"""By the clock of a local chain, whose blocks a rehearsal slows to a quarter and a twelfth."""
_PATIENCE_S: Final = 1_800.0
_TRIES: Final = 20
_PAUSE_S: Final = 1.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sessions:
    """How the two came out."""

    audited: SessionRecord
    secure: SessionRecord


async def hold(parity: Parity, plan: SoakPlan) -> Sessions:
    """Have both sessions held, one after the other. Raises `SessionFailed` or `WaitTimeout` for one that does not end."""
    dataset = await asyncio.to_thread(digits)
    stored = await parity.files.upload(io.BytesIO(dataset), name="digits.csv")
    data = Data(cid=stored, divide_by=16)
    audited = Wishes(
        name="A rehearsal, re-executed", rounds=_ROUNDS, learning_rate="0.1", audit_rate=1, seed=plan.seed, data=data,
        min_participants=_LEAST, max_participants=plan.runners - len(plan.cheats), terms=_TERMS,
    )  # fmt: skip
    secure = Wishes(
        name="A rehearsal, in secret", rounds=_ROUNDS, learning_rate="0.1", seed=plan.seed, data=data,
        min_participants=_LEAST, max_participants=_SECURE_SEATS, terms=_TERMS,
        protection=Protection(secure_aggregation=True),
    )  # fmt: skip
    return Sessions(
        audited=await _held(parity, audited, dataset), secure=await _held(parity, secure, dataset)
    )


async def _held(parity: Parity, wishes: Wishes, dataset: bytes) -> SessionRecord:
    learning = parity.federated
    prepared = await learning.prepare(wishes, dataset=dataset)
    plan = await learning.plan(prepared, wishes.terms)
    await _create(parity, plan)
    last: SessionRecord | None = None
    async for last in learning.follow(plan.session_id, timeout_s=_PATIENCE_S):
        log.info("session", name=wishes.name, phase=last.phase.name, round=last.round)
    if last is None:
        raise SessionFailed(f"session 0x{plan.session_id.hex()} was never seen")
    return last


async def _create(parity: Parity, plan: SessionPlan) -> None:
    """Create a session, again while something that it needs is down; one that the chain has is not created twice."""
    for left in reversed(range(_TRIES)):
        try:
            await parity.federated.create(plan)
        except (ParityError, Web3Exception) as error:
            log.info("session_not_created", error=str(error))
            with suppress(SessionUnknown):
                await parity.federated.session(plan.session_id)
                return
            if not left:
                raise
            await asyncio.sleep(_PAUSE_S)
        else:
            return


def digits() -> bytes:
    """Write images of digits, as CSV: the figure, and 64 grey values from 0 to 16."""
    from sklearn.datasets import load_digits  # noqa: PLC0415 (1 s that a rehearsal without sessions does not need)

    whole = load_digits()
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["label", *(f"pixel{number}" for number in range(64))])
    rows = zip(whole.target[:_SAMPLES], whole.data[:_SAMPLES], strict=True)
    writer.writerows([int(label), *map(int, pixels)] for label, pixels in rows)
    return text.getvalue().encode()


def judge_sessions(plan: SoakPlan, held: Sessions) -> Iterator[Finding]:
    """Return whether both ended well, whoever trained falsely was caught, and nobody else was fined."""
    for record in (held.audited, held.secure):
        kept = sum(one.accepted is not None for one in record.round_list)
        yield Finding(
            f'the session "{record.name}" has finished',
            record.phase is SessionPhase.FINISHED and kept == record.rounds,
            f"{record.phase.name.lower()}, {kept} of {record.rounds} rounds settled, {record.members} members",
        )
    yield Finding("nobody could read the updates of the second", held.secure.secure, "secure aggregation")
    false = {LOCAL.node(number).address: number for number in plan.half_trained}
    seats = {seat.node: seat for seat in held.audited.participants}
    for node, number in false.items():
        seat, half = seats.get(node), held.audited.bond // 2
        caught = seat is not None and seat.caught and seat.slashed == half
        found = (
            "took no part" if seat is None else f"slashed {format_usdfc(seat.slashed)}, caught: {seat.caught}"
        )
        yield Finding(
            f"{runner_name(number)} ({plan.role_of(number)}) was caught and lost half its bond", caught, found
        )
    wronged = [
        seat.node
        for record in (held.audited, held.secure)
        for seat in record.participants
        if seat.caught and seat.node not in false
    ]
    yield Finding("nobody who trained honestly was caught", not wronged, ", ".join(wronged) or "nobody was")
