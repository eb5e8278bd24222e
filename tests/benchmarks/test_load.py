"""How the load benchmark counts what it saw."""

import re

from benchmarks.load.__main__ import beside_smallest, part_of, pressure_rows, sizes
from benchmarks.load.following import Follower
from benchmarks.load.plots import plot_blocks, plot_runners
from benchmarks.load.pressure import Pressure
from benchmarks.scaling.plot import Line, even

PRESSURE = Pressure(
    blocks=4, seconds=4.0, transactions=800, logs=2_400, filled=0.99, behind=[1, 2, 1, 1],
    lags_ms=[10.0, 40.0, 20.0, 30.0], caught_up_ms=30.0,
)  # fmt: skip


def test_a_commit_of_several_blocks_is_when_the_index_had_each_of_them() -> None:
    follower = Follower("")
    follower.noted = [(1.0, 10), (2.0, 11), (3.5, 14)]
    mined = {11: 1.5, 12: 2.25, 13: 3.0, 14: 3.25}
    assert follower.lags_ms(mined) == [500.0, 1250.0, 500.0, 250.0]


def test_a_block_that_the_index_told_of_before_its_miner_answered_was_not_late() -> None:
    follower = Follower("")
    follower.noted = [(1.0, 10)]
    assert follower.lags_ms({10: 1.2}) == [0.0]


def test_figures_of_full_blocks_are_percentiles_over_all_of_them() -> None:
    rows = {row["name"]: row["ours"] for row in pressure_rows(PRESSURE)}
    assert rows["4 full blocks: mined to indexed, p50"] == 30.0
    assert rows["4 full blocks: mined to indexed, max"] == 40.0
    assert rows["4 full blocks: index behind at a new block, max"] == 2
    assert rows["4 full blocks: transactions in each"] == 200


def test_a_part_of_values_is_one_that_so_many_do_not_exceed() -> None:
    values = list(range(100))
    assert (part_of(values, 0.5), part_of(values, 0.95), part_of(values, 1.0)) == (50, 95, 99)


def test_sizes_are_parts_of_the_whole_and_the_whole() -> None:
    assert sizes(1_000, 0.1, 0.3) == [100, 300, 1_000]
    assert sizes(3, 0.01, 0.1) == [1, 3]


def test_a_figure_stands_beside_that_of_the_smallest_size() -> None:
    rows = [
        {"name": f"{size} runners: x", "ours": ours, "unit": "ms"}
        for size, ours in ((100, 2.0), (1_000, 5.0))
    ]
    assert beside_smallest(rows)[1]["ratio"] == 2.5


def test_how_large_a_run_is_stands_beside_nothing() -> None:
    rows = [
        {"name": f"{size} runners: tasks", "ours": size / 2, "ratio": None, "unit": "tasks"}
        for size in (100, 1_000)
    ]
    assert [row["ratio"] for row in beside_smallest(rows)] == [None, None]


def test_plots_have_a_line_for_each_figure_and_all_its_points() -> None:
    kinds = ("blocks from the draw to the claim, p95", "block mined to indexed, p50", "gas a task")
    rows = [{"name": f"{size} runners: {kind}", "ours": 3.0} for size in ("100", "1,000") for kind in kinds]
    drawn = re.findall(r'points="([^"]+)"', plot_runners(rows))
    assert [len(points.split()) for points in drawn] == [2, 2]
    (line,) = re.findall(r'points="([^"]+)"', plot_blocks(PRESSURE))
    assert len(line.split()) == 4


def test_even_axes_begin_at_zero_and_end_at_a_round_number_above_all_points() -> None:
    marks = re.findall(
        r'text-anchor="end"[^>]*>([^<]+)<', even("t", bottom="b", lines=[Line("l", [(1, 37.0)])])
    )
    assert marks[0] == "0"
    assert float(marks[-1]) >= 37
