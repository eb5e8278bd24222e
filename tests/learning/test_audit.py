import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from learning import attacks, audit, lots
from learning.audit import Audit, Finding, Shown
from learning.compression import encode
from learning.contribution import Contribution, Manifest
from learning.datasets import Dataset
from learning.errors import EvidenceError
from learning.gate import accepts, harmful
from learning.local import hands_in
from learning.screen import Expected, Flag, Rejection, Screened, screen
from learning.session_config import CompressionSpec, VerificationSpec
from learning.tensors import digest
from learning.trail import Mark, read_trail, write_trail
from learning.trainer import LocalTask, batch_seed
from learning.trajectory import TrainingRun, read_checkpoint, train
from learning.updates import Update, Vector
from tests.learning.digits import MLP, TRAINING, first_weights, shares

ROOT = Path(__file__).resolve().parents[2]
BASE = first_weights()
LARGEST = max(range(10), key=lambda seat: len(shares()[seat]))
DATA = shares()[LARGEST]
TASK = LocalTask(MLP, TRAINING, 0, batch_seed("session", 0, LARGEST))
SPEC = VerificationSpec()
WHOLE = CompressionSpec()
HONEST = train(TASK, DATA, base=BASE)
SEEDS = [bytes([number]) for number in range(20)]


def manifest(run: TrainingRun, **change: object) -> Manifest:
    claims = {
        "session": "session",
        "round": 0,
        "participant": "p",
        "base": digest(BASE).hex(),
        "update": digest(run.delta).hex(),
        "samples": len(DATA),
        "steps": HONEST.steps,
        "trajectory": run.trajectory.root.hex(),
        "checkpoints": len(run.checkpoints),
        "profile": "test",
    }
    return Manifest(**{**claims, **change})  # type: ignore[arg-type]


def audit_of(run: TrainingRun, *, seed: bytes = b"\0", segments: int = 3, threads: int = 1) -> Audit:
    claims = manifest(run)
    return audit.reexecute(
        claims,
        TASK,
        DATA,
        base=BASE,
        handed_in=hands_in(encode(run.delta, WHOLE), WHOLE),
        segments=lots.drawn_segments(seed, "p", checkpoints=claims.checkpoints, count=segments),
        show=lambda number: Shown(run.checkpoints[number], run.trajectory.proof(number)),
        tolerance=float(SPEC.tolerance),
        threads=threads,
    )


def every_segment(run: TrainingRun, *, threads: int = 1) -> Audit:
    return audit_of(run, segments=1_000, threads=threads)


def pretending(run: TrainingRun) -> TrainingRun:
    """Claim the assigned steps: repeat or drop checkpoints until there are as many as an honest run has."""
    wanted = [c.step for c in HONEST.checkpoints]
    kept = [run.checkpoints[min(i, len(run.checkpoints) - 1)] for i in range(len(wanted) - 1)]
    shown = [replace(c, step=step) for c, step in zip([*kept, run.checkpoints[-1]], wanted, strict=True)]
    return TrainingRun(run.delta, HONEST.steps, tuple(shown))


def with_training(**change: object) -> LocalTask:
    return LocalTask(MLP, TRAINING.model_copy(update=change), 0, TASK.seed)


CHEATS: dict[str, Callable[[], TrainingRun]] = {
    "half the epochs": lambda: pretending(train(with_training(local_epochs=1), DATA, base=BASE)),
    "another seed": lambda: pretending(train(LocalTask(MLP, TRAINING, 0, TASK.seed + 1), DATA, base=BASE)),
    "90 % of the data": lambda: pretending(
        train(TASK, DATA.take(np.arange(round(0.9 * len(DATA)))), base=BASE)
    ),
    "half the learning rate": lambda: pretending(train(with_training(learning_rate=0.05), DATA, base=BASE)),
}


@pytest.mark.parametrize("cheat", CHEATS)
def test_each_cheat_is_caught_by_every_audit(cheat: str):
    run = CHEATS[cheat]()
    found = [audit_of(run, seed=seed) for seed in SEEDS]
    assert not any(one.passed for one in found)
    assert all(
        one.distance > 30 * float(SPEC.tolerance) for one in found if one.finding is Finding.OTHER_RESULT
    )


def test_an_honest_run_passes_every_audit_bit_for_bit():
    assert all(audit_of(HONEST, seed=seed) == Audit(Finding.REEXECUTED) for seed in SEEDS)


