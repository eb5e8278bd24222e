"""A Chromium for the tests: the one that `make install` unpacks, or the one that CHROMIUM names."""

import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, async_playwright

UNPACKED = Path(__file__).parents[2] / ".parity" / "browser"
_ARGUMENTS = (
    "--no-sandbox",  # it loads our own pages only, and containers seldom let it make its sandbox
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--no-first-run",
)


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Start a browser; without one, skip loudly, but fail in continuous integration."""
    program = _program()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=program, args=list(_ARGUMENTS), env=_environment(program)
        )
        try:
            yield browser
        finally:
            await browser.close()


def _program() -> Path:
    named = os.environ.get("CHROMIUM")
    found = Path(named) if named else UNPACKED / "chromium"
    if not found.is_file():
        reason = f"NO BROWSER: there is no {found}. Run `make install`, or set CHROMIUM to a Chromium's path."
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found


def _environment(program: Path) -> dict[str, str | float | bool]:
    """Lend the machine what it lacks of a browser's libraries and fonts."""
    environment: dict[str, str | float | bool] = dict(os.environ)
    if program.parent != UNPACKED:
        return environment
    linked = subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout
    if "not found" in linked:
        environment["LD_LIBRARY_PATH"] = str(UNPACKED / "lib")
    if not any(Path("/usr/share/fonts").rglob("*.ttf")) and shutil.which("fc-list") is None:
        settings = UNPACKED / "parity-fonts.conf"
        settings.write_text(f"<fontconfig><dir>{UNPACKED / 'fonts'}</dir></fontconfig>\n")
        environment["FONTCONFIG_FILE"] = str(settings)
    return environment
