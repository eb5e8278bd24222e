"""Flower deployed on this machine: a SuperLink and a SuperNode for each participant, which run the app once.

`python deployment.py` in Flower's environment, with BESIDE_FLOWER naming the folder of the task (see app/app.py), in a network
namespace of its own: ports are fixed.
"""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

APP = Path(__file__).parent / "app"
BIN = Path(sys.executable).parent
LINK_PORT, FIRST_NODE_PORT = 8000, 9100
PATIENCE_S = 540.0


def _until_it_listens() -> None:
    until = time.monotonic() + PATIENCE_S
    while True:
        with contextlib.suppress(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", LINK_PORT)).close()
            return
        if time.monotonic() > until:
            raise TimeoutError("Flower's SuperLink does not start")
        time.sleep(0.5)


def main() -> None:
    """Run the app from its start to its end."""
    folder = Path(os.environ["BESIDE_FLOWER"])
    task = json.loads((folder / "task.json").read_text())
    home = folder / "home"
    home.mkdir()
    link = f"127.0.0.1:{LINK_PORT}"
    (home / "config.toml").write_text(
        f'[superlink]\ndefault = "here"\n\n[superlink.here]\naddress = "{link}"\ninsecure = true\n'
    )
    environment = {**os.environ, "FLWR_HOME": str(home), "PATH": f"{BIN}:{os.environ['PATH']}"}
    with contextlib.ExitStack() as stack:
        log = stack.enter_context((folder / "deployment.log").open("wb"))

        def start(program: str, *arguments: str) -> subprocess.Popen[bytes]:
            argv = [str(BIN / program), *arguments]
            process = subprocess.Popen(argv, env=environment, stdout=log, stderr=log, start_new_session=True)
            stack.callback(process.wait)
            stack.callback(process.terminate)
            return process

        start(
            "flower-superlink",
            "--insecure",
            "--port",
            str(LINK_PORT),
            "--disable-runtime-dependency-installation",
        )
        for seat in range(task["participants"]):
            start(
                *("flower-supernode", "--insecure", "--superlink", link),
                *("--port", str(FIRST_NODE_PORT + seat), "--node-config", f"partition-id={seat}"),
            )
        _until_it_listens()
        subprocess.run([BIN / "flwr", "run", APP], env=environment, stdout=log, stderr=log, check=True)
        last, until = folder / task["sessions"][-1]["name"] / "last.npz", time.monotonic() + PATIENCE_S
        while not last.exists():
            if time.monotonic() > until:
                raise TimeoutError(f"Flower's deployment did not end: see {folder / 'deployment.log'}")
            time.sleep(0.2)


if __name__ == "__main__":
    main()
