from pathlib import Path

from client.reference import reference
from client.sdk_reference import reference as sdk_reference

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "cli.md"
SDK_PAGE = PAGE.with_name("sdk.md")


def test_the_reference_page_is_what_the_commands_say():
    assert PAGE.read_text() == reference(), "run: python -m client.reference"


def test_every_command_has_an_example_and_json():
    sections = reference().split("\n## ")[1:]

    assert len(sections) >= 15
    for section in sections:
        name = section.splitlines()[0]
        assert f"```bash\n{name}" in section, f"{name} has no example"
        assert "`--json`" in section, f"{name} has no --json"


def test_the_sdk_reference_is_what_the_code_says():
    assert SDK_PAGE.read_text() == sdk_reference(), "run: python -m client.sdk_reference"


def test_the_sdk_reference_describes_every_method():
    for section in sdk_reference().split("\n### ")[1:]:
        name, _, text = section.partition("\n")
        assert text.rsplit("```", 1)[-1].strip() not in ("", "None"), f"{name} has no description"
