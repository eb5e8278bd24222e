"""The fault matrix: complete, the same for the same seed, and its page is its record."""

import dataclasses
from pathlib import Path

from devnet.faults.matrix import DEPENDENCIES, EVERYBODY, Step, cells, faults
from devnet.faults.page import PAGE, RECORD, read, render
from devnet.faults.trial import Outcome
from devnet.paths import ROOT

FINE = Outcome(
    key="kill -9 of runner: first seat claimed", how="", down_s=4.0, status="final", orders=1, said=[],
    settled_s=6.1, answered_s=7.4, indexed_s=6.3, slashed=0, unbalanced=[],
)  # fmt: skip


def test_every_process_is_killed_and_cut_from_each_dependency_at_every_step() -> None:
    names = {cell.key for cell in cells(1)}
    assert len(names) == len(list(faults())) * len(Step) == len(cells(1))
    for process, needed in DEPENDENCIES.items():
        for step in Step:
            assert f"kill -9 of {process}: {step.value}" in names
            for dependency in needed:
                assert f"{process} cut off from {dependency}: {step.value}" in names
    assert f"{EVERYBODY} cut off from chain: {Step.REVEALED.value}" in names


def test_a_seed_gives_the_same_trials_and_another_seed_others() -> None:
    assert cells(3) == cells(3)
    assert cells(3) != cells(4)


def test_a_trial_holds_only_with_one_order_paid_nobody_slashed_and_books_that_balance() -> None:
    assert FINE.holds
    assert FINE.whole_s == 7.4
    for bad in ({"status": "failed"}, {"orders": 2}, {"slashed": 1}, {"unbalanced": ["each account"]}):
        assert not dataclasses.replace(FINE, **bad).holds


def test_a_page_says_what_was_not_as_it_must_be_and_what_was_not_tried() -> None:
    page = render({FINE.key: dataclasses.replace(FINE, slashed=5)})
    row = next(line for line in page.splitlines() if line.startswith("| kill -9 of runner |"))
    assert row == "| kill -9 of runner | · | · | 7 ✗ | · | · | · |"
    assert "slashed 5" in page


def test_a_record_is_gone_on_with_where_it_ends(tmp_path: Path) -> None:
    assert read(tmp_path / "none") == {}


def test_the_page_is_what_its_record_gives_and_all_trials_in_it_held() -> None:
    outcomes = read()
    assert (ROOT / PAGE).read_text(encoding="utf-8") == render(outcomes), "run python -m devnet.faults --page"
    assert set(outcomes) <= {cell.key for cell in cells(1)}
    assert (ROOT / RECORD).exists()
