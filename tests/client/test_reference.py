from pathlib import Path

from client.reference import reference

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "cli.md"


def test_the_reference_page_is_what_the_commands_say():
    assert PAGE.read_text() == reference(), "run: python -m client.reference"


def test_every_command_has_an_example_and_json():
    sections = reference().split("\n## ")[1:]

    assert len(sections) >= 15
    for section in sections:
        name = section.splitlines()[0]
        assert f"```bash\n{name}" in section, f"{name} has no example"
        assert "`--json`" in section, f"{name} has no --json"
