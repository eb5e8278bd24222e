"""The documentation's site: it is built without complaint, asks no other host for anything, and can be read on a phone."""

import re
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.async_api import Page

from tests.dashboard.chromium import chromium
from tests.dashboard.visit import AXE, RULES

ROOT = Path(__file__).parents[2]
MKDOCS = ROOT / ".parity/docs-venv/bin/mkdocs"
PHONE, DESK = 360, 1280
LOOKED_AT = (
    "index.html",
    "explanation/architecture.html",
    "reference/settings.html",
    "how-to/run-in-production.html",
)


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_arguments: Any) -> None:
        return


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    argv = [MKDOCS, "build", "--strict", "--quiet", "--site-dir", folder]
    env = {"PATH": "/usr/bin:/bin", "NO_MKDOCS_2_WARNING": "1"}
    ran = subprocess.run(argv, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return folder


@pytest.fixture
def url(site: Path) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=site)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_every_page_is_in_the_site(site: Path) -> None:
    pages = [path.relative_to(ROOT / "docs") for path in (ROOT / "docs").rglob("*.md")]
    assert not [path for path in pages if not (site / path).with_suffix(".html").exists()]


def test_a_screen_reader_finds_one_title_no_level_left_out_and_words_for_each_picture(site: Path) -> None:
    wrong = []
    for path in sorted(site.rglob("*.html")):
        article = path.read_text().partition("<article")[2].partition("</article>")[0]
        levels = [int(level) for level in re.findall(r"<h([1-6])[ >]", article)]
        jumps = [pair for pair in pairwise(levels) if pair[1] > pair[0] + 1]
        unsaid = [
            image for image in re.findall(r"<img [^>]*>", article) if not re.search(r'alt="[^"]', image)
        ]
        if levels.count(1) != 1 or jumps or unsaid:
            wrong.append((path.name, levels.count(1), jumps, unsaid))
    assert wrong == []


def test_the_first_tutorial_is_the_first_that_the_site_offers(site: Path) -> None:
    start = (site / "index.html").read_text()
    offered = re.findall(r'href="(tutorials/[a-z-]+\.html)"', start.partition("<article")[0])
    assert offered[0] == "tutorials/first-prompt.html"


def test_pages_without_a_drawing_do_not_load_the_drawing_program(site: Path) -> None:
    assert "assets/mermaid.js" in (site / "explanation/architecture.html").read_text()
    assert "assets/mermaid.js" not in (site / "index.html").read_text()


async def hindrances(page: Page) -> list[str]:
    """Return what of the page axe finds inaccessible."""
    await page.evaluate(AXE.read_text(encoding="utf-8"))
    found: dict[str, Any] = await page.evaluate(
        "(tags) => axe.run({ runOnly: { type: 'tag', values: tags } })", RULES
    )
    return [
        f"{violation['id']} ({node['target']}): {node['failureSummary']}"
        for violation in found["violations"]
        for node in violation["nodes"]
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_the_site_is_accessible_in_both_themes(url: str, theme: Literal["light", "dark"]) -> None:
    async with chromium() as browser:
        page = await browser.new_page(
            viewport={"width": DESK, "height": 800}, color_scheme=theme, reduced_motion="reduce"
        )
        for path in ("index.html", "how-to/run-a-runner.html", "benchmarks.html"):
            await page.goto(f"{url}/{path}", timeout=60_000)
            assert await hindrances(page) == [], path


async def drawn(page: Page) -> None:
    """Wait until the page's drawings are there; the theme puts each into a shadow root of its own."""
    await page.wait_for_function("() => !document.querySelector('pre.mermaid')", timeout=60_000)


async def test_the_site_is_its_own_and_fits_a_phone_as_well_as_a_desk(url: str, tmp_path: Path) -> None:
    asked: list[str] = []
    async with chromium() as browser:
        for width in (PHONE, DESK):
            page = await browser.new_page(viewport={"width": width, "height": 800})
            page.on("request", lambda request: asked.append(request.url))
            for path in LOOKED_AT:
                await page.goto(f"{url}/{path}", timeout=60_000)
                await drawn(page)
                wide = await page.evaluate("document.documentElement.scrollWidth")
                assert wide <= width, f"{path} is {wide} wide on a screen of {width}"
                await page.screenshot(path=tmp_path / f"{width}-{Path(path).stem}.png")
            await page.close()
    assert asked
    assert not [one for one in asked if not one.startswith((url, "data:", "blob:"))]