def test_an_honest_run_of_another_thread_count_passes_in_every_segment():
    elsewhere = train(TASK, DATA, base=BASE, threads=2)
    found = every_segment(elsewhere)
    assert found.passed
    assert found.distance < float(SPEC.tolerance) / 10
    assert every_segment(HONEST, threads=2).passed


SCRIPT = """
import sys
from digits import MLP, TRAINING, first_weights, shares
from learning.trainer import LocalTask
from learning.trajectory import checkpoint_bytes, train
seat, seed = int(sys.argv[1]), int(sys.argv[2])
for checkpoint in train(LocalTask(MLP, TRAINING, 0, seed), shares()[seat], base=first_weights()).checkpoints:
    sys.stdout.buffer.write(checkpoint_bytes(checkpoint))
"""


def test_an_honest_run_on_another_instruction_set_passes_in_every_segment():
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(LARGEST), str(TASK.seed)],
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT}/tests/learning", "ATEN_CPU_CAPABILITY": "default"},
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    size = len(done.stdout) // len(HONEST.checkpoints)
    checkpoints = tuple(
        read_checkpoint(done.stdout[i * size : (i + 1) * size], slots=["momentum"], parameters=len(BASE))
        for i in range(len(HONEST.checkpoints))
    )
    found = every_segment(TrainingRun(checkpoints[-1].weights - BASE, HONEST.steps, checkpoints))
    assert found.passed
    assert found.distance < float(SPEC.tolerance) / 10


@pytest.mark.parametrize("faked", [0.25, 0.5, 0.75])
def test_faked_segments_are_drawn_at_the_designed_rate(faked: float):
    # Of 20 segments some are faked, the last honest: three draws, one of which is always the last, leave two to catch it.
    checkpoints, trials = 21, 2_000
    fakes = set(range(round(faked * 20)))
    caught = sum(
        bool(fakes & set(lots.drawn_segments(b"%d" % t, "p", checkpoints=checkpoints, count=3)))
        for t in range(trials)
    )
    free = 19
    expected = 1 - (1 - len(fakes) / free) * (1 - len(fakes) / (free - 1))
    assert caught / trials == pytest.approx(expected, abs=0.04)


def test_participants_are_drawn_at_their_rates():
    spec = VerificationSpec(audit_rate="0.1", flagged_rate="0.5")
    names = [f"p{i}" for i in range(10)]
    drawn = [name for t in range(1_000) for name in lots.audited(b"%d" % t, names, {"p0": ()}, spec)]
    assert drawn.count("p0") / 1_000 == pytest.approx(0.5, abs=0.05)
    assert len([n for n in drawn if n != "p0"]) / 9_000 == pytest.approx(0.1, abs=0.01)


def test_a_trajectory_from_another_model_or_to_another_update_is_caught():
    other = train(TASK, DATA, base=first_weights(seed=9))
    claims = manifest(other)

    def shown(number: int) -> Shown:
        return Shown(other.checkpoints[number], other.trajectory.proof(number))

    options = {"base": BASE, "show": shown, "tolerance": 0.001}
    assert (
        audit.reexecute(
            claims,
            TASK,
            DATA,
            handed_in=hands_in(encode(HONEST.delta, WHOLE), WHOLE),
            segments=[0],
            **options,
        ).finding  # type: ignore[arg-type]
        is Finding.OTHER_BASE
    )
    last = claims.checkpoints - 2
    found = audit.reexecute(
        claims, TASK, DATA, handed_in=hands_in(encode(HONEST.delta, WHOLE), WHOLE), segments=[last], **options
    )  # type: ignore[arg-type]
    assert found.finding is Finding.OTHER_UPDATE


def test_a_checkpoint_that_is_withheld_or_swapped_after_committing_is_caught():
    claims = manifest(HONEST)
    options = {
        "base": BASE,
        "handed_in": hands_in(encode(HONEST.delta, WHOLE), WHOLE),
        "segments": [1],
        "tolerance": 0.001,
    }
    withheld = audit.reexecute(claims, TASK, DATA, show=lambda _: None, **options)  # type: ignore[arg-type]
    assert withheld.finding is Finding.NOT_SHOWN
    swapped = audit.reexecute(
        claims,
        TASK,
        DATA,
        show=lambda n: Shown(replace(HONEST.checkpoints[n], weights=BASE), HONEST.trajectory.proof(n)),
        **options,  # type: ignore[arg-type]
    )
    assert swapped.finding is Finding.NOT_SHOWN


