import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learning.canonical import plain
from learning.errors import ConfigError
from learning.guide import session_config
from learning.model_spec import NeuralNetwork, RandomForest, TorchModel
from learning.session_config import NEEDS_EACH_UPDATE, SessionConfig

GUIDE: dict[str, Any] = {
    "hidden_size": 128,
    "architecture": {
        "input_dim": 784,
        "output_dim": 10,
        "activation": "relu",
        "output_activation": "softmax",
    },
    "optimizer": {"type": "sgd", "momentum": 0.9, "weight_decay": 0.0001},
    "loss": "cross_entropy",
    "metrics": ["accuracy"],
}
FLAGS: dict[str, dict[str, Any]] = {
    "dataset": {"cid": "QmXXX"},
    "training": {
        "rounds": 10,
        "min_participants": 3,
        "learning_rate": "0.001",
        "batch_size": 32,
        "local_epochs": 5,
    },
    "aggregation": {"method": "fedavg"},
}


def from_guide(
    change: dict[str, Any] | None = None, model_type: str = "neural_network", **sections: dict[str, Any]
) -> SessionConfig:
    return session_config(
        json.dumps(GUIDE | (change or {})),
        name="Image Classification",
        model_type=model_type,
        sections=FLAGS | sections,
    )


def test_the_deployment_guides_file_and_flags_make_a_session():
    config = from_guide()
    assert config.model == NeuralNetwork(input_dim=784, output_dim=10, hidden=(128,))
    assert config.training.learning_rate == Decimal("0.001")
    assert config.training.optimizer.weight_decay == Decimal("0.0001")
    assert config.training.local_epochs == 5


def test_hidden_size_may_be_a_list_of_layers():
    model = from_guide({"hidden_size": [256, 64]}).model
    assert isinstance(model, NeuralNetwork)
    assert model.hidden == (256, 64)


def test_a_forest_is_federated_by_union_unless_said_otherwise():
    config = from_guide({"forest": {"trees": 7}}, model_type="random_forest", aggregation={})
    assert isinstance(config.model, RandomForest)
    assert config.aggregation.method == "forest_union"
    assert config.classifies


def test_a_linear_regression_has_the_squared_error_unless_said_otherwise():
    small = {k: v for k, v in GUIDE.items() if k == "architecture"}
    config = session_config(json.dumps(small), name="x", model_type="linear_regression", sections={})
    assert config.training.loss == "mse"
    assert not config.classifies


def test_a_torch_model_is_one_of_the_declared_architectures():
    cnn = {"name": "cnn", "image": [1, 28, 28]}
    assert isinstance(from_guide({"torch": cnn}, model_type="torch").model, TorchModel)
    with pytest.raises(ConfigError, match="not the image's"):
        from_guide({"torch": {"name": "cnn", "image": [1, 8, 8]}}, model_type="torch")
    with pytest.raises(ConfigError, match="name"):
        from_guide({"torch": {"name": "os.system"}}, model_type="torch")


def test_equal_sessions_have_equal_digests_however_their_numbers_are_spelled():
    spelled = [
        from_guide(training=FLAGS["training"] | {"learning_rate": rate})
        for rate in ("0.001", "0.0010", 0.001, "1e-3")
    ]
    assert len({config.digest() for config in spelled}) == 1
    assert from_guide(training=FLAGS["training"] | {"learning_rate": "0.002"}).digest() != spelled[0].digest()


def test_the_digest_of_a_known_session_is_the_same_on_every_machine():
    assert from_guide().digest().hex() == "b087e8f1d980a2ad7eee817f8e10e56df2fe0ce68d86f28588e12aaca1554a2a"


@given(st.decimals(-(10**9), 10**9, places=6))
def test_a_numbers_spelling_is_exact_and_plain(number: Decimal):
    spelled = plain(number)
    assert Decimal(spelled) == number
    assert "E" not in spelled.upper()
    assert plain(Decimal(spelled)) == spelled


def test_canonical_bytes_are_read_back_as_the_same_session():
    config = from_guide()
    assert SessionConfig.parse(config.canonical()) == config
    assert SessionConfig.parse(config.canonical()).canonical() == config.canonical()


