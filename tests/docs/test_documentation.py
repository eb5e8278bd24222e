"""The documentation is true where a machine can tell: links lead somewhere, generated pages are current."""

import re
from pathlib import Path

import pytest

from devnet.reference_pages import PAGES as PAGES_OF_LISTS
from devnet.settings_reference import TARGETS, page, sample

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def anchors(path: Path) -> set[str]:
    titles = HEADING.findall(FENCE.sub("", path.read_text()))
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_of_a_page_leads_to_a_file_and_a_heading_that_exist(path: Path) -> None:
    for link in LINK.findall(FENCE.sub("", path.read_text())):
        if link.startswith(("http://", "https://", "mailto:")):
            continue
        target, _, anchor = link.partition("#")
        file = (path.parent / target).resolve() if target else path
        assert file.exists(), f"{link} in {path.name} leads nowhere"
        if anchor:
            assert anchor in anchors(file), f"{link} in {path.name} names a heading that is not there"


@pytest.mark.parametrize("path", TARGETS, ids=str)
def test_the_generated_settings_pages_are_what_the_models_say(path: Path) -> None:
    expected = {"sample": sample, "page": page}[TARGETS[path]]()
    assert (ROOT / path).read_text() == expected, "stale: run `make reference`"


@pytest.mark.parametrize("path", PAGES_OF_LISTS, ids=str)
def test_the_generated_lists_are_what_the_code_defines(path: Path) -> None:
    assert (ROOT / path).read_text() == PAGES_OF_LISTS[path](), "stale: run `make reference`"


def test_every_page_of_the_documentation_can_be_reached_from_its_index() -> None:
    index = ROOT / "docs" / "index.md"
    linked = {(index.parent / link.partition("#")[0]).resolve() for link in LINK.findall(index.read_text())}
    orphans = [
        path.name for path in PAGES if path.name not in {"README.md", "index.md"} and path not in linked
    ]
    assert not orphans


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_page_keeps_the_marks_of_an_unfinished_merge(path: Path) -> None:
    assert not re.search(r"^(<{7}|={7}|>{7})( |$)", path.read_text(), flags=re.MULTILINE)
