"""What strangers wrote is shown on a terminal, and steers it nowhere."""

import io
import sys

import pytest

from client.commands.printer import Printer, confirm, plain, print_error
from client.commands.progress import progress
from protocol.errors import ParityError


class Screen(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


STEERING = {
    "colour": ("\x1b[31mred", r"\x1b[31mred"),
    "clipboard": ("\x1b]52;c;cm0gLXJm\x07", r"\x1b]52;c;cm0gLXJm\x07"),
    "line above": ("1 USDFC\x1b[1A\x1b[2K", r"1 USDFC\x1b[1A\x1b[2K"),
    "start of the line": ("pay 100\rpay 1  ", r"pay 100\rpay 1  "),
    "eight-bit sequence": ("\x9b2J", r"\x9b2J"),
    "turned letters": ("\u202e001 yap", r"\u202e001 yap"),
}


@pytest.mark.parametrize(("text", "seen"), STEERING.values(), ids=STEERING)
def test_what_would_steer_a_terminal_is_seen_instead(
    monkeypatch: pytest.MonkeyPatch, text: str, seen: str
) -> None:
    out, err = Screen(), Screen()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    Printer(as_json=False).result(None, text=[text])
    print_error(ParityError(text, hint=text))
    confirm("Sign", [("model", text)], yes=True)
    assert out.getvalue() == seen + "\n"
    assert err.getvalue() == f"error: {seen}\nhint: {seen}\nSign\n  model  {seen.rstrip()}\n"


def test_what_is_piped_on_is_the_very_text(capsys: pytest.CaptureFixture[str]) -> None:
    Printer(as_json=False).result(None, text=["\x1b[31mred\r\n"])
    assert capsys.readouterr().out == "\x1b[31mred\r\n\n"


def test_letters_of_all_languages_lines_and_tabs_are_shown_as_they_are() -> None:
    text = "Grüße, שלום, 你好 👩‍🚀\r\n\tdone\n"
    assert plain(text) == text


@pytest.mark.parametrize("name", ["data[/b].csv", "[bold]", "\x1b[2J"])
def test_progress_shows_any_name(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    screen = Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    with progress(f"uploading {name}") as tell:
        tell(f"{name}: 1 of 2 bytes")
    assert "\x1b[2J" not in screen.getvalue()
