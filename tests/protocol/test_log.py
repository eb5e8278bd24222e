import json
import logging
import subprocess
import sys

import pytest
import structlog
from structlog.contextvars import bound_contextvars, clear_contextvars

from protocol.log import configure_logging, redact

PRIVATE = "4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318"


@pytest.fixture(autouse=True)
def _restored():
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
    clear_contextvars()


def test_an_event_is_one_line_of_json_with_its_bound_ids(capsys: pytest.CaptureFixture[str]):
    configure_logging("runner", json=True)
    with bound_contextvars(task_id="0x01"):
        structlog.get_logger().info("claimed", seat=2)
    event = json.loads(capsys.readouterr().err)
    assert event | {"timestamp": ""} == {
        "event": "claimed",
        "level": "info",
        "process": "runner",
        "seat": 2,
        "task_id": "0x01",
        "timestamp": "",
    }


def test_the_standard_library_logs_go_the_same_way(capsys: pytest.CaptureFixture[str]):
    configure_logging("indexer", json=True)
    logging.getLogger("some.library").warning("slow %s", "node")
    event = json.loads(capsys.readouterr().err)
    assert (event["event"], event["level"], event["process"]) == ("slow node", "warning", "indexer")


def test_events_below_the_level_are_not_written(capsys: pytest.CaptureFixture[str]):
    configure_logging("api", level="warning", json=True)
    structlog.get_logger().info("quiet")
    logging.getLogger("x").info("quiet")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    "name", ["private_key", "PRIVATE_KEY", "password", "runner_password", "client_secret", "key"]
)
def test_a_value_whose_name_says_secret_is_blanked(name: str):
    assert PRIVATE not in str(redact(None, "info", {name: PRIVATE, "nested": [{name: PRIVATE}]}))


def test_credentials_in_a_url_are_blanked():
    shown = str(redact(None, "info", {"database": "postgres://me:hunter2@host/db"}))
    assert "hunter2" not in shown
    assert "host/db" in shown


def test_ids_that_are_not_secret_stay():
    assert redact(None, "info", {"task_id": "0x" + "ab" * 32}) == {"task_id": "0x" + "ab" * 32}


def test_an_exception_is_logged_on_the_same_line(capsys: pytest.CaptureFixture[str]):
    configure_logging("api", json=True)
    try:
        int("boom")
    except ValueError:
        structlog.get_logger().exception("failed")
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert "ValueError: invalid literal" in json.loads(lines[0])["exception"]


def test_a_process_whose_error_output_is_no_terminal_logs_json():
    program = "from protocol.log import configure_logging as c; import structlog; c('x'); structlog.get_logger().info('hi')"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == ""
    assert json.loads(done.stderr)["event"] == "hi"
