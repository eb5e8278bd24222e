"""The images' recipe, as far as it can be told without a container engine: what it copies is there, what it installs is locked."""

import http.server
import re
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RECIPE = (ROOT / "deploy/image/Dockerfile").read_text()
HEALTHY = ROOT / "deploy/image/healthy"
BUILT = {"api/dashboard/dist"}
LOCKS = ("server", "runner", "build")


def pins(path: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9._-]+)==([^ ;\\]+)", (ROOT / path).read_text(), flags=re.MULTILINE))


def copied() -> list[str]:
    lines = re.findall(r"^COPY (?!--from)(?:--\S+ )?(.+)$", RECIPE, flags=re.MULTILINE)
    return [source for line in lines for source in line.split()[:-1]]


def test_everything_that_is_copied_is_there() -> None:
    assert copied()
    assert not [path for path in copied() if not (ROOT / path).exists()]


def test_everything_that_is_copied_is_sent_to_the_builder() -> None:
    let_in = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    for path in copied():
        assert any(path == one or path.startswith(f"{one}/") for one in let_in), path


@pytest.mark.parametrize("lock", LOCKS)
def test_an_image_holds_the_versions_that_are_tested(lock: str) -> None:
    own, tested = pins(f"toolchain/{lock}.lock"), pins("requirements.lock")
    assert own
    assert own.items() <= tested.items()


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_of_an_image_has_a_hash(lock: str) -> None:
    entries = re.split(r"^(?=[a-z0-9])", (ROOT / f"toolchain/{lock}.lock").read_text(), flags=re.MULTILINE)
    assert not [entry for entry in entries if "==" in entry and "--hash=sha256:" not in entry]


def test_whatever_is_installed_is_held_to_hashes_or_is_our_own_or_torch() -> None:
    commands = re.findall(r"(?:pip install|pip sync|npm \w+)[^&]*?(?=&&|\n[A-Z]|\Z)", RECIPE, flags=re.DOTALL)
    assert len(commands) >= 6
    for command in commands:
        assert re.search(r"--require-hashes|/wheels/\*\.whl|torch==|npm ci|npm run", command), command


@pytest.mark.parametrize("target", ["server", "runner"])
def test_a_process_does_not_run_as_root(target: str) -> None:
    stages = dict(re.findall(r"^FROM (\S+) AS (\S+)$", RECIPE, flags=re.MULTILINE))
    assert "base" in {stage for stage in stages if f"FROM {stage} AS {target}\n" in RECIPE}
    after_base = RECIPE[RECIPE.index("AS base") :]
    assert re.findall(r"^USER (.+)$", after_base, flags=re.MULTILINE) == ["10001:10001"]


@pytest.fixture
def page() -> Iterator[str]:
    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/health" else 503)
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            return

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def healthy(*arguments: str, **environment: str) -> tuple[int, str]:
    env = {"PATH": f"{ROOT / '.venv/bin'}:/usr/bin:/bin", "HOME": "/nonexistent", **environment}
    ran = subprocess.run([HEALTHY, *arguments], env=env, capture_output=True, text=True, check=False)
    return ran.returncode, ran.stderr


def test_a_process_that_answers_is_healthy(page: str) -> None:
    assert healthy(f"{page}/health") == (0, "")


def test_a_process_that_refuses_is_not_and_the_reason_is_told(page: str) -> None:
    status, why = healthy(f"{page}/ready")
    assert status == 1
    assert "503" in why


def test_a_runner_without_a_journal_is_not_healthy(tmp_path: Path) -> None:
    status, why = healthy("runner", RUNNER_HOME=str(tmp_path))
    assert status == 1
    assert "no journal" in why
