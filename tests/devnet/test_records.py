import os
import subprocess
import sys

import psutil
import pytest

from devnet.__main__ import down
from devnet.errors import PreflightFailed
from devnet.records import Record, Records, hold_lock, running_pid


@pytest.fixture
def sleeper():
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    yield process
    process.kill()
    process.wait()


def record_of(process, *, started_at=None):
    return Record("sleeper", process.pid, started_at or psutil.Process(process.pid).create_time())


def test_reaping_stops_what_is_noted_and_still_runs(tmp_path, sleeper):
    records = Records(tmp_path)
    records.add(record_of(sleeper))
    assert [record.pid for record in records.reap()] == [sleeper.pid]
    assert not psutil.pid_exists(sleeper.pid)
    assert records.read() == []


def test_reaping_spares_a_stranger_with_the_same_pid(tmp_path, sleeper):
    records = Records(tmp_path)
    records.add(record_of(sleeper, started_at=1.0))
    assert records.reap() == []
    assert sleeper.poll() is None


def test_a_broken_file_of_records_holds_nothing(tmp_path):
    (tmp_path / "pids.json").write_text("{not json")
    assert Records(tmp_path).read() == []


def test_a_second_network_on_the_same_state_is_told_who_has_it(tmp_path):
    with hold_lock(tmp_path):
        assert running_pid(tmp_path) == os.getpid()
        with (
            pytest.raises(PreflightFailed, match=f"already runs on {tmp_path} .pid {os.getpid()}.") as caught,
            hold_lock(tmp_path),
        ):
            pass
    assert "make down" in caught.value.hint
    assert running_pid(tmp_path) is None


def test_a_lock_that_a_dead_process_left_is_no_obstacle(tmp_path):
    (tmp_path / "lock").write_text("999999")
    with hold_lock(tmp_path):
        assert running_pid(tmp_path) == os.getpid()


def test_a_folder_with_other_things_in_it_is_never_touched(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(PreflightFailed, match="holds other things"), hold_lock(tmp_path):
        pass
    with pytest.raises(PreflightFailed, match="holds other things"):
        down(state_dir=tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"
