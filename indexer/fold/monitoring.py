"""Fold the PeerMonitoring: rounds, duties, reports and verdicts. A round's key is its id as 32 bytes."""

from collections.abc import Callable, Mapping

from indexer.events import Event
from indexer.fold.monitoring_rows import Assignment, MonitoringVerdict, Report, Round
from indexer.fold.state import Impossible, Keys, State
from protocol.enums import ReportKind, Ruling

KINDS = {member.value: member.name.lower() for member in ReportKind}
RULINGS = {member.value: member.name.lower() for member in Ruling}
EPOCHS = 1 << 40
"""Rounds below this are epochs; a challenge's is a digest."""


def needs(keys: Keys, event: Event) -> None:
    """Note the rows that folding the event looks at."""
    name, args = event.type.name, event.args
    round_ = key_of(args[0])
    if name == "RoundOpened":
        keys.monitoring_rounds.add(round_)
    elif name == "ReportsCommitted":
        keys.monitoring_duties.add((round_, args[1]))
    elif name == "ReportRevealed":
        keys.monitoring_reports.add((round_, args[1], args[2]))
        keys.monitoring_duties.add((round_, args[2]))
    elif name == "MonitorMarked":
        keys.monitoring_duties.add((round_, args[2]))
    else:
        keys.monitoring_verdicts.add((round_, args[1]))


def key_of(round_: int) -> bytes:
    """Return a round's key in the tables."""
    return round_.to_bytes(32, "big")


def _opened(state: State, event: Event) -> None:
    round_, seed_block, seed, active = event.args
    log = event.log
    key = key_of(round_)
    if state.monitoring_rounds.find(key) is not None:
        raise Impossible(f"round {round_} was opened before")
    epoch = round_ if round_ < EPOCHS else None
    row = Round(
        key, epoch, seed_block, key_of(seed), active, log.block_number, log.block_time, log.block_number
    )
    state.monitoring_rounds.put(key, row)


def _committed(state: State, event: Event) -> None:
    round_, monitor, commitment = event.args
    log = event.log
    key = (key_of(round_), monitor)
    if state.monitoring_duties.find(key) is not None:
        raise Impossible(f"0x{monitor.hex()} committed in round {round_} before")
    row = Assignment(*key, commitment, log.block_number, log.tx_hash, updated_block=log.block_number)
    state.monitoring_duties.put(key, row)


def _revealed(state: State, event: Event) -> None:
    round_, target, monitor, kind, evidence, counted = event.args
    log = event.log
    duty = state.monitoring_duties.find((key_of(round_), monitor))
    if duty is None:
        raise Impossible(f"0x{monitor.hex()} committed nothing in round {round_}")
    duty.revealed_block, duty.revealed_tx = log.block_number, log.tx_hash
    duty.reports += 1
    duty.updated_block = log.block_number
    state.monitoring_duties.put((duty.round, monitor), duty)
    key = (duty.round, target, monitor)
    if state.monitoring_reports.find(key) is not None:
        raise Impossible(f"0x{monitor.hex()} reported 0x{target.hex()} in round {round_} before")
    row = Report(
        *key,
        KINDS[kind],
        evidence,
        counted,
        log.block_number,
        log.tx_hash,
        log.block_time,
        log.block_number,
    )
    state.monitoring_reports.put(key, row)


def _concluded(state: State, event: Event) -> None:
    epoch, target, ruling, kind, agreeing, reports = event.args
    log = event.log
    key = (key_of(epoch), target)
    if state.monitoring_verdicts.find(key) is not None:
        raise Impossible(f"0x{target.hex()} was concluded in epoch {epoch} before")
    row = MonitoringVerdict(
        *key,
        epoch=epoch,
        ruling=RULINGS[ruling],
        kind=KINDS[kind],
        agreeing=agreeing,
        reports=reports,
        concluded_block=log.block_number,
        concluded_at=log.block_time,
        challenge_round=None,
        challenger=None,
        challenged_block=None,
        judged_kind=None,
        judged_agreeing=None,
        judged_reports=None,
        resolved_block=None,
        updated_block=log.block_number,
    )
    state.monitoring_verdicts.put(key, row)


def _verdict(state: State, event: Event, *, ruling: str) -> MonitoringVerdict:
    epoch, target = event.args[:2]
    row = state.monitoring_verdicts.find((key_of(epoch), target))
    if row is None or row.ruling != ruling:
        raise Impossible(f"the verdict on 0x{target.hex()} in epoch {epoch} is not {ruling}")
    row.updated_block = event.log.block_number
    return row


def _challenged(state: State, event: Event) -> None:
    _epoch, _target, challenger, round_, _seed_block = event.args
    row = _verdict(state, event, ruling="agreed")
    row.ruling = "challenged"
    row.challenger, row.challenge_round = challenger, key_of(round_)
    row.challenged_block = event.log.block_number
    state.monitoring_verdicts.put((row.round, row.target), row)


def _resolved(state: State, event: Event) -> None:
    _epoch, _target, ruling, kind, agreeing, reports = event.args
    row = _verdict(state, event, ruling="challenged")
    row.ruling = RULINGS[ruling]
    row.judged_kind = KINDS[kind] if reports else None
    row.judged_agreeing, row.judged_reports = agreeing, reports
    row.resolved_block = event.log.block_number
    state.monitoring_verdicts.put((row.round, row.target), row)


def _marked(state: State, event: Event) -> None:
    round_, target, monitor, lying = event.args
    key = (key_of(round_), monitor)
    row = state.monitoring_duties.find(key) or Assignment(*key)
    if row.mark is not None:
        raise Impossible(f"0x{monitor.hex()} was marked in round {round_} before")
    row.mark, row.mark_target = "lying" if lying else "silent", target
    row.mark_block = row.updated_block = event.log.block_number
    state.monitoring_duties.put(key, row)


FOLDS: Mapping[str, Callable[[State, Event], None]] = {
    "RoundOpened": _opened,
    "ReportsCommitted": _committed,
    "ReportRevealed": _revealed,
    "EpochConcluded": _concluded,
    "VerdictChallenged": _challenged,
    "ChallengeResolved": _resolved,
    "MonitorMarked": _marked,
}
