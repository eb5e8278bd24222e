"""Waiting for a task on the chain, and fetching its answer, checked against what the chain agreed on."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from client.errors import TaskUnanswered, WaitTimeout
from client.records import Answer, Progress, Result
from client.tasks import TaskState, agreed_result, life, read_progress, read_state
from protocol.chain import Chain
from protocol.cid import digest_to_cid
from protocol.content import ContentStore
from protocol.documents import CommandResult, Document, LlmResult, LlmSpec, parse_document
from protocol.enums import Mode, TaskStatus
from protocol.errors import ContentMismatch, ContentTooLarge, InputError, RpcUnavailable

Kind = TypeVar("Kind", bound=Document)
SpecKind = TypeVar("SpecKind", bound=Document)
ResultKind = TypeVar("ResultKind", LlmResult, CommandResult)

_LONGEST_POLL_S = 10.0
_DISPUTABLE = (TaskStatus.CHALLENGEABLE, TaskStatus.DISPUTED)
_DISPUTE = "Do not use it. The runners that agreed on it are named by parity-client task get."


async def wait_until_ended(
    chain: Chain, task_id: bytes, *, timeout_s: float | None, on_progress: Callable[[Progress], None]
) -> Progress:
    """Poll the chain until the task has ended; `WaitTimeout`, `TaskUnknown`.

    A node that does not answer is asked again until the time is up: a task does not end because a node is restarted.
    """
    until = None if timeout_s is None else time.monotonic() + timeout_s
    poll_s = min(max(chain.network.block_time_s / 2, 0.1), _LONGEST_POLL_S)
    last: Progress | None = None
    while True:
        try:
            now = await read_progress(chain, task_id)
        except RpcUnavailable:
            if until is None or time.monotonic() > until:
                raise
        else:
            if last is None or _changed(last, now):
                on_progress(now)
            if now.status.is_terminal:
                return now
            last = now
        if until is not None and time.monotonic() > until:
            raise _timeout(task_id, last, timeout_s=timeout_s)
        await asyncio.sleep(poll_s)


async def fetch_answer(
    chain: Chain, content: ContentStore, task_id: bytes, *, provisional: bool = False
) -> Answer:
    """Fetch a final task's answer and check it: digest, task and model must be the chain's.

    `provisional` also takes the revealed answer of an audited task that may still be disputed.
    Raises `TaskUnanswered` if it ended without one or has not ended, `ContentMismatch`, `ContentUnavailable`.
    """
    settled = await fetch_settled(
        chain, content, task_id, spec=LlmSpec, result=LlmResult, provisional=provisional
    )
    result = settled.result
    if result.model != settled.spec.model:
        raise ContentMismatch(
            f"{settled.result_cid}: made by model {result.model}; asked was {settled.spec.model}",
            hint=_DISPUTE,
        )
    return Answer(
        task_id=task_id,
        model=result.model,
        output=result.output,
        done_reason=result.done_reason,
        input_tokens=result.input_tokens,
        output_tokens=result.output_tokens,
        result_cid=settled.result_cid,
        spec_cid=settled.spec_cid,
        provisional=settled.provisional,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled(Generic[SpecKind, ResultKind]):
    """A final task's documents, by the digests that the chain names."""

    spec: SpecKind
    result: ResultKind
    spec_cid: str
    result_cid: str
    provisional: bool


