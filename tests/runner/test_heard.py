"""What was heard and read is remembered for as long as nothing can have changed it, and no longer."""

from typing import Any

from runner.heard import HOLDS_BLOCKS, KEPT_BLOCKS, Heard

ESCROW, COURT = "0x" + "E5" * 20, "0x" + "C0" * 20
TASK, OTHER, EVENT = b"\1" * 32, b"\2" * 32, b"\xee" * 32
SPEAKERS = ((ESCROW, TASK),)


class Contract:
    """Counts how often it is read, and as of which blocks."""

    def __init__(self) -> None:
        self.blocks: list[int | str] = []

    async def read(self, block: int | str) -> int:
        self.blocks.append(block)
        return len(self.blocks)


def said(block: int, *, by: str = ESCROW, about: bytes = TASK) -> dict[str, Any]:
    return {"address": by, "topics": [EVENT, about], "blockNumber": block, "logIndex": 0}


def a_heard(*, until: int = 10) -> Heard:
    heard = Heard()
    heard.hear(1, until, [])
    return heard


async def test_what_was_read_holds_until_an_event_names_its_subject() -> None:
    heard, contract = a_heard(), Contract()
    for block in range(11, 15):
        assert await heard.once("view", SPEAKERS, contract.read) == 1
        heard.hear(block, block, [said(block, about=OTHER), said(block, by=COURT)])
    heard.hear(15, 15, [said(15)])
    assert await heard.once("view", SPEAKERS, contract.read) == 2
    assert contract.blocks == [10, 15]


async def test_nothing_is_remembered_before_anything_was_heard() -> None:
    heard, contract = Heard(), Contract()
    assert [await heard.once("view", SPEAKERS, contract.read) for _ in range(2)] == [1, 2]
    assert contract.blocks == ["latest", "latest"]


async def test_until_the_block_of_an_own_deed_is_heard_everything_is_read_anew() -> None:
    heard, contract = a_heard(), Contract()
    await heard.once("view", SPEAKERS, contract.read)
    heard.expect(12)
    await heard.once("view", SPEAKERS, contract.read)
    heard.hear(11, 11, [])
    await heard.once("view", SPEAKERS, contract.read)
    heard.hear(12, 12, [said(12)])
    await heard.once("view", SPEAKERS, contract.read)
    await heard.once("view", SPEAKERS, contract.read)
    assert contract.blocks == [10, "latest", "latest", 12]


async def test_a_reorganisation_drops_what_was_read_and_what_was_heard() -> None:
    heard, contract = a_heard(), Contract()
    heard.hear(11, 11, [said(11)])
    await heard.once("view", SPEAKERS, contract.read)
    heard.forget()
    assert heard.undone == 1
    assert heard.logs(ESCROW, 11, 11) is None
    heard.hear(9, 11, [])
    assert heard.logs(ESCROW, 9, 11) == []
    await heard.once("view", SPEAKERS, contract.read)
    assert contract.blocks == [11, 11]


async def test_what_is_said_while_it_is_read_makes_it_read_again() -> None:
    heard, blocks = a_heard(), []

    async def read(block: int | str) -> str:
        blocks.append(block)
        if block == 10:
            heard.hear(11, 11, [said(11)])
        return f"as of {block}"

    assert await heard.once("view", SPEAKERS, read) == "as of 11"
    assert blocks == [10, 11]


async def test_what_is_undone_while_it_is_read_is_not_remembered() -> None:
    heard, blocks = a_heard(), []

    async def read(block: int | str) -> str:
        blocks.append(block)
        if len(blocks) == 1:
            heard.forget()
            heard.hear(1, 10, [])
        return f"reading {len(blocks)}"

    assert await heard.once("view", SPEAKERS, read) == "reading 2"


async def test_logs_are_given_only_of_blocks_that_were_all_heard() -> None:
    heard = Heard()
    heard.hear(5, 6, [said(5), said(6, about=OTHER)])
    heard.hear(7, 7, [said(7, by=COURT)])
    assert heard.logs(ESCROW, 4, 7) is None
    assert heard.logs(ESCROW, 5, 8) is None
    blocks = lambda *topics: [log["blockNumber"] for log in heard.logs(ESCROW, 5, 7, topics=topics) or ()]  # noqa: E731
    assert blocks() == [5, 6]
    assert blocks(None, OTHER) == [6]
    assert blocks(b"\0" * 32) == []


async def test_a_gap_in_what_was_heard_drops_what_came_before() -> None:
    heard, contract = a_heard(), Contract()
    await heard.once("view", SPEAKERS, contract.read)
    heard.hear(13, 13, [])
    assert heard.logs(ESCROW, 10, 13) is None
    await heard.once("view", SPEAKERS, contract.read)
    assert contract.blocks == [10, 13]


async def test_what_was_read_holds_for_some_blocks_at_most() -> None:
    heard, contract = a_heard(), Contract()
    for block in range(11, 11 + 2 * HOLDS_BLOCKS):
        await heard.once("view", SPEAKERS, contract.read)
        heard.hear(block, block, [])
    assert contract.blocks == [10, 11 + HOLDS_BLOCKS]


async def test_memory_is_bounded() -> None:
    heard = a_heard()
    for block in range(11, 12 + KEPT_BLOCKS):
        heard.hear(block, block, [said(block, about=block.to_bytes(32, "big"))])
    assert heard.logs(ESCROW, 10, 11) is None
    assert len(heard._logs) <= KEPT_BLOCKS + 1
    assert len(heard._spoke) <= KEPT_BLOCKS + 2


async def test_a_value_that_cannot_change_any_more_is_not_read_again() -> None:
    heard, contract = a_heard(), Contract()
    for block in range(11, 60):
        await heard.once("draw", SPEAKERS, contract.read, settled=lambda value: value >= 2)
        heard.hear(block, block, [said(block)])
    assert contract.blocks == [10, 11]


async def test_a_reorganisation_can_change_what_could_not_change() -> None:
    heard, contract = a_heard(), Contract()
    await heard.once("draw", SPEAKERS, contract.read, settled=lambda _: True)
    heard.forget()
    heard.hear(8, 10, [])
    await heard.once("draw", SPEAKERS, contract.read, settled=lambda _: True)
    assert contract.blocks == [10, 10]


async def test_what_is_read_of_one_runner_in_a_round_outlasts_what_others_do_in_it() -> None:
    heard, contract = a_heard(), Contract()
    mine, others = b"\3" * 32, b"\4" * 32
    speakers = ((ESCROW, TASK, mine),)
    await heard.once("duty", speakers, contract.read)
    heard.hear(11, 11, [{**said(11), "topics": [EVENT, TASK, others]}])
    await heard.once("duty", speakers, contract.read)
    heard.hear(12, 12, [{**said(12), "topics": [EVENT, TASK, others, mine]}])
    await heard.once("duty", speakers, contract.read)
    assert contract.blocks == [10, 12]


def test_an_event_is_recalled_by_its_subject_for_as_long_as_logs_are_kept() -> None:
    heard = a_heard()
    heard.hear(11, 12, [said(11), said(12, about=OTHER), said(12)])
    assert [log["blockNumber"] for log in heard.recalled(ESCROW, EVENT, TASK)] == [11, 12]
    assert heard.recalled(ESCROW, TASK, TASK) == []
    assert heard.recalled(COURT, EVENT, TASK) == []
    heard.hear(13, 11 + KEPT_BLOCKS + 1, [])
    assert [log["blockNumber"] for log in heard.recalled(ESCROW, EVENT, TASK)] == [12]
    heard.forget()
    assert heard.recalled(ESCROW, EVENT, TASK) == []
