"""Completion scripts: each program writes one for each shell, and the shell can read it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAMS = Path(sys.executable).parent


@pytest.mark.parametrize("program", ["parity-client", "parity-server", "parity-indexer", "parity-runner"])
def test_a_program_completes_in_every_shell(program: str, tmp_path: Path) -> None:
    variable = f"_{program.upper().replace('-', '_')}_COMPLETE"
    for shell in ("bash", "zsh", "fish"):
        environment = {**os.environ, variable: f"source_{shell}"}
        written = subprocess.run(
            [PROGRAMS / program], env=environment, capture_output=True, text=True, check=True
        )
        assert program in written.stdout, shell
        assert variable in written.stdout, shell
        script = tmp_path / f"{program}.{shell}"
        script.write_text(written.stdout)
        if found := shutil.which(shell):
            subprocess.run([found, "-n", script], check=True)
