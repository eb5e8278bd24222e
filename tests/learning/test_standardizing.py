"""Standardized features: the figures of scikit-learn's scaler, as decimals that every reader applies alike."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.datasets import load_wine
from sklearn.preprocessing import StandardScaler

from learning.datasets import load_dataset, read_columns
from learning.errors import ConfigError, DataError
from learning.objectives import measure
from learning.session_config import DatasetSpec
from learning.standardizing import standardized, with_target


def csv(features: np.ndarray, targets: np.ndarray) -> bytes:
    header = ",".join([*(f"f{i}" for i in range(features.shape[1])), "label"])
    rows = [
        ",".join([*map(repr, row), str(target)])
        for row, target in zip(features.tolist(), targets, strict=True)
    ]
    return "\n".join([header, *rows]).encode()


def read(content: bytes, rows: np.ndarray, *, input_dim: int) -> np.ndarray:
    spec = standardized(DatasetSpec(), read_columns(content, "csv"), rows)
    again = DatasetSpec.parse(spec.canonical())
    assert again == spec
    return load_dataset(content, again, input_dim=input_dim, classes=None).features


def test_features_are_those_of_scikit_learn_s_scaler_fitted_to_the_same_rows():
    wine = load_wine()
    rows = np.arange(0, len(wine.data), 2)
    ours = read(csv(wine.data, wine.target), rows, input_dim=13)
    theirs = StandardScaler().fit(wine.data[rows]).transform(wine.data)
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


def test_large_numbers_that_differ_little_keep_their_differences():
    times = 1_700_000_000 + np.arange(8.0)[:, None]
    assert len(np.unique(read(csv(times, np.arange(8)), np.arange(8), input_dim=1))) == 8


def test_a_feature_that_never_changes_becomes_zero():
    features = np.column_stack([np.full(4, 0.1), np.arange(4.0)])
    assert not read(csv(features, np.arange(4)), np.arange(4), input_dim=2)[:, 0].any()


@given(arrays(np.float64, (6, 2), elements=st.floats(-1e6, 1e6).map(lambda number: round(number, 9))))
def test_whatever_the_numbers_are_the_rows_end_within_what_six_of_them_can_reach(features: np.ndarray):
    found = read(csv(features, np.arange(6)), np.arange(6), input_dim=2)
    assert np.abs(found).max() <= np.sqrt(6) + 1e-3


@pytest.mark.parametrize("unit", [1e-30, 1e30])
def test_numbers_that_no_document_can_name_are_refused_with_the_column(unit: float):
    with pytest.raises(DataError, match=r"f1.*another unit"):
        read(
            csv(np.column_stack([np.arange(4.0), unit * np.arange(4.0)]), np.arange(4)),
            np.arange(4),
            input_dim=2,
        )


def test_features_that_are_divided_already_are_refused():
    columns = read_columns(b"a,label\n1,0\n2,1\n", "csv")
    with pytest.raises(ConfigError, match="choose one"):
        standardized(DatasetSpec(divide_by=2), columns, np.arange(2))


def test_a_document_s_figures_must_be_of_as_many_features_as_the_data_have():
    spec = DatasetSpec.build({"centers": ["1", "2"], "scales": ["1", "2"]})
    with pytest.raises(DataError, match="2 centers for 1 features"):
        load_dataset(b"a,label\n1,0\n2,1\n", spec, input_dim=1, classes=2)
    with pytest.raises(ConfigError, match="scales"):
        DatasetSpec.build({"centers": ["1"]})
    with pytest.raises(ConfigError, match="scales"):
        DatasetSpec.build({"centers": ["1"], "scales": ["0"]})


def test_a_quantity_is_learned_in_deviations_and_measured_in_its_own_unit():
    prices = np.array([100_000.0, 200_000.0, 300_000.0])
    content = csv(np.arange(3.0)[:, None], prices)
    spec = with_target(DatasetSpec(), read_columns(content, "csv"), np.arange(3))
    data = load_dataset(content, spec, input_dim=1, classes=None)
    assert data.targets.mean() == pytest.approx(0, abs=1e-6)
    assert data.targets.std() == pytest.approx(1)
    found = measure(np.zeros(2), data.take(np.array([0, 2])), ("mse", "rmse", "mae", "r2"))
    assert found == pytest.approx({"mse": 1e10, "rmse": 1e5, "mae": 1e5, "r2": 0.0}, rel=1e-6)
