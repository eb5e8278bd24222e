"""A command, from the shell to its files, with the runners' seats driven by the test."""

import json
from pathlib import Path

import pytest

from protocol.cid import cid_to_digest
from protocol.documents import (
    BLOCK_BYTES,
    Blob,
    CommandLimits,
    CommandOffer,
    CommandResult,
    CommandSpec,
    RunnerProfile,
    StoredFile,
    canonical,
    parse_document,
)
from protocol.money import USDFC
from protocol.sender import Sender
from tests.client.seats import Runners

OFFER = CommandOffer(
    level="namespaces", images=True, limits=CommandLimits(wall_s=60), price_per_s=str(USDFC // 10_000)
)


@pytest.fixture
async def takers(runners: Runners) -> Runners:
    """Two runners that take commands; the second brings no images in."""
    for number, images in ((0, True), (1, False)):
        profile = RunnerProfile(
            label=f"runner-{number + 1}",
            models=(),
            slots=1,
            commands=OFFER.model_copy(update={"images": images}),
        )
        digest = await runners.content.add(canonical(profile))
        node = runners.accounts.node(number)
        call = runners.chain.reputation.functions.setProfile(node.address, digest)
        await Sender(runners.chain, node).send(call, label="profile")
    return runners


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


async def stored(runners: Runners, content: bytes) -> Blob:
    blocks = [content[start : start + BLOCK_BYTES] for start in range(0, len(content), BLOCK_BYTES)]
    return Blob(size=len(content), blocks=tuple([(await runners.content.add(b)).hex() for b in blocks]))


async def result_of(runners: Runners, task_id: bytes, **changes: object) -> bytes:
    """Store a result with two files; give its digest."""
    long = await stored(runners, b"x" * (BLOCK_BYTES + 1))
    fields = {
        "task": "0x" + task_id.hex(),
        "outcome": "exited",
        "code": 0,
        "stdout": await stored(runners, b"hello\n"),
        "stderr": await stored(runners, b""),
        "files": (
            StoredFile(path="d/long", size=long.size, blocks=long.blocks),
            StoredFile(path="tool", size=0, executable=True),
        ),
    }
    return await runners.content.add(canonical(CommandResult(**(fields | changes))))


async def test_a_command_is_ordered_with_its_inputs_and_its_files_are_fetched(shell, takers, tmp_path: Path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "one").write_bytes(b"1" * (BLOCK_BYTES + 3))
    (tmp_path / "run.sh").write_text("#!/bin/sh\n")
    (tmp_path / "run.sh").chmod(0o755)
    inputs = ("--input", str(tmp_path / "data"), "--input", f"bin/run={tmp_path / 'run.sh'}")
    ordered = await shell()(
        *("task", "submit", "--command", "sh -c 'echo \"a  b\"; ls'", "--replicas", "2", "--quorum", "2"),
        *(*inputs, "--yes", "--json"),
    )
    assert ordered.code == 0, ordered.err
    assert "2 runners take this price" in ordered.err
    order = ordered.json["order"]
    assert (order["inputPrice"], order["outputPrice"]) == ("0", "0")
    assert order["reward"] == str(2 * 20 * USDFC // 10_000)
    spec = parse_document(await takers.content.get(cid_to_digest(ordered.json["specCid"])))
    assert isinstance(spec, CommandSpec)
    assert spec.argv == ("sh", "-c", 'echo "a  b"; ls')
    assert [(file.path, file.size, file.executable) for file in spec.inputs] == [
        ("bin/run", 10, True),
        ("data/one", BLOCK_BYTES + 3, False),
    ]
    for block in spec.inputs[1].blocks:
        await takers.content.get(bytes.fromhex(block))

    task_id = bytes.fromhex(ordered.json["taskId"][2:])
    await takers.finish(task_id, await result_of(takers, task_id), numbers=(0, 1))
    folder = tmp_path / "results"
    fetched = await shell()("task", "result", ordered.json["taskId"], "-o", str(folder))
    assert (fetched.code, fetched.out) == (0, "hello\n"), fetched.err
    assert (folder / "out" / "d" / "long").read_bytes() == b"x" * (BLOCK_BYTES + 1)
    assert (folder / "out" / "tool").stat().st_mode & 0o111
    assert (folder / "stdout").read_text() == "hello\n"
    assert json.loads((folder / "result.json").read_text())["outcome"] == "exited"
    again = await shell()("task", "result", ordered.json["taskId"], "-o", str(folder))
    assert again.code == 2
    assert "is not an empty folder" in again.err
    shown = await shell()("task", "result", ordered.json["taskId"], "--json")
    assert shown.json["result"]["stdout"] == "hello\n"
    assert shown.json["settlement"]["paid"] != "0"


async def test_a_result_whose_blocks_are_not_what_it_says_leaves_no_folder(shell, takers, tmp_path: Path):
    ordered = await shell()("task", "submit", "--command", "true", "--yes", "--json")
    task_id = bytes.fromhex(ordered.json["taskId"][2:])
    lying = StoredFile(path="a", size=9, blocks=(await stored(takers, b"short")).blocks)
    await takers.finish(task_id, await result_of(takers, task_id, files=(lying,)))
    ran = await shell()("task", "result", ordered.json["taskId"], "-o", str(tmp_path / "results"))
    assert ran.code == 1
    assert "the result says 9" in ran.err
    assert names_in(tmp_path) == {"home"}


async def test_task_runners_lists_who_takes_commands_and_at_what_price(shell, takers):
    listed = (await shell()("task", "runners", "--json")).json
    assert {(taker["label"], taker["images"]) for taker in listed} == {
        ("runner-1", True),
        ("runner-2", False),
    }
    assert listed[0]["pricePerSUsdfc"] == "0.0001"
    assert "namespaces" in (await shell()("task", "runners")).out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--command", "sh -c 'x"), "--command: No closing quotation"),
        (("--command", " "), "--command: empty"),
        (("--command", "true", "--time", "61"), "command: no active runner takes it"),
        (("--command", "true", "--input", "/no/such"), "--input: /no/such cannot be read"),
        (("--command", "true", "--input", "../x=/etc/hostname"), "path"),
        (
            ("--command", "true", "--replicas", "3", "--not-deterministic"),
            "replicas: results can be compared",
        ),
        (("--command", "true", "--max-price", "0"), "max price: nothing would be paid"),
    ],
)
async def test_a_command_that_cannot_be_ordered_is_refused_and_nothing_is_sent(shell, takers, options, said):
    ran = await shell()("task", "submit", *options, "--yes")
    assert ran.code == 2
    assert said in ran.err
    assert "hint: " in ran.err


async def test_a_command_with_an_image_is_for_those_who_take_images(shell, takers, tmp_path: Path):
    (tmp_path / "root.tar").write_bytes(b"\0" * 1_024)
    ran = await shell()(
        "task", "submit", "--command", "/bin/x", "--image", str(tmp_path / "root.tar"), "--dry-run", "--json"
    )
    assert ran.code == 0, ran.err
    assert ran.json["spec"]["image"]["size"] == 1_024
    text = await shell()(
        "task", "submit", "--command", "/bin/x", "--image", str(tmp_path / "root.tar"), "--dry-run"
    )
    assert "1 runner takes this price" in text.out
