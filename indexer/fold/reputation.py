"""Fold the RunnerReputation: who runs, and how well."""

from collections.abc import Callable, Mapping

from indexer.events import Event
from indexer.fold import audits
from indexer.fold.rows import Module, Reputation, ReputationEvent, Runner
from indexer.fold.state import Impossible, Keys, State
from indexer.fold.timeline import add_to_timeline
from protocol.enums import Outcome

OUTCOMES = {member.value: member.name.lower() for member in Outcome}
STREAK_TO_BAN = 3
"""Wrong results in a row that end in a ban, as RunnerReputation has it; the ban starts the count anew."""


def needs(keys: Keys, event: Event) -> None:
    """Note the rows that folding the event looks at."""
    if event.type.name == "Wired":
        keys.modules.add((event.log.address, event.args[0]))
        return
    keys.runners.add(event.args[0])
    if event.type.name == "ScoreChanged":
        keys.tasks.add(event.args[1])
        keys.audits.add(event.args[1])


def _runner(state: State, node: bytes) -> Runner:
    row = state.runners.find(node)
    if row is None:
        raise Impossible(f"runner 0x{node.hex()} is not registered")
    return row


def _registered(state: State, event: Event) -> None:
    node, owner, label, profile = event.args
    block = event.log.block_number
    row = state.runners.find(node)
    if row is not None and (row.status == "active" or row.owner != owner):
        raise Impossible(f"runner 0x{node.hex()} is already {row.status} and owned by 0x{row.owner.hex()}")
    state.runners.put(
        node,
        Runner(
            node=node,
            owner=owner,
            label=label,
            profile=profile,
            status="active",
            registered_block=block,
            banned_until=row.banned_until if row else 0,
            suspended_until=row.suspended_until if row else 0,
            strikes=row.strikes if row else 0,
            updated_block=block,
        ),
    )
    if state.reputations.find(node) is None:
        state.reputations.put(node, Reputation(node, updated_block=block))
    _want_profile(state, profile)


def _profile_changed(state: State, event: Event) -> None:
    node, profile = event.args
    row = _runner(state, node)
    row.profile = profile
    row.updated_block = event.log.block_number
    state.runners.put(node, row)
    _want_profile(state, profile)


def _want_profile(state: State, profile: bytes) -> None:
    if any(profile):
        state.documents[profile] = "profile"


def _retirement(state: State, event: Event) -> None:
    (node,) = event.args
    row = _runner(state, node)
    if row.status != "active":
        raise Impossible(f"runner 0x{node.hex()} is already {row.status}")
    row.status = "retired"
    row.updated_block = event.log.block_number
    state.runners.put(node, row)


def _score_changed(state: State, event: Event) -> None:
    node, ref, code, score = event.args
    log = event.log
    outcome = OUTCOMES[code]
    _record(state, node, outcome, score, block=log.block_number)
    state.reputation_events.append(
        ReputationEvent(
            node,
            ref,
            outcome,
            score,
            log.block_number,
            log.tx_index,
            log.log_index,
            log.tx_hash,
            log.block_time,
        )
    )
    _mark_seat(state, event, outcome)


def _record(state: State, node: bytes, outcome: str, score: int, *, block: int) -> None:
    row = state.reputations.find(node)
    if row is None:
        raise Impossible(f"runner 0x{node.hex()} is not registered")
    row.score = score
    row.updated_block = block
    if outcome == "right":
        row.right += 1
        row.wrong_streak = 0
    elif outcome == "wrong":
        row.wrong += 1
        row.wrong_streak = (row.wrong_streak + 1) % STREAK_TO_BAN
    elif outcome == "missed":
        row.missed += 1
    elif outcome in ("monitor_silent", "monitor_lying"):
        row.monitor_missed += 1
    state.reputations.put(node, row)


def _mark_seat(state: State, event: Event, outcome: str) -> None:
    node, ref, _code, score = event.args
    task = state.tasks.find(ref)
    if task is None:
        return
    add_to_timeline(state, event, ref, node=node, outcome=outcome, newScore=score)
    for number in range(task.claimed):
        seat = state.seats.find((ref, number))
        if seat is not None and seat.node == node:
            seat.outcome = outcome
            seat.updated_block = event.log.block_number
            state.seats.put((ref, number), seat)
            return
    if not audits.mark_outcome(state, event, ref, node, outcome=outcome):
        raise Impossible(f"runner 0x{node.hex()} has no seat in task 0x{ref.hex()}")


def _banned(state: State, event: Event) -> None:
    node, until_block, strikes = event.args
    row = _runner(state, node)
    row.banned_until = until_block
    row.strikes = strikes
    row.updated_block = event.log.block_number
    state.runners.put(node, row)


def _suspended(state: State, event: Event) -> None:
    node, until_block = event.args
    row = _runner(state, node)
    row.suspended_until = until_block
    row.updated_block = event.log.block_number
    state.runners.put(node, row)


def _wired(state: State, event: Event) -> None:
    (module,) = event.args
    contract = event.log.address
    state.modules.put((contract, module), Module(contract, module, event.log.block_number))


FOLDS: Mapping[str, Callable[[State, Event], None]] = {
    "RunnerRegistered": _registered,
    "RunnerProfileChanged": _profile_changed,
    "RunnerRetirement": _retirement,
    "ScoreChanged": _score_changed,
    "RunnerBan": _banned,
    "RunnerSuspension": _suspended,
    "Wired": _wired,
}
