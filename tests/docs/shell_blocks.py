"""The commands that a page shows: what stands in its bash blocks, cut into simple commands, and inline."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath

BLOCK = re.compile(r"^ *```bash\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
FENCE = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`((?:parity-[a-z]+|make|ape run) [^`]+)`")
HEREDOC = re.compile(r"<<-?'?(\w+)'?.*?^\s*\1$", re.MULTILINE | re.DOTALL)
ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)
BEFORE_A_COMMAND = {"sudo", "env", "exec", "time", "then", "do", "if", "!", "while"}
IN_A_CONTAINER = ("docker", "compose")


@dataclass(frozen=True)
class Shown:
    """A command, as words; `whole` when it stands in a block, so that nothing that it needs may be left out."""

    words: tuple[str, ...]
    whole: bool

    def __str__(self) -> str:
        return shlex.join(self.words)


def blocks(path: Path) -> list[str]:
    """Return a page's bash blocks."""
    return BLOCK.findall(path.read_text())


def commands(path: Path) -> Iterator[Shown]:
    """Yield what a page runs, prefixes such as sudo and assignments taken off."""
    known: dict[str, str] = {}
    for block in blocks(path):
        for simple in _simple_commands(block):
            words = _without_prefix(simple, known)
            if words:
                yield Shown(words, whole=True)
    for text in INLINE.findall(FENCE.sub("", path.read_text())):
        words = tuple(shlex.split(text)) if text.count("'") % 2 == 0 else tuple(text.split())
        if "…" not in text and "|" not in text:
            yield Shown(words, whole=False)


def _simple_commands(block: str) -> Iterator[list[str]]:
    text = HEREDOC.sub("", block).replace("\\\n", " ")
    for line in text.splitlines():
        reader = shlex.shlex(line, posix=True, punctuation_chars="();|&")
        reader.whitespace_split = True
        reader.commenters = "#"
        simple: list[str] = []
        for word in reader:
            if set(word) <= set("();|&"):
                yield simple
                simple = []
            else:
                simple.append(word)
        yield simple


def _without_prefix(simple: list[str], known: dict[str, str]) -> tuple[str, ...]:
    words = [part for word in simple for part in _expanded(word, known)]
    while words and (words[0] in BEFORE_A_COMMAND or ASSIGNMENT.fullmatch(words[0])):
        if found := ASSIGNMENT.fullmatch(words[0]):
            known[found[1]] = found[2]
        words.pop(0)
    words = _without_redirections(words)
    if tuple(words[:2]) == IN_A_CONTAINER and {"run", "exec"} & set(words[2:4]):
        inside = [place for place, word in enumerate(words) if word.startswith("parity-")]
        return tuple(words[inside[0] :]) if inside else ()
    return (PurePath(words[0]).name, *words[1:]) if words else ()


def _expanded(word: str, known: dict[str, str]) -> list[str]:
    return shlex.split(known[word[1:]]) if word.startswith("$") and word[1:] in known else [word]


def _without_redirections(words: list[str]) -> list[str]:
    kept: list[str] = []
    skip = False
    for word in words:
        if skip:
            skip = False
        elif re.fullmatch(r"\d?(>>?|<)", word):
            skip = True
        elif not re.match(r"\d?[<>]", word):
            kept.append(word)
    return kept
