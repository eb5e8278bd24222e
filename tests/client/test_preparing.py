"""How a session's data are read follows from the data, unless it is said."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_wine

from client.federated.preparing import prepare
from client.federated.wishes import Data, Split, Wishes
from learning import networks
from learning.assignment import read_list
from learning.datasets import load_dataset
from learning.session_config import DatasetSpec
from learning.simulate import Simulation
from learning.tensors import flatten, to_safetensors
from protocol.errors import InputError


def csv(features: np.ndarray, targets: np.ndarray) -> bytes:
    header = ",".join([*(f"Größe {i} °C" for i in range(features.shape[1])), "label"])
    rows = [",".join([*map(repr, row), str(y)]) for row, y in zip(features.tolist(), targets, strict=True)]
    return "\n".join([header, *rows]).encode()


WINE = csv(load_wine().data, np.array(["weiß", "rosé", "ruĝa"])[load_wine().target])
WISHES = Wishes(name="Wine", rounds=10, learning_rate="0.1", local_epochs=2, seed=3, min_participants=4)


def last_figures(wishes: Wishes, content: bytes) -> dict[str, float]:
    """Play the prepared session; gives the held-out metrics of its last model."""
    prepared = prepare(wishes, content)
    config = prepared.config
    assert isinstance(config.dataset, DatasetSpec)
    assert config.model.type in ("neural_network", "linear_regression")
    classes = config.model.output_dim if config.classifies else None
    whole = load_dataset(content, config.dataset, input_dim=config.model.input_dim, classes=classes)
    *shares, held_out = [whole.take(read_list(one, samples=len(whole))) for one in prepared.lists]
    first = flatten(networks.initial_state(config.model, seed=3), networks.layout(config.model))
    return Simulation(config, shares, held_out, first).run().reports[-1].evaluation.metrics


def test_raw_measurements_of_unlike_sizes_are_learned_from():
    assert last_figures(WISHES, WINE)["accuracy"] > 0.95


def test_without_standardizing_they_hardly_are():
    raw = replace(WISHES, data=Data(standardize=False))
    assert last_figures(raw, WINE)["accuracy"] < 0.8


def test_a_quantity_of_any_size_is_learned_and_measured_in_its_unit():
    diabetes = load_diabetes()
    content = csv(diabetes.data * 1e3, diabetes.target * 1e6)
    wishes = replace(WISHES, model_type="linear_regression")
    found = last_figures(wishes, content)
    assert found["r2"] > 0.3
    assert found["mse"] == pytest.approx((1 - found["r2"]) * 5_000e12, rel=0.4)


def test_the_means_are_those_of_the_rows_that_are_trained_on():
    prepared = prepare(WISHES, WINE)
    rows = np.concatenate([read_list(one, samples=178) for one in prepared.lists[:-1]])
    expected = load_wine().data[rows].mean(axis=0)
    np.testing.assert_allclose(np.array(prepared.config.dataset.centers, float), expected, rtol=1e-6)


def shuffled(content: bytes) -> bytes:
    """The same table with its columns in the opposite order, and one more."""
    rows = [
        [*reversed(line.split(",")), str(place or "more")]
        for place, line in enumerate(content.decode().split("\n"))
    ]
    return "\n".join(map(",".join, rows)).encode()


def test_other_files_of_the_session_may_have_their_columns_in_another_order_and_more_of_them():
    config = prepare(WISHES, WINE).config
    here, there = (
        load_dataset(content, config.dataset, input_dim=13, classes=3) for content in (WINE, shuffled(WINE))
    )
    assert np.array_equal(here.features, there.features)
    assert np.array_equal(here.targets, there.targets)


def test_names_that_do_not_fit_into_the_document_leave_features_in_their_order():
    long = WINE.replace("Größe".encode(), b"g" * 10_000)
    assert prepare(WISHES, long).config.dataset.features == ()


def test_a_session_whose_document_nobody_could_read_is_refused():
    long = "\n".join(["a,label", *(f"{number},{number:05}{'ä' * 1_000}" for number in range(200))])
    with pytest.raises(InputError, match=r"^data set: .* 262,144 are the most; shorten the names of classes"):
        prepare(WISHES, long.encode())


def test_features_that_are_divided_are_left_at_that():
    divided = replace(WISHES, data=Data(divide_by=100))
    assert prepare(divided, WINE).config.dataset.centers == ()


def test_weights_to_begin_with_do_not_say_of_what_features_they_are():
    model = prepare(WISHES, WINE).config.model
    assert model.type == "neural_network"
    first = to_safetensors(networks.initial_state(model, seed=0))
    with pytest.raises(InputError, match="--standardize or --no-standardize"):
        prepare(replace(WISHES, first=first), WINE)


def test_a_forest_s_quantities_are_standardized_too_and_its_features_are_not():
    diabetes = load_diabetes()
    model = '{"architecture": {"input_dim": 10, "output_dim": 1}}'
    wishes = replace(WISHES, model_type="random_forest", model_file=model)
    read = prepare(wishes, csv(diabetes.data, diabetes.target * 1e3)).config.dataset
    assert float(read.target_scale) == pytest.approx(1e3 * diabetes.target.std(), rel=0.2)
    assert read.centers == ()


@pytest.mark.parametrize("method", ["fedadam", "fedyogi"])
def test_adaptive_servers_learn_at_the_rate_that_nobody_named(method: str):
    assert last_figures(replace(WISHES, method=method), WINE)["accuracy"] > 0.9


@pytest.mark.parametrize("strategy", ["stratified", "non_iid", "label_skew"])
def test_quantities_are_not_divided_by_classes(strategy: str):
    diabetes = load_diabetes()
    wishes = replace(WISHES, model_type="linear_regression", split=Split(strategy=strategy))
    with pytest.raises(InputError, match=r"^--split-strategy: .* the target holds quantities; take random"):
        prepare(wishes, csv(diabetes.data, diabetes.target))


def test_what_is_wrong_with_the_file_to_evaluate_on_is_said_of_that_file():
    wishes = replace(WISHES, data=Data(cid="data", evaluation_cid="other"))
    with pytest.raises(InputError, match=r"^--evaluation-cid: label: class 'grün' is not among"):
        prepare(wishes, WINE, WINE.replace("weiß".encode(), "grün".encode()))
