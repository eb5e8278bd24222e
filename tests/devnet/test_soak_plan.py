"""What a rehearsal is made of, and how its misbehaving runners are started."""

from pathlib import Path

import pytest

from devnet.cheats import DEEDS, misbehave
from devnet.conduct import Conduct
from devnet.plan import Plan, Ports
from devnet.services import runner
from devnet.soak.plan import LEAST_RUNNERS, SoakPlan
from protocol.deployment import Deployment, save_deployment
from protocol.errors import InputError
from runner.settings import RunnerSettings


@pytest.mark.parametrize("runners", range(LEAST_RUNNERS, 17))
def test_whatever_its_size_most_runners_are_honest_and_none_has_two_roles(runners: int) -> None:
    plan = SoakPlan(runners=runners)
    assert plan.cheats
    assert plan.liars
    assert not set(plan.crashing) & set(plan.conducts)
    assert not set(plan.half_trained) & set(plan.cheats)
    assert 2 * len(plan.cheats) < runners
    assert runners - len(plan.cheats) > 3, "a panel of three beside the accused"


def test_a_day_of_twelve_has_two_cheats_one_liar_one_slow_and_two_that_crash() -> None:
    plan = SoakPlan(runners=12)
    assert [plan.role_of(number) for number in range(4)][:3] == ["made-up", "lying-monitor", "slow"]
    assert (len(plan.cheats), len(plan.liars), len(plan.crashing)) == (2, 1, 2)
    assert [plan.role_of(number) for number in plan.half_trained] == ["half-trained"]


def test_nobody_trains_falsely_where_no_sessions_are_held() -> None:
    assert SoakPlan(runners=12, sessions=False).half_trained == ()


def test_a_seed_chooses_the_same_conducts_again() -> None:
    assert SoakPlan(runners=12, seed=5).conducts == SoakPlan(runners=12, seed=5).conducts
    assert len({SoakPlan(runners=12, seed=seed).conducts[3] for seed in range(20)}) == 2


def test_too_few_runners_are_refused_with_the_option_to_change() -> None:
    with pytest.raises(InputError, match="--runners: 4 are too few"):
        SoakPlan(runners=4)


def test_every_way_to_cheat_has_a_deed() -> None:
    assert {conduct for conduct in Conduct if conduct.is_cheating} <= DEEDS.keys()


def test_only_a_plan_says_who_misbehaves_and_the_shipped_daemon_knows_no_such_thing(tmp_path: Path) -> None:
    plan = Plan(ports=Ports(), state=tmp_path, conducts={1: Conduct.PADDED})
    assert runner(plan, {}, 0).argv[1:] == ["-m", "runner", "runner"]
    assert runner(plan, {}, 1).argv[1:] == ["-m", "devnet.cheats", "padded"]
    assert not [name for name in RunnerSettings.model_fields if "cheat" in name or "conduct" in name]


async def test_no_runner_misbehaves_where_stake_is_worth_something(
    deployment: Deployment, tmp_path: Path
) -> None:
    real = deployment.model_copy(update={"local": False, "chain_id": 314159})
    save_deployment(real, folder=tmp_path)
    settings = RunnerSettings(
        _env_file=None,
        filecoin_rpc="http://127.0.0.1:9",
        filecoin_chain_id=314159,
        deployments_dir=tmp_path,
        runner_home=tmp_path,
    )
    with pytest.raises(InputError, match="for local chains only"):
        await misbehave(Conduct.MADE_UP, settings)
