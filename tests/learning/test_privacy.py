import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learning import accountant, privacy
from learning.aggregate import SCALE, quantise
from learning.errors import PrivacyError
from learning.privacy import ClipState
from learning.randomness import SecretStream
from learning.session_config import PrivacySpec, count_noise
from learning.updates import Update

# Reference values of Opacus 1.6 (RDP), noise multiplier 1, delta 1e-5: sampling rate, rounds, epsilon, order.
REFERENCE = [
    (0.01, 20, 1.070466, 9.2),
    (0.01, 100, 1.214145, 8.8),
    (0.1, 20, 4.224011, 4.2),
    (0.1, 100, 7.899255, 3.2),
    (1.0, 20, 30.126631, 2.0),
    (1.0, 100, 96.116308, 1.5),
]


@pytest.mark.parametrize(("rate", "rounds", "epsilon", "order"), REFERENCE)
def test_what_is_spent_is_the_reference_value(rate: float, rounds: int, epsilon: float, order: float):
    spent = accountant.spent(noise_multiplier=1.0, sampling_rate=rate, rounds=rounds, delta=1e-5)
    assert spent.epsilon == pytest.approx(epsilon, abs=1e-5)
    assert spent.order == pytest.approx(order)


@pytest.mark.parametrize(("rounds", "epsilon"), [(1, 4.377178), (20, 28.373473), (100, 91.817290)])
def test_the_accountant_is_never_below_what_is_exact(rounds: int, epsilon: float):
    exact = accountant.exact_epsilon(noise_multiplier=1.0, rounds=rounds, delta=1e-5)
    assert exact == pytest.approx(epsilon, abs=1e-5)
    spent = accountant.spent(noise_multiplier=1.0, sampling_rate=1.0, rounds=rounds, delta=1e-5)
    assert exact <= spent.epsilon < 1.2 * exact


@pytest.mark.parametrize(("noise", "rate", "rounds"), [(0.6, 0.02, 150), (1.3, 0.5, 7), (4.0, 0.9, 1)])
def test_more_rounds_less_noise_and_more_participation_spend_more(noise: float, rate: float, rounds: int):
    def epsilon(**change: float) -> float:
        arguments = {
            "noise_multiplier": noise,
            "sampling_rate": rate,
            "rounds": rounds,
            "delta": 1e-5,
        } | change
        return accountant.spent(**arguments).epsilon  # type: ignore[arg-type]

    here = epsilon()
    assert epsilon(rounds=rounds + 1) >= here
    assert epsilon(noise_multiplier=noise * 1.1) <= here
    assert epsilon(sampling_rate=min(1.0, rate * 1.1)) >= here
    assert epsilon(delta=1e-4) <= here
    assert here >= 0


def test_nothing_is_spent_before_the_first_round():
    assert privacy.spent_after(PrivacySpec(), 0).epsilon == 0


@pytest.mark.parametrize(("epsilon", "noise"), [(1, 4.2969), (4, 1.4819), (8, 0.9937)])
def test_noise_for_a_target_is_about_the_reference_and_reaches_it(epsilon: float, noise: float):
    found = accountant.noise_for(epsilon, sampling_rate=0.1, rounds=100, delta=1e-5)
    assert found == pytest.approx(noise, rel=0.006)
    assert (
        accountant.spent(noise_multiplier=found, sampling_rate=0.1, rounds=100, delta=1e-5).epsilon <= epsilon
    )


@pytest.mark.parametrize("field", ["noise_multiplier", "sampling_rate", "rounds", "delta"])
def test_a_parameter_without_meaning_is_named(field: str):
    arguments = {"noise_multiplier": 1.0, "sampling_rate": 0.5, "rounds": 1, "delta": 1e-5, field: -1}
    with pytest.raises(PrivacyError) as caught:
        accountant.spent(**arguments)  # type: ignore[arg-type]
    assert caught.value.field == field


@given(st.integers(0, 10_000), st.floats(0.01, 10))
def test_a_clipped_update_is_never_longer_than_the_norm(seed: int, norm: float):
    delta = np.random.Generator(np.random.PCG64(seed)).standard_normal(50).astype(np.float32)
    clipped = privacy.clipped(delta, norm)
    assert np.linalg.norm(clipped.astype(np.float64)) <= norm
    assert np.linalg.norm(clipped) >= min(norm, np.linalg.norm(delta)) * 0.9999


@settings(deadline=None)
@given(st.integers(0, 10_000), st.floats(1, 20))
def test_an_update_in_whole_steps_is_no_longer_than_the_norm_however_short_that_is(seed: int, times: float):
    norm = times * privacy.least_norm(10_000)
    delta = np.random.Generator(np.random.PCG64(seed)).standard_normal(10_000).astype(np.float32)
    steps = quantise(privacy.bounded(delta, norm), clip=4.0)
    assert np.linalg.norm(steps.astype(np.float64)) <= norm * SCALE
    assert np.linalg.norm(steps.astype(np.float64)) > norm * SCALE / 2


