import os
import sqlite3
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from protocol.enums import TaskStatus
from runner.errors import JournalError
from runner.executors import Execution
from runner.jobs import Stage
from runner.journal import Journal, journal_path
from tests.runner.conftest import TASK, an_order


def test_a_task_is_new_only_once(journal: Journal) -> None:
    assert journal.see(TASK, an_order(), seed_block=7)
    assert not journal.see(TASK, an_order(), seed_block=7)
    assert journal.job(TASK).order == an_order()
    assert journal.job(TASK).stage is Stage.WAITING


def test_a_dropped_task_that_a_reorganisation_submits_again_is_live_again(journal: Journal) -> None:
    journal.see(TASK, an_order(), seed_block=7)
    journal.move(TASK, Stage.DROPPED, "the task is not on the chain")
    assert journal.live() == []
    assert journal.see(TASK, an_order(), seed_block=9)
    assert [job.seed_block for job in journal.live()] == [9]


def test_a_refused_task_stays_refused_when_it_is_submitted_again(journal: Journal) -> None:
    journal.see(TASK, an_order(), seed_block=7)
    journal.move(TASK, Stage.REFUSED, "price")
    journal.see(TASK, an_order(), seed_block=9)
    assert journal.live() == []


def test_a_second_result_never_replaces_the_first_nor_its_salt(journal: Journal) -> None:
    journal.see(TASK, an_order(), seed_block=7)
    first = journal.promise(TASK, Execution(result=b"one", input_tokens=1, output_tokens=2))
    second = journal.promise(TASK, Execution(result=b"two", input_tokens=3, output_tokens=4))
    assert second.opening == first.opening
    assert second.result == b"one"


def test_the_database_itself_refuses_to_change_a_promise(journal: Journal, journal_file: Path) -> None:
    journal.see(TASK, an_order(), seed_block=7)
    journal.promise(TASK, Execution(result=b"one", input_tokens=1, output_tokens=2))
    with sqlite3.connect(journal_file) as other, pytest.raises(sqlite3.IntegrityError, match="never change"):
        other.execute("UPDATE jobs SET salt = ?", (bytes(32),))


def test_a_salt_survives_the_undoing_of_its_seat(journal: Journal) -> None:
    journal.see(TASK, an_order(), seed_block=7)
    journal.seated(TASK, 0)
    promised = journal.promise(TASK, Execution(result=b"one", input_tokens=1, output_tokens=2))
    journal.unseated(TASK, "a reorganisation undid the claim")
    journal.seated(TASK, 2)
    assert journal.job(TASK).opening == promised.opening
    assert journal.job(TASK).seat == 2


def test_what_was_written_is_there_for_the_next_process(
    journal: Journal, reopen: Callable[[], Journal]
) -> None:
    journal.see(TASK, an_order(), seed_block=7)
    journal.seated(TASK, 1)
    journal.promise(TASK, Execution(result=b"one", input_tokens=1, output_tokens=2))
    journal.end(TASK, status=TaskStatus.FINAL, block=40, paid=2**95, slashed=0)
    with reopen() as other:
        assert other.job(TASK) == journal.job(TASK)
        assert other.job(TASK).paid == 2**95


def test_a_kill_between_begin_and_commit_leaves_nothing_half_done(journal_file: Path) -> None:
    program = f"""
        import os, signal
        from pathlib import Path
        from runner.journal import Journal
        journal = Journal.open(Path({str(journal_file)!r}))
        journal.set_fact("cursor", "1")
        with journal.together():
            journal.set_fact("cursor", "2")
            journal.register_node("0xN", owner="0xO", profile=bytes(32), block=2)
            os.kill(os.getpid(), signal.SIGKILL)
    """
    killed = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], check=False)
    assert killed.returncode == -9
    with Journal.open(journal_file) as journal:
        assert journal.fact("cursor") == "1"
        assert list(journal.nodes()) == []


def test_two_daemons_cannot_share_a_journal(journal: Journal, journal_file: Path) -> None:
    with pytest.raises(JournalError, match="another runner with this node key is running") as caught:
        Journal.open(journal_file)
    assert "RUNNER_HOME" in str(caught.value.hint)


def test_a_killed_daemon_leaves_no_lock_behind(journal_file: Path) -> None:
    program = f"""
        import os, signal
        from pathlib import Path
        from runner.journal import Journal
        journal = Journal.open(Path({str(journal_file)!r}))
        os.kill(os.getpid(), signal.SIGKILL)
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(program)], check=False)
    Journal.open(journal_file).close()


def test_a_file_that_is_no_journal_is_named_and_left_alone(journal_file: Path) -> None:
    journal_file.write_bytes(b"not a database, but long enough to look at" * 10)
    before = journal_file.read_bytes()
    with pytest.raises(JournalError, match="cannot be used as a journal"):
        Journal.open(journal_file)
    assert journal_file.read_bytes() == before


def test_a_journal_of_a_later_version_is_not_touched(journal: Journal, journal_file: Path) -> None:
    journal.close()
    with sqlite3.connect(journal_file) as database:
        database.execute("PRAGMA user_version = 99")
    with pytest.raises(JournalError, match="version 99"):
        Journal.open(journal_file)
    Journal.open(journal_file.with_name("other.sqlite")).close()


def test_only_the_owner_of_the_machine_can_read_a_journal(journal: Journal, journal_file: Path) -> None:
    assert os.stat(journal_file).st_mode & 0o077 == 0


def test_a_chain_begun_anew_gets_a_journal_of_its_own(tmp_path: Path) -> None:
    def path(genesis: str) -> Path:
        return journal_path(tmp_path, chain_id=31337, genesis_hash=genesis, node="0x" + "ab" * 20)

    assert path("0x" + "1" * 64) != path("0x" + "2" * 64)


def test_audited_work_is_opened_with_the_root_of_its_fingerprint(journal: Journal) -> None:
    journal.see(TASK, an_order(), seed_block=7)
    work = Execution(
        result=b"one", input_tokens=1, output_tokens=2, fingerprint=b"papers", fingerprint_root=b"\x07" * 32
    )
    job = journal.promise(TASK, work)
    assert job.fingerprint == b"papers"
    assert job.opening is not None
    assert job.opening.fingerprint == b"\x07" * 32


def test_two_processes_that_make_the_journal_at_once_share_it(tmp_path: Path) -> None:
    for number in range(20):
        path, start = tmp_path / f"{number}.sqlite", threading.Barrier(4)

        def make(path: Path = path, start: threading.Barrier = start) -> str | None:
            start.wait()
            with Journal.open(path, exclusive=False) as journal:
                return journal.fact("none")

        with ThreadPoolExecutor(4) as pool:
            assert [made.result() for made in [pool.submit(make) for _ in range(4)]] == [None] * 4