@pytest.mark.parametrize(
    ("sections", "field"),
    [
        ({"training": {"learning_rate": 0}}, "training.learning_rate"),
        ({"training": {"learning_rate": "NaN"}}, "training.learning_rate"),
        ({"training": {"learning_rate": "1E+999999999"}}, "training.learning_rate"),
        ({"training": {"rounds": 0}}, "training.rounds"),
        ({"training": {"round": 3}}, "training.round"),
        ({"aggregation": {"method": "magic"}}, "aggregation.method"),
        ({"partition": {"alpha": -1}}, "partition.alpha"),
        ({"privacy": {"delta": 1}}, "privacy.delta"),
        ({"privacy": {"sampling_rate": "0.1"}}, "privacy.sampling_rate"),
        ({"dataset": {"features": ["a", "label"]}}, "dataset"),
        ({"dataset": {"features": ["a", "who"], "group": "who"}}, "dataset"),
        ({"dataset": {"features": ["a", "a"]}}, "dataset"),
    ],
)
def test_a_wrong_field_is_named(sections: dict[str, dict[str, Any]], field: str):
    with pytest.raises(ConfigError) as caught:
        from_guide(**sections)
    assert caught.value.field == field


@pytest.mark.parametrize("method", sorted(NEEDS_EACH_UPDATE))
def test_secure_aggregation_and_rules_that_compare_updates_exclude_each_other(method: str):
    with pytest.raises(ConfigError, match="secure_aggregation hides each update"):
        from_guide(aggregation={"method": method}, secure_aggregation={})


@pytest.mark.parametrize(
    ("sections", "said"),
    [
        ({"training": {"min_participants": 4}}, "more than partition.participants"),
        ({"partition": {"strategy": "natural_id"}}, "needs dataset.group"),
        ({"aggregation": {"method": "bulyan", "hostile": 2}}, "at least 11 participants"),
        ({"privacy": {"placement": "distributed"}}, "add secure_aggregation"),
        ({"privacy": {"adaptive": True, "noise_multiplier": 2}}, "leaves no noise for the updates"),
        ({"secure_aggregation": {}, "compression": {"codec": "int8"}}, "must be none"),
        ({"secure_aggregation": {}, "asynchronous": {}}, "leave asynchronous out"),
        ({"model": {"type": "neural_network", "input_dim": 4, "output_dim": 1}}, "an output for each class"),
        ({"training": {"loss": "mse", "metrics": ["accuracy"]}}, "are for classes"),
        ({"aggregation": {"method": "forest_union"}}, "goes with model.type random_forest"),
    ],
)
def test_contradictions_are_refused_and_say_what_to_do(sections: dict[str, dict[str, Any]], said: str):
    with pytest.raises(ConfigError, match=said):
        from_guide(**sections)


@pytest.mark.parametrize("content", ["{", "[]", '{"architecture": 3}', '{"hidden_size": 1}'])
def test_a_config_file_that_is_none_is_refused(content: str):
    with pytest.raises(ConfigError):
        session_config(content, name="x", model_type="neural_network", sections={})


@pytest.mark.parametrize("field", ["labels_each", "min_samples"])
def test_a_number_that_not_every_reader_of_json_reads_alike_is_refused(field: str):
    with pytest.raises(ConfigError, match="cannot be written"):
        from_guide(partition={field: 2**53})


def test_a_model_too_large_to_be_made_is_refused_by_its_document():
    with pytest.raises(ConfigError, match=r"4,295,229,441 parameters"):
        from_guide(
            {
                "hidden_size": [65_536, 65_536],
                "architecture": {"input_dim": 1, "output_dim": 1},
                "loss": "bce",
            }
        )


def test_a_network_of_quantities_has_linear_outputs_and_their_metrics_unless_it_says_otherwise():
    config = from_guide({"architecture": {"input_dim": 5, "output_dim": 1}, "loss": "mse", "metrics": None})
    assert isinstance(config.model, NeuralNetwork)
    assert (config.model.output_activation, config.training.metrics) == ("linear", ("mse", "r2"))


def test_a_single_output_under_softmax_would_always_be_one_and_is_refused():
    architecture = {"input_dim": 5, "output_dim": 1, "output_activation": "softmax"}
    with pytest.raises(ConfigError, match="always 1"):
        from_guide({"architecture": architecture, "loss": "mse", "metrics": None})
