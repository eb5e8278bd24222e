"""Commands' documents: one digest for one meaning, and no path that leads out of its folder."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from protocol.documents import (
    BLOCK_BYTES,
    MAX_BLOB_BYTES,
    Blob,
    CommandLimits,
    CommandResult,
    CommandSpec,
    StoredFile,
    canonical,
    parse_document,
)
from protocol.errors import InputError

TASK = "0x" + "11" * 32
digests = st.binary(min_size=32, max_size=32).map(bytes.hex)
names = st.text("abc. -_~", min_size=1, max_size=8).filter(lambda name: name not in (".", ".."))


@st.composite
def files(draw: st.DrawFn) -> StoredFile:
    size = draw(st.integers(0, 3 * BLOCK_BYTES))
    count = -(-size // BLOCK_BYTES)
    return StoredFile(
        path="/".join(draw(st.lists(names, min_size=1, max_size=3))),
        size=size,
        blocks=tuple(draw(st.lists(digests, min_size=count, max_size=count))),
        executable=draw(st.booleans()),
    )


@settings(deadline=None)
@given(
    files(), st.lists(st.text(max_size=9).filter(lambda word: "\0" not in word), max_size=3), st.booleans()
)
def test_a_command_reads_back_from_its_canonical_bytes(
    file: StoredFile, words: list[str], deterministic: bool
) -> None:
    words = [word.encode("utf-8", "ignore").decode() for word in words]
    spec = CommandSpec(argv=("sh", *words), inputs=(file,), deterministic=deterministic)
    assert parse_document(canonical(spec)) == spec
    assert sum(file.sizes()) == file.size
    assert len(file.sizes()) == len(file.blocks)


@pytest.mark.parametrize(
    "path", ["", "/a", "a/", "a//b", ".", "..", "a/../b", "a/./b", "a\\b", "a\nb", "ä", "a" * 256, "a\0"]
)
def test_a_path_that_leads_out_of_its_folder_or_is_written_in_two_ways_is_refused(path: str) -> None:
    with pytest.raises(ValidationError):
        StoredFile(path=path, size=0)


@pytest.mark.parametrize(
    ("paths", "fine"),
    [
        (("a", "b"), True),
        (("a", "a"), False),
        (("a", "a/b"), False),
        (("a/b/c", "a/b"), False),
        (("ab", "a/b"), True),
    ],
)
def test_two_files_have_two_places(paths: tuple[str, ...], fine: bool) -> None:
    inputs = tuple(StoredFile(path=path, size=0) for path in paths)
    if fine:
        CommandSpec(argv=("true",), inputs=inputs)
    else:
        with pytest.raises(ValidationError, match="one path"):
            CommandSpec(argv=("true",), inputs=inputs)


def test_a_size_and_its_blocks_agree() -> None:
    with pytest.raises(ValidationError, match="do not make"):
        Blob(size=BLOCK_BYTES + 1, blocks=("00" * 32,))
    with pytest.raises(ValidationError):
        Blob(size=MAX_BLOB_BYTES + 1)


@pytest.mark.parametrize("argv", [(), ("",), ("a\0b",)])
def test_an_argument_list_that_no_system_takes_is_refused(argv: tuple[str, ...]) -> None:
    with pytest.raises(ValidationError):
        CommandSpec(argv=argv)


def test_a_stopped_command_has_nothing_in_which_machines_could_differ() -> None:
    empty = Blob(size=0)
    CommandResult(task=TASK, outcome="wall-time")
    CommandResult(task=TASK, outcome="exited", code=0, stdout=empty, stderr=empty)
    for wrong in ({"outcome": "memory", "code": 1}, {"outcome": "exited"}, {"outcome": "exited", "code": 0}):
        with pytest.raises(ValidationError, match="does not go with"):
            CommandResult(task=TASK, **wrong)


def test_a_wrong_field_of_a_command_is_named() -> None:
    written = canonical(CommandSpec(argv=("true",), limits=CommandLimits(memory_mib=16)))
    with pytest.raises(InputError, match=r"limits\.memoryMib"):
        parse_document(written.replace(b'"memoryMib":16', b'"memoryMib":15'))
