import json
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CHECK_PROGRAMS = {"slither-analyzer"}
"""Programs of their own that only look at our sources: never imported, linked or shipped, so that any licence will do."""


def name_in(requirement: str) -> str:
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert match, requirement
    return match[0]


def direct_dependencies() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    python = [
        *project["dependencies"],
        *(one for group in project["optional-dependencies"].values() for one in group),
    ]
    lines = [line for path in (ROOT / "toolchain").glob("*.in") for line in path.read_text().splitlines()]
    environments = [line for line in lines if line and not line.startswith(("#", "-"))]
    npm = [json.loads((ROOT / folder / "package.json").read_text()) for folder in (".", "api/dashboard")]
    return {name_in(one) for one in (*python, *environments)} | {
        name for one in npm for key in ("dependencies", "devDependencies") for name in one.get(key, {})
    }


def explained() -> dict[str, list[str]]:
    page = (ROOT / "docs" / "dependencies.md").read_text()
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in page.splitlines()
        if line.startswith("| ")
    ]
    return {row[0]: row[1:] for row in rows if row[0] != "package"}


def test_every_direct_dependency_is_explained_and_nothing_else_is():
    assert explained().keys() == direct_dependencies()


@pytest.mark.parametrize("name", sorted(explained()))
def test_an_explanation_gives_licence_and_reason(name: str):
    licence, reason = explained()[name]
    assert re.search(r"MIT|BSD|Apache|MPL|OFL", licence) or name in CHECK_PROGRAMS
    assert len(reason) > 10
