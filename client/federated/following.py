"""Following a session until it has ended: what changed, as soon as the chain says it."""

import asyncio
import time
from collections.abc import AsyncIterator

from client.errors import WaitTimeout
from client.federated.reading import SessionState, read_session, read_state
from client.federated.records import SessionRecord
from protocol.chain import Chain
from protocol.content import ContentStore
from protocol.errors import RpcUnavailable

_LONGEST_POLL_S = 10.0
_FIGURES_FOR_S = 30.0
"""How long the end waits for figures that IPFS does not have yet."""


async def follow(
    chain: Chain, content: ContentStore, session: bytes, *, timeout_s: float | None, at_deadline: bool = False
) -> AsyncIterator[SessionRecord]:
    """Yield the session now, and again whenever it has changed, until it has ended.

    With `at_deadline` also when the deadline of its phase has passed, which changes nothing by itself.
    A node that does not answer is asked again until the time is up. Raises `SessionUnknown`, `WaitTimeout`.
    """
    until = None if timeout_s is None else time.monotonic() + timeout_s
    poll_s = min(max(chain.network.block_time_s / 2, 0.2), _LONGEST_POLL_S)
    last: object = None
    record: SessionRecord | None = None
    while True:
        try:
            state = await read_state(chain, session)
            late = at_deadline and await _is_over(chain, state, record)
            if state != last or late or (record is not None and _figures_missing(record)):
                now = await read_session(chain, content, session)
                if now.phase == state.phase:
                    last = state
                if record is None or late or _changed(record, now):
                    yield now
                record = now
                if now.phase.is_terminal:
                    break
        except RpcUnavailable:
            if until is None or time.monotonic() > until:
                raise
        if until is not None and time.monotonic() > until:
            raise _timeout(session, record, timeout_s=timeout_s)
        await asyncio.sleep(poll_s)
    async for final in _completed(chain, content, record):
        yield final


async def _is_over(chain: Chain, state: SessionState, last: SessionRecord | None) -> bool:
    """Return whether the phase's deadline has passed since the session was last given."""
    given = last is not None and last.deadline == state.deadline and last.block > last.deadline
    return not given and await chain.block_number() > state.deadline > 0


async def _completed(
    chain: Chain, content: ContentStore, record: SessionRecord
) -> AsyncIterator[SessionRecord]:
    """Wait a while for the last figures: who aggregated may still be publishing them."""
    until = time.monotonic() + _FIGURES_FOR_S
    while _figures_missing(record) and time.monotonic() < until:
        await asyncio.sleep(1)
        now = await read_session(chain, content, record.session_id)
        if _changed(record, now):
            yield now
        record = now


def _figures_missing(record: SessionRecord) -> bool:
    return any(one.manifest is not None and one.figures is None for one in record.round_list)


def _changed(old: SessionRecord, new: SessionRecord) -> bool:
    kept = ("phase", "round", "attempts", "members", "expected", "present", "closing", "round_list")
    return any(getattr(old, name) != getattr(new, name) for name in kept)


def _timeout(session: bytes, record: SessionRecord | None, *, timeout_s: float | None) -> WaitTimeout:
    state = f"it is {record.phase.name.lower()}" if record else "its state could not be read"
    return WaitTimeout(
        f"session 0x{session.hex()} did not end within {timeout_s:g} s: {state}",
        hint=f"It goes on. Watch again: parity-client fl watch-session 0x{session.hex()}",
    )
