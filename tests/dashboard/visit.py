"""A visit to the dashboard in which everything that a page must not do is noted."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from playwright.async_api import Browser, ConsoleMessage, Error, Page, Request, expect

AXE = Path(__file__).parents[2] / "api" / "dashboard" / "node_modules" / "axe-core" / "axe.min.js"
DESKTOP, PHONE = (1280, 860), (375, 740)
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_ON_VIOLATION = """
window.cspViolations = [];
document.addEventListener("securitypolicyviolation", (event) =>
  window.cspViolations.push(`${event.violatedDirective} ${event.blockedURI}`));
"""


@dataclass
class Visit:
    """One tab. `complaints` holds console errors, uncaught exceptions, requests to other hosts and answers over 399."""

    page: Page
    base: str
    complaints: list[str] = field(default_factory=list)

    async def go(self, path: str, *, heading: str) -> None:
        """Open a page and wait until it has read what it shows."""
        await self.page.goto(self.base + path)
        await expect(self.page.get_by_role("heading", level=1, name=heading)).to_be_visible()
        await self.settled()

    async def settled(self) -> None:
        """Wait until nothing is loading any more, and the fonts are there."""
        await expect(self.page.get_by_role("status", name="Loading")).to_have_count(0)
        await self.page.evaluate("document.fonts.ready")

    async def look(self, theme: Literal["light", "dark"], size: tuple[int, int]) -> None:
        """Change the system's theme and the window, as a person may at any time."""
        await self.page.emulate_media(color_scheme=theme)
        await self.page.set_viewport_size({"width": size[0], "height": size[1]})

    async def hindrances(self) -> list[str]:
        """Say what of the page axe finds inaccessible."""
        # Evaluated by the debugger, which the page's policy does not bind.
        await self.page.evaluate(AXE.read_text(encoding="utf-8"))
        found: dict[str, Any] = await self.page.evaluate(
            "(tags) => axe.run({ runOnly: { type: 'tag', values: tags } })", RULES
        )
        return [
            f"{violation['id']} ({node['target']}): {node['failureSummary']}"
            for violation in found["violations"]
            for node in violation["nodes"]
        ]

    async def overflow(self) -> int:
        """Measure how many pixels the page is wider than its window."""
        wide: int = await self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        return wide

    async def violations(self) -> list[str]:
        """List what the content security policy has refused."""
        refused: list[str] = await self.page.evaluate("window.cspViolations")
        return refused


@asynccontextmanager
async def visiting(browser: Browser, base: str) -> AsyncIterator[Visit]:
    """Open a tab with nothing remembered."""
    context = await browser.new_context(
        viewport={"width": DESKTOP[0], "height": DESKTOP[1]}, reduced_motion="reduce"
    )
    await context.grant_permissions(["clipboard-read", "clipboard-write"], origin=base)
    await context.add_init_script(_ON_VIOLATION)
    page = await context.new_page()
    visit = Visit(page, base)
    host = urlsplit(base).netloc

    def on_console(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            visit.complaints.append(f"console: {message.text}")

    def on_exception(error: Error) -> None:
        visit.complaints.append(f"exception: {error}")

    def on_request(request: Request) -> None:
        if urlsplit(request.url).netloc != host:
            visit.complaints.append(f"other host: {request.url}")

    page.on("console", on_console)
    page.on("pageerror", on_exception)
    page.on("request", on_request)
    page.on("websocket", lambda socket: _same_host(visit, socket.url, host))
    yield visit
    await context.close()


def _same_host(visit: Visit, url: str, host: str) -> None:
    if urlsplit(url).netloc != host:
        visit.complaints.append(f"other host: {url}")