async def fetch_settled(
    chain: Chain,
    content: ContentStore,
    task_id: bytes,
    *,
    spec: type[SpecKind],
    result: type[ResultKind],
    provisional: bool = False,
) -> Settled[SpecKind, ResultKind]:
    """Fetch a final task's spec and result, of the given kinds; the result must be of this task.

    `provisional` also takes the revealed answer of an audited task that may still be disputed.
    Raises `TaskUnanswered` if it ended without one or has not ended, `ContentMismatch`, `ContentUnavailable`.
    """
    state = await read_state(chain, task_id)
    open_to_dispute = provisional and state.status in _DISPUTABLE
    if state.status is not TaskStatus.FINAL and not open_to_dispute:
        raise _unanswered(task_id, state)
    events = await life(chain, task_id, state=state)
    spec_digest = next(bytes(e.arguments["order"]["spec"]) for e in events if e.name == "TaskSubmitted")
    if open_to_dispute:
        result_digest = next(bytes(e.arguments["result"]) for e in events if e.name == "SeatRevealed")
    else:
        result_digest = agreed_result(events)
    found = await _fetch(content, result_digest, kind=result)
    result_cid = digest_to_cid(result_digest)
    if found.task != "0x" + task_id.hex():
        raise ContentMismatch(
            f"{result_cid}: answers task {found.task}, not 0x{task_id.hex()}", hint=_DISPUTE
        )
    return Settled(
        spec=await _fetch(content, spec_digest, kind=spec),
        result=found,
        spec_cid=digest_to_cid(spec_digest),
        result_cid=result_cid,
        provisional=open_to_dispute,
    )


async def fetch_result(chain: Chain, content: ContentStore, task_id: bytes) -> Result:
    """Fetch a final task's result document as it is; the store checks its digest, which is the chain's.

    Raises `TaskUnanswered` if the task has none, `ContentMismatch`, `ContentUnavailable`.
    """
    state = await read_state(chain, task_id)
    if state.status is not TaskStatus.FINAL:
        raise _unanswered(task_id, state)
    events = await life(chain, task_id, state=state)
    digest = agreed_result(events)
    return Result(task_id=task_id, cid=digest_to_cid(digest), content=await content.get(digest))


async def _fetch(content: ContentStore, digest: bytes, *, kind: type[Kind]) -> Kind:
    cid = digest_to_cid(digest)
    try:
        document = parse_document(await content.get(digest))
    except (InputError, ContentTooLarge) as error:
        raise ContentMismatch(f"{cid}: not a Parity document ({error.message})", hint=_DISPUTE) from error
    if not isinstance(document, kind):
        raise ContentMismatch(
            f"{cid}: a document of kind {document.kind!r}, not what the chain names", hint=_DISPUTE
        )
    return document


def _changed(old: Progress, new: Progress) -> bool:
    return (old.status, old.claimed, old.committed, old.revealed) != (
        new.status,
        new.claimed,
        new.committed,
        new.revealed,
    )


def _unanswered(task_id: bytes, state: TaskState) -> TaskUnanswered:
    name, status = f"task 0x{task_id.hex()}", state.status
    match status:
        case TaskStatus.FAILED if state.mode is Mode.AUDITED and state.revealed:
            why = "failed: a panel of auditors threw its answer out"
            hint = (
                "The reward went back to the payer in full, with a share of the runner's stake. Submit again."
            )
        case TaskStatus.FAILED:
            why = "failed: too few runners agreed on a result"
            hint = (
                "The reward went back to the payer in full. Submit again, with more --replicas if you like."
            )
        case TaskStatus.CANCELLED:
            why = "was cancelled, or nobody claimed it in time"
            hint = "The reward went back to the payer in full. A higher --max-price may find a runner."
        case _:
            why = f"has no result yet: it is {status.name.lower()}"
            hint = f"Wait for it: parity-client llm get 0x{task_id.hex()} --wait"
    return TaskUnanswered(f"{name} {why}", status=status, hint=hint)


def _timeout(task_id: bytes, last: Progress | None, *, timeout_s: float | None) -> WaitTimeout:
    state = f"it is {last.status.name.lower()}" if last else "its state could not be read"
    return WaitTimeout(
        f"task 0x{task_id.hex()} did not end within {timeout_s:g} s: {state}",
        hint=f"It goes on. Wait again: parity-client llm get 0x{task_id.hex()} --wait; "
        "or take an unclaimed one back: parity-client task cancel ID.",
    )
