from pathlib import Path
from typing import Any

import pytest

from learning.session_config import SessionConfig
from protocol.enums import PRIVATE_DATA, SECURE_AGGREGATION
from protocol.errors import ConfigError
from protocol.money import USDFC
from protocol.session import SessionOrder
from protocol.settings import load
from runner.admission import Terms
from runner.federated.admission import refusal
from runner.settings import RunnerSettings
from tests.runner.federated.school import config

CREATOR = "0x00000000000000000000000000000000000000C1"
OWNER = "0x00000000000000000000000000000000000000A1"
TERMS = Terms(owner=OWNER, min_reward=USDFC // 100, tokens_per_s=10, block_time_s=1)


def an_order(**changes: Any) -> SessionOrder:
    fields: dict[str, Any] = {
        "creator": CREATOR,
        "payer": CREATOR,
        "budget": 10 * USDFC,
        "reward": USDFC // 10,
        "aggregation_reward": USDFC // 10,
        "bond": 10 * USDFC,
        "aggregation_bond": 10 * USDFC,
        "rounds": 2,
        "min_participants": 3,
        "max_participants": 3,
        "replicas": 1,
        "quorum": 1,
        "params_id": 1,
        "task_params_id": 1,
        "join_by": 100,
        "train_for": 10,
        "reveal_for": 10,
        "retention": 0,
        "config": bytes(32),
        "salt": bytes(32),
    }
    return SessionOrder(**(fields | changes))


def a_config(**sections: Any) -> SessionConfig:
    published = {"root": "aa" * 32, "index": "bb" * 32}
    dataset = {"cid": "bafy", **sections.pop("dataset", {})}
    return config(3, dataset=dataset, partition=published | sections.pop("partition", {}), **sections)


def why(order: SessionOrder, session: SessionConfig, *, has_data: bool = False, **terms: Any) -> str | None:
    changed = Terms(**{name: terms.get(name, getattr(TERMS, name)) for name in TERMS.__slots__})
    return refusal(order, session, terms=changed, has_data=has_data)


def test_a_session_that_is_consistent_and_paid_for_is_joined() -> None:
    assert why(an_order(), a_config()) is None
    secure = an_order(flags=SECURE_AGGREGATION, threshold=3)
    assert why(secure, a_config(secure_aggregation={"threshold": 3})) is None


@pytest.mark.parametrize(
    ("said", "order", "sections", "terms"),
    [
        ("deny list", {}, {}, {"deny": frozenset({CREATOR})}),
        ("allow list", {}, {}, {"allow": frozenset({OWNER})}),
        ("own owner", {"payer": OWNER}, {}, {}),
        ("the least is", {"reward": 1}, {}, {}),
        ("training.rounds", {"rounds": 3}, {}, {}),
        ("training.min_participants", {"min_participants": 2}, {}, {}),
        ("partition.participants", {"max_participants": 4}, {}, {}),
        ("secure_aggregation and", {}, {"secure_aggregation": {}}, {}),
        (
            "secure_aggregation.threshold",
            {"flags": SECURE_AGGREGATION, "threshold": 2},
            {"secure_aggregation": {"threshold": 3}},
            {},
        ),
        ("private data", {"flags": PRIVATE_DATA}, {}, {}),
        ("central", {}, {"privacy": {"placement": "central"}}, {}),
        ("segment_steps", {}, {"training": {"segment_steps": 11}}, {}),
        ("tolerance", {}, {"verification": {"tolerance": "0.0009"}}, {}),
        ("norm_cap", {}, {"verification": {"norm_cap": "99"}}, {}),
        ("partition.root", {}, {"partition": {"root": None}}, {}),
        ("no samples to evaluate", {}, {"dataset": {"evaluation_share": "0"}}, {}),
    ],
)
def test_a_session_is_refused_with_the_reason(
    said: str, order: dict[str, Any], sections: dict[str, Any], terms: dict[str, Any]
) -> None:
    assert said in (why(an_order(**order), a_config(**sections), **terms) or "")


def test_a_session_on_private_data_needs_a_file_of_the_owners() -> None:
    order = an_order(flags=PRIVATE_DATA)
    session = a_config(dataset={"cid": "", "evaluation_cid": "bafy"}, partition={"root": None, "index": None})
    assert "RUNNER_PRIVATE_DATA" in (why(order, session) or "")
    assert why(order, session, has_data=True) is None


def test_private_data_are_named_by_session_or_creator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNNER_PRIVATE_DATA", f"0x{'AB' * 32}=/data/a.csv, {CREATOR} = b.csv")
    assert load(RunnerSettings).runner_private_data == {
        "0x" + "ab" * 32: Path("/data/a.csv"),
        CREATOR.lower(): Path("b.csv"),
    }
    monkeypatch.setenv("RUNNER_PRIVATE_DATA", "/data/a.csv")
    with pytest.raises(ConfigError, match=r"(?i)runner_private_data.*session id"):
        load(RunnerSettings)