def test_a_norm_that_rounding_would_reach_beyond_is_refused():
    spec = PrivacySpec(clip_norm="0.000001")
    with pytest.raises(PrivacyError, match="too short for 20,000 parameters") as caught:
        privacy.central(updates(), spec, ClipState(1e-6), clip=4.0)
    assert caught.value.field == "clip_norm"
    with pytest.raises(PrivacyError, match="too short"):
        privacy.distributed_steps(updates()[0].delta, spec, honest=10, clip=4.0)


def test_an_adaptive_norm_never_becomes_shorter_than_rounding_allows():
    spec = PrivacySpec(adaptive=True, clip_rate=1, target_quantile="0.01", noise_multiplier="0.1")
    state, stream = ClipState(1.0), SecretStream(bytes(32))
    for _ in range(60):
        state = privacy.next_clip(updates(parameters=100), spec, state, stream=stream)
        assert state.norm >= privacy.least_norm(100)


def updates(participants: int = 10, parameters: int = 20_000) -> list[Update]:
    rng = np.random.Generator(np.random.PCG64(5))
    return [
        Update(f"p{i}", 100 + i, (0.01 * (i + 1) * rng.standard_normal(parameters)).astype(np.float32))
        for i in range(participants)
    ]


def test_central_noise_has_the_promised_spread_and_nothing_else_changes():
    spec, state = PrivacySpec(clip_norm=1, noise_multiplier=2), ClipState(1.0)
    noised, after = privacy.central(updates(), spec, state, clip=4.0, stream=SecretStream(bytes(32)))
    plain = np.mean([privacy.clipped(u.delta, 1.0) for u in updates()], axis=0)
    assert np.std(noised - plain) == pytest.approx(2 * 1.0 / 10, rel=0.03)
    assert abs(np.mean(noised - plain)) < 0.01
    assert after == state


def test_two_rounds_of_noise_are_unrelated_and_secret():
    spec, state = PrivacySpec(), ClipState(1.0)
    one, other = (privacy.central(updates(), spec, state, clip=4.0)[0] for _ in range(2))
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.1


def test_an_adaptive_norm_moves_to_the_target_quantile():
    spec = PrivacySpec(adaptive=True, target_quantile="0.5", clip_rate="0.3", noise_multiplier="0.1")
    state, stream = ClipState(0.1), SecretStream(bytes(32))
    seen = []
    for _ in range(80):
        state = privacy.next_clip(updates(), spec, state, stream=stream)
        seen.append(state.norm)
    lengths = [np.linalg.norm(u.delta) for u in updates()]
    assert np.median(seen[40:]) == pytest.approx(np.median(lengths), rel=0.35)


def test_an_adaptive_norm_costs_noise_on_the_updates():
    spec = PrivacySpec(adaptive=True, noise_multiplier=1)
    noise = privacy.update_noise(spec, 10)
    assert noise**-2 + (2 * count_noise(10)) ** -2 == pytest.approx(1.0)
    assert noise > 1
    with pytest.raises(PrivacyError):
        privacy.update_noise(PrivacySpec(adaptive=True, noise_multiplier=3), 10)


@pytest.mark.parametrize("deviation", [0.3, 1.0, 3.7, 1000.0])
def test_discrete_noise_has_the_chances_of_its_formula(deviation: float):
    drawn = privacy.discrete_gaussian(40_000, deviation, stream=SecretStream(bytes(32)))
    support = np.arange(-int(12 * deviation) - 3, int(12 * deviation) + 4)
    chances = np.exp(-(support.astype(float) ** 2) / (2 * deviation**2))
    chances /= chances.sum()
    assert np.mean(drawn) == pytest.approx(0, abs=5 * deviation / 200)
    assert np.std(drawn) == pytest.approx(np.sqrt((chances * support**2).sum()), rel=0.03, abs=0.01)
    assert np.mean(drawn == 0) == pytest.approx(chances[support == 0][0], abs=0.015)


def test_shares_of_distributed_noise_add_up_to_the_sessions():
    spec = PrivacySpec(clip_norm=1, noise_multiplier=1, placement="distributed")
    zero = np.zeros(5_000, np.float32)
    total = sum(
        privacy.distributed_steps(zero, spec, honest=10, clip=4.0, stream=SecretStream(bytes([i]) * 32))
        for i in range(10)
    )
    assert np.std(total / SCALE) == pytest.approx(1.0, rel=0.05)


def test_uniform_and_normal_numbers_are_what_they_are_called():
    stream = SecretStream(bytes(32))
    uniform, normal = stream.uniform(50_000), stream.normal(50_001)
    assert (uniform > 0).all()
    assert (uniform < 1).all()
    assert np.std(uniform) == pytest.approx(12**-0.5, rel=0.02)
    assert len(normal) == 50_001
    assert (np.mean(normal), np.std(normal)) == (pytest.approx(0, abs=0.02), pytest.approx(1, rel=0.02))
    assert np.mean(np.abs(normal) > 1.96) == pytest.approx(0.05, abs=0.005)
    assert SecretStream(bytes(32)).words(4).tolist() == SecretStream(bytes(32)).words(4).tolist()
    assert SecretStream().words(4).tolist() != SecretStream().words(4).tolist()