def test_a_dispute_is_narrowed_to_the_first_difference_with_few_questions():
    cheated = CHEATS["half the epochs"]()
    ours, theirs = HONEST.trajectory.leaves, cheated.trajectory.leaves
    first = next(i for i in range(len(ours)) if ours[i] != theirs[i])
    asked: list[int] = []

    def agree(number: int) -> bool:
        asked.append(number)
        return ours[number] == theirs[number]

    assert audit.first_difference(len(ours), agree) == first
    assert len(asked) <= 2 + np.ceil(np.log2(len(ours)))
    with pytest.raises(EvidenceError):
        audit.first_difference(len(ours), lambda _: True)
    with pytest.raises(EvidenceError):
        audit.first_difference(len(ours), lambda _: False)


def a_round(
    change: Callable[[list[Vector]], dict[int, Vector]] | None = None, flip: int | None = None
) -> Screened:
    """Train everybody, let some hand in something else, and screen."""
    data: list[Dataset] = list(shares())
    if flip is not None:
        data[flip] = attacks.flip_labels(data[flip], 10)
    runs = [
        train(LocalTask(MLP, TRAINING, 1, batch_seed("s", 1, i)), d, base=BASE) for i, d in enumerate(data)
    ]
    deltas = {i: run.delta for i, run in enumerate(runs)} | (
        change([r.delta for r in runs]) if change else {}
    )
    return screen([contribution(i, deltas[i], runs[i]) for i in range(10)], expected(runs))


def contribution(seat: int, delta: Vector, run: TrainingRun, **claims: object) -> Contribution:
    name = f"p{seat}"
    said = {"participant": name, "samples": len(shares()[seat]), "steps": run.steps, **claims}
    return Contribution(manifest(run, **said), Update(name, len(shares()[seat]), delta))


def expected(runs: list[TrainingRun]) -> Expected:
    return Expected(
        bases={0: digest(BASE).hex()},
        parameters=len(BASE),
        samples={f"p{i}": len(shares()[i]) for i in range(10)},
        steps={f"p{i}": run.steps for i, run in enumerate(runs)},
        norm_cap=100.0,
        clip=4.0,
    )


def test_an_honest_uneven_round_is_not_rejected_and_hardly_flagged():
    screened = a_round()
    assert screened.rejected == {}
    assert len(screened.flagged) <= 1


def test_copying_a_neighbour_is_caught_and_the_earlier_one_stands():
    assert a_round(lambda d: {7: d[2].copy()}).rejected == {"p7": Rejection.COPY}
    scaled = a_round(lambda d: {7: d[2] * np.float32(1.3)})
    assert scaled.rejected == {"p7": Rejection.COPY}


def test_free_riding_is_caught():
    assert a_round(lambda d: {3: np.zeros_like(d[3])}).rejected == {"p3": Rejection.NO_CHANGE}
    rng = np.random.Generator(np.random.PCG64(0))
    tiny = a_round(lambda d: {3: (1e-5 * rng.standard_normal(len(d[3]))).astype(np.float32)})
    assert Flag.SHORT in tiny.flagged["p3"]


def test_sign_flipping_is_flagged():
    screened = a_round(lambda d: {4: -4 * d[4]})
    assert {Flag.LONG, Flag.AGAINST} & set(screened.flagged["p4"])


@pytest.mark.parametrize(
    ("claims", "delta", "reason"),
    [
        ({"base": "0" * 64}, None, Rejection.WRONG_BASE),
        ({"samples": 10_000}, None, Rejection.WRONG_SAMPLES),
        ({"steps": 1}, None, Rejection.WRONG_STEPS),
        ({}, np.zeros(3, np.float32), Rejection.WRONG_SHAPE),
        ({}, np.full(len(BASE), np.nan, np.float32), Rejection.NOT_FINITE),
        ({}, np.full(len(BASE), 3.0, np.float32), Rejection.TOO_LONG),
    ],
)
def test_claims_that_are_not_what_was_assigned_are_rejected(
    claims: dict[str, object], delta: Vector | None, reason: Rejection
):
    one = Contribution(
        manifest(HONEST, participant="p0", **{"samples": len(DATA), **claims}),
        Update("p0", len(DATA), HONEST.delta if delta is None else delta),
    )
    wanted = replace(expected([HONEST] * 10), samples={"p0": len(DATA)}, steps={"p0": HONEST.steps})
    assert screen([one], wanted).rejected == {"p0": reason}


