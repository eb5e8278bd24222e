"""What a runner is doing, read from its journal: it works whether or not the daemon runs, and from another process."""

import json
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from protocol.errors import ConfigError
from protocol.money import format_usdfc
from runner.federated.diary import Diary, Entry, Standing, diary_path
from runner.jobs import Job
from runner.journal import DRAIN, HEARTBEAT, Journal, is_held

SHOWN_JOBS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """A runner's state: the last heartbeat, whether a daemon holds the journal, and the jobs touched last."""

    journal: str
    running: bool
    heartbeat: dict[str, Any] | None
    jobs: tuple[Job, ...]
    sessions: tuple[Entry, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON takes it: amounts as decimal strings of base units."""
        return {
            "journal": self.journal,
            "running": self.running,
            "heartbeat": self.heartbeat,
            "jobs": [_job_json(job) for job in self.jobs],
            "sessions": [_session_json(entry) for entry in self.sessions],
        }


def read_status(home: Path, *, chain_id: int) -> Status:
    """Read the newest journal of a chain in `home`; `ConfigError` if there is none."""
    path = newest_journal(home, chain_id=chain_id)
    running = is_held(path)
    with Journal.read(path) as journal:
        beat = journal.fact(HEARTBEAT)
        return Status(
            journal=str(path),
            running=running,
            heartbeat=json.loads(beat) if beat else None,
            jobs=tuple(journal.recent(SHOWN_JOBS)),
            sessions=_sessions(diary_path(path)),
        )


def request_drain(home: Path, *, chain_id: int) -> bool:
    """Ask the running daemon to drain; say whether one runs. `ConfigError` if there is no journal."""
    path = newest_journal(home, chain_id=chain_id)
    if not is_held(path):
        return False
    with Journal.open(path, exclusive=False) as journal:
        journal.set_fact(DRAIN, "yes")
    return True


def newest_journal(home: Path, *, chain_id: int) -> Path:
    """Return the journal written last; `ConfigError` if there is none."""
    found = sorted(home.glob(f"journal-{chain_id}-*.sqlite"), key=lambda path: path.stat().st_mtime)
    if not found:
        raise ConfigError(
            f"RUNNER_HOME: no journal of chain {chain_id} in {home}",
            hint="Start the daemon once with `parity-runner runner`, or set RUNNER_HOME and FILECOIN_CHAIN_ID to the values that the daemon uses.",
        )
    return found[-1]


def lines_of(status: Status) -> list[str]:
    """Write a status for people."""
    beat = status.heartbeat
    lines = [f"daemon   {'running' if status.running else 'not running'}"]
    if beat:
        age_s = max(0, round(time.time() - beat["at"]))
        lines += [
            f"owner    {beat['owner']}  (earnings are the owner's StakeWallet balance)",
            f"seen     block {beat['head_block']}, {age_s} s ago",
            f"engine   {beat['engine']}; {', '.join(beat['models']) or 'no models offered'}",
            f"training {beat.get('training', 'not told')}",
            f"slots    {beat['busy']} of {beat['slots']} busy, {beat['live']} tasks in view"
            + (", draining" if beat["draining"] else ""),
        ]
    lines.append("")
    lines += [_job_line(job) for job in status.jobs] or ["no task seen yet"]
    if status.sessions:
        lines += ["", "learning sessions", *map(_session_line, status.sessions)]
    return lines


def _job_line(job: Job) -> str:
    earned = f"  paid {format_usdfc(job.paid)} USDFC" if job.paid else ""
    lost = f"  lost {format_usdfc(job.slashed)} USDFC of stake" if job.slashed else ""
    reason = f"  {job.reason}" if job.reason else ""
    return f"0x{job.task_id.hex()[:12]}…  {job.stage.value:<10}{earned}{lost}{reason}"


def _job_json(job: Job) -> dict[str, Any]:
    return {
        "taskId": "0x" + job.task_id.hex(),
        "stage": job.stage.value,
        "reason": job.reason,
        "seat": job.seat,
        "client": job.order.client,
        "inputTokens": job.input_tokens,
        "outputTokens": job.output_tokens,
        "paid": None if job.paid is None else str(job.paid),
        "slashed": None if job.slashed is None else str(job.slashed),
    }


def _sessions(path: Path) -> tuple[Entry, ...]:
    if not path.exists():
        return ()
    with closing(Diary.read(path)) as diary:
        return tuple(diary.recent(SHOWN_JOBS))


def _session_line(entry: Entry) -> str:
    where = f"{entry.phase} of round {entry.round} of {entry.order.rounds}" if entry.round else entry.phase
    slot = "" if entry.slot is None else f"  slot {entry.slot}"
    earned = f"  earned {format_usdfc(entry.earned)} USDFC" if entry.earned else ""
    reason = f"  {entry.reason}" if entry.reason and entry.stage is not Standing.OVER else ""
    return f"0x{entry.session.hex()[:12]}…  {entry.stage.value:<10}{where}{slot}{earned}{reason}"


def _session_json(entry: Entry) -> dict[str, Any]:
    return {
        "session": "0x" + entry.session.hex(),
        "stage": entry.stage.value,
        "phase": entry.phase,
        "round": entry.round,
        "rounds": entry.order.rounds,
        "slot": entry.slot,
        "reason": entry.reason,
        "earned": str(entry.earned),
    }
