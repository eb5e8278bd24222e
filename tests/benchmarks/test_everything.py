"""One table of all benchmarks: figures are read from what each prints, and ratios point one way."""

import json
from pathlib import Path

from benchmarks.everything.figures import Figure, keep, load, medians, read_documents
from benchmarks.everything.suites import SUITES
from benchmarks.everything.table import BEGIN, END, PAGE, render, write


def test_figures_are_read_whatever_a_benchmark_calls_them() -> None:
    lines = [
        {"name": "indexer: dense", "ours": 13.0, "peer": 67.2, "ratio": 5.2, "unit": "s"},
        {
            "benchmark": "aggregation",
            "case": "median",
            "value": 0.12,
            "unit": "s",
            "peer": "Flower",
            "peer_value": 2.39,
        },
        {"strategy": "honest", "profit": 9.6},
        {
            "tasks": 20,
            "rows": [
                {"query": "status", "clients": 16, "parity": {"rate": 52.0}, "postgraphile": {"rate": 54.0}}
            ],
        },
    ]
    text = "progress, which is no document\n" + "\n".join(map(json.dumps, lines))
    found = read_documents("x", text)
    assert [(one.name, one.ours, one.peer) for one in found] == [
        ("indexer: dense", 13.0, 67.2),
        ("aggregation: median", 0.12, 2.39),
        ("profit of honest", 9.6, None),
        ("status, 16 clients", 52.0, 54.0),
    ]


def test_above_one_ours_is_ahead_whether_less_or_more_is_better() -> None:
    slow = Figure(suite="x", name="wall", ours=10, peer=20, unit="s")
    rate = Figure(suite="x", name="answers", ours=20, peer=10, unit="answers/s")
    assert slow.times_better == rate.times_better == 2
    assert Figure(suite="x", name="alone", ours=1, peer=None, unit="s").times_better is None
    assert Figure(suite="x", name="accused", ours=1, peer=1, unit="share of 9 audits").times_better is None


def test_medians_are_of_each_figure_over_the_runs() -> None:
    runs = [[Figure(suite="x", name="a", ours=value, peer=2 * value, unit="s")] for value in (3.0, 1.0, 2.0)]
    (one,) = medians("x", runs)
    assert (one.ours, one.peer, one.runs) == (2.0, 4.0, 3)


def test_a_new_run_of_a_benchmark_takes_the_place_of_its_old_one_only(tmp_path: Path) -> None:
    record = tmp_path / "record.jsonl"
    old = [Figure(suite=suite, name="a", ours=1, peer=2, unit="s") for suite in ("x", "y")]
    keep(old, record)
    keep([Figure(suite="y", name="b", ours=3, peer=2, unit="s")], record)
    assert [(one.suite, one.name) for one in load(record)] == [("x", "a"), ("y", "b")]


def test_the_table_takes_the_place_of_the_pages_and_leaves_the_rest(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}old\n{END}after\n")
    write([Figure(suite="gas", name="k=1", ours=300, peer=900, unit="gas", on="2026-01-01")], page)
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "| gas: k=1 | **3.00** | 300 | 900 | gas | iExec PoCo | exact | 2026-01-01 |" in text
    assert "old" not in text


def test_the_pages_table_is_what_the_record_gives() -> None:
    assert render(load()) in PAGE.read_text(encoding="utf-8"), "run python -m benchmarks.everything --table"


def test_every_benchmark_has_a_target_of_its_own_in_the_makefile() -> None:
    makefile = (PAGE.parents[1] / "Makefile").read_text(encoding="utf-8")
    named = {"gas": "bench", "up": "bench-all"}
    assert all(f"\n{named.get(suite.name, f'bench-{suite.name}')}: install" in makefile for suite in SUITES)


def test_one_figure_beside_two_peers_is_two_figures() -> None:
    run = [
        Figure(suite="x", name="a round", ours=2, peer=peer, unit="s", peer_name=name)
        for name, peer in (("Flower", 6.0), ("a loop", 4.0))
    ]
    assert [(one.peer_name, one.peer, one.runs) for one in medians("x", [run])] == [
        ("Flower", 6.0, 1),
        ("a loop", 4.0, 1),
    ]


def test_the_table_leaves_out_what_is_compared_with_no_rival() -> None:
    figures = [
        Figure(suite="learning", name=name, ours=1, peer=2, unit="s", peer_name=peer)
        for name, peer in (("a round", "Flower"), ("under attack", "clean"))
    ]
    assert "a round" in render(figures)
    assert "under attack" not in render(figures)