def test_the_gate_names_what_makes_the_model_worse():
    good = Update("a", 1, np.array([1.0], np.float32))
    bad = Update("b", 1, np.array([-2.0], np.float32))

    def loss(weights: Vector) -> float:
        return float((weights[0] - 1) ** 2)

    found = harmful([good, bad], base=np.zeros(1, np.float32), loss=loss, tau=0.5)
    assert found == {"b": pytest.approx(8.0)}
    assert accepts(before=1.0, after=1.2, tau=0.5)
    assert not accepts(before=1.0, after=1.6, tau=0.5)
    assert not accepts(before=1.0, after=float("nan"), tau=0.5)


def test_training_on_flipped_labels_shows_in_what_the_model_does():
    train_set = shares()[LARGEST]
    run = train(TASK, attacks.flip_labels(train_set, 10), base=BASE)
    claimed = audit_of(run)
    assert claimed.finding is Finding.OTHER_RESULT


def test_whoever_may_be_audited_shows_what_an_audit_would_ask_for():
    names = [f"p{i}" for i in range(40)]
    for seed in SEEDS:
        shown = {name: lots.to_show(seed, name, checkpoints=21, spec=SPEC) for name in names}
        flagged = lots.audited(seed, names, dict.fromkeys(names, ()), SPEC)
        assert [name for name in sorted(names) if shown[name]] == flagged
        assert set(lots.audited(seed, names, {}, SPEC)) <= set(flagged)
        for name in flagged:
            drawn = lots.drawn_segments(seed, name, checkpoints=21, count=SPEC.segments)
            assert {number for one in drawn for number in (one, one + 1)} == set(shown[name])


def test_a_trail_leads_to_the_committed_checkpoints_and_no_other_does():
    leaves = HONEST.trajectory.leaves
    marks = tuple(Mark(leaf, bytes([i]) * 32) for i, leaf in enumerate(leaves))
    content, root = write_trail(marks), HONEST.trajectory.root
    assert read_trail(content, root=root, checkpoints=len(leaves)) == marks
    swapped = write_trail((marks[1], marks[0], *marks[2:]))
    for wrong in (b"", content[:-1], content + b"\0" * 64, swapped, b"x" + content[1:]):
        with pytest.raises(EvidenceError):
            read_trail(wrong, root=root, checkpoints=len(leaves))


@pytest.mark.parametrize(("samples", "epochs"), [(1, 1), (31, 2), (320, 3), (321, 1)])
def test_checkpoints_are_counted_without_training(samples: int, epochs: int):
    training = TRAINING.model_copy(update={"local_epochs": epochs})
    data = DATA.take(np.resize(np.arange(len(DATA)), samples))
    run = train(LocalTask(MLP, training, 0, 1), data, base=BASE)
    assert lots.checkpoints_of(training, samples=samples) == len(run.checkpoints)


SMALL = 4
"""Parameters of a linear model of three features."""


def small_round(deltas: list[np.ndarray]) -> Screened:
    """A round in which everybody trains a small model on many samples."""
    claims = manifest(HONEST, samples=9)
    wanted = Expected(
        bases={0: claims.base},
        parameters=SMALL,
        samples={f"p{i}": 9 for i in range(len(deltas))},
        steps={f"p{i}": claims.steps for i in range(len(deltas))},
        norm_cap=100.0,
        clip=4.0,
    )
    updates = [Update(f"p{i}", 9, delta.astype(np.float32)) for i, delta in enumerate(deltas)]
    return screen([Contribution(claims, update) for update in updates], wanted)


@pytest.mark.parametrize("size", [1.0, 1e-5])
def test_honest_updates_of_a_small_model_that_hardly_differ_are_no_copies(size: float):
    rng = np.random.Generator(np.random.PCG64(5))
    common = size * np.array([0.5, -1.0, 0.25, 0.125])
    assert small_round([common * (1 + 1e-3 * rng.standard_normal(SMALL)) for _ in range(6)]).rejected == {}


def test_who_differs_from_another_far_less_than_others_do_is_only_flagged():
    rng = np.random.Generator(np.random.PCG64(5))
    deltas = [np.array([0.5, -1.0, 0.25, 0.125]) + 0.3 * rng.standard_normal(SMALL) for _ in range(6)]
    screened = small_round([*deltas, deltas[2] * 1.001 + 1e-4])
    assert screened.rejected == {}
    assert {name for name, flags in screened.flagged.items() if Flag.ALIKE in flags} == {"p2", "p6"}
