"""What must hold of a rehearsal's learning sessions, and the one who trains falsely."""

import dataclasses
import json
from typing import Any

import pytest

from client.federated.records import ParticipantRecord, RoundRecord, SessionRecord
from devnet.accounts import LOCAL
from devnet.cheats import HalfTrained
from devnet.soak.plan import SoakPlan
from devnet.soak.sessions import Sessions, digits, judge_sessions
from learning.datasets import load_dataset
from learning.session_config import SessionConfig
from protocol.enums import SessionPhase
from protocol.money import USDFC
from runner.federated.messages import Data, Train, Trained
from runner.federated.workshop import Workshop

PLAN = SoakPlan(runners=6)
(FALSE,) = PLAN.half_trained
BOND = 2 * USDFC


def seat(number: int, **changes: Any) -> ParticipantRecord:
    honest = ParticipantRecord(
        slot=number, node=LOCAL.node(number).address, owner=LOCAL.owner(number).address,
        accepted=2, earned=0, missed=0, slashed=0, out=False, caught=False,
    )  # fmt: skip
    return dataclasses.replace(honest, **changes)


def record(*participants: ParticipantRecord, secure: bool = False, **changes: Any) -> SessionRecord:
    rounds = tuple(
        RoundRecord(round=number, attempts=1, contributions=6, accepted=5, started_block=1)
        for number in (1, 2)
    )
    whole = SessionRecord(
        session_id=bytes(32), phase=SessionPhase.FINISHED, block=9, deadline=0, round=2, rounds=2, attempts=1,
        closing=False, creator="", payer="", budget=0, reward=0, bond=BOND, min_participants=3, max_participants=6,
        members=6, expected=0, present=0, secure=secure, private_data=False, join_by=1, config_cid="", name="a session",
        method=None, model=None, created_block=1, transaction_hash="", returned=0, participants=participants,
        round_list=rounds,
    )  # fmt: skip
    return dataclasses.replace(whole, **changes)


def broken(audited: SessionRecord, secure: SessionRecord | None = None) -> list[str]:
    held = Sessions(audited=audited, secure=secure or record(secure=True))
    return [finding.what for finding in judge_sessions(PLAN, held) if not finding.holds]


CAUGHT = seat(FALSE, caught=True, out=True, slashed=BOND // 2)


def test_a_rehearsal_whose_false_trainer_lost_half_its_bond_holds() -> None:
    assert broken(record(seat(0), seat(1), CAUGHT)) == []


@pytest.mark.parametrize(
    "audited",
    [
        record(seat(0), seat(FALSE)),
        record(seat(0)),
        record(seat(0), seat(FALSE, caught=True, out=True, slashed=BOND)),
    ],
    ids=["not caught", "took no part", "lost too much"],
)
def test_a_false_trainer_that_did_not_lose_half_its_bond_is_told(audited: SessionRecord) -> None:
    assert broken(audited) == [f"runner-{FALSE + 1} (half-trained) was caught and lost half its bond"]


def test_an_honest_trainer_that_was_caught_is_told() -> None:
    assert broken(record(seat(0, caught=True), CAUGHT)) == ["nobody who trained honestly was caught"]


def test_a_session_that_failed_or_lacks_a_round_is_told() -> None:
    failed = record(seat(0), CAUGHT, phase=SessionPhase.FAILED)
    short = record(seat(0), CAUGHT)
    short = dataclasses.replace(short, round_list=short.round_list[:1])
    assert broken(failed) == broken(short) == ['the session "a session" has finished']


def test_updates_that_anybody_could_read_are_told() -> None:
    assert broken(record(CAUGHT), record()) == ["nobody could read the updates of the second"]


def test_the_images_are_what_a_session_reads() -> None:
    config = SessionConfig.build(
        {
            "name": "digits",
            "model": {"type": "neural_network", "input_dim": 64, "output_dim": 10},
            "dataset": {"format": "csv", "divide_by": "16"},
            "partition": {"participants": 3},
        }
    )
    read = load_dataset(digits(), config.dataset, input_dim=64, classes=10)
    assert len(read) == 600
    assert set(read.labels) == set(range(10))


async def test_a_false_trainer_trains_at_half_the_rate_and_changes_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[Train, bool]] = []

    async def train(_self: Workshop, work: Train, *, apart: bool = False) -> Trained:
        asked.append((work, apart))
        return Trained(samples=1)

    monkeypatch.setattr(Workshop, "train", train)
    config = {"training": {"learning_rate": "0.1", "rounds": 2}, "name": "digits"}
    work = Train(config=json.dumps(config).encode(), session="s", round=1, slot=2, data=Data(file="f"))
    await HalfTrained().train(work, apart=True)
    ((done, apart),) = asked
    assert apart
    assert json.loads(done.config) == {"training": {"learning_rate": "0.05", "rounds": 2}, "name": "digits"}
    assert (done.session, done.round, done.slot, done.data) == ("s", 1, 2, work.data)
