"""Learning sessions through the command line: checked, priced, created, followed, and their models fetched."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from client.federated.reading import read_config
from learning.assignment import PartitionIndex, check_all, read_list
from learning.model_spec import NeuralNetwork
from learning.networks import initial_state
from learning.tensors import to_safetensors
from protocol.cid import cid_to_digest
from protocol.content import IpfsStore
from protocol.money import USDFC
from protocol.parts import fetch_parts
from tests.client.cli import Cli
from tests.client.sessions import SMALL, create, table

MODEL_CONFIG = """
{
  "hidden_size": 128,
  "architecture": {
    "input_dim": 784,
    "output_dim": 10,
    "activation": "relu",
    "output_activation": "softmax"
  },
  "optimizer": {
    "type": "sgd",
    "momentum": 0.9,
    "weight_decay": 0.0001
  },
  "loss": "cross_entropy",
  "metrics": ["accuracy"]
}
"""


@pytest.fixture
def model_config(tmp_path: Path) -> Path:
    path = tmp_path / "model_config.json"
    path.write_text(MODEL_CONFIG)
    return path


async def test_the_guide_s_command_creates_a_session(
    shell: Callable[..., Cli], chain, tmp_path: Path, model_config: Path, settings
):
    """Its very flags, on a file of the shape that its `model_config.json` names."""
    cli, images = shell("payer"), tmp_path / "images.csv"
    images.write_text(table(60, 784))
    cid = (await cli("storage", "upload-file", str(images))).out.strip()
    ran = await cli(
        "fl", "create-session",
        "--name", "Image Classification",
        "--model-type", "neural_network",
        "--dataset-cid", cid,
        "--total-rounds", "10",
        "--min-participants", "3",
        "--aggregation-method", "fedavg",
        "--learning-rate", "0.001",
        "--batch-size", "32",
        "--local-epochs", "5",
        "--config-file", str(model_config),
        "--yes",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    session = bytes.fromhex(ran.out.strip()[2:])
    terms = await chain.call(chain.federated.functions.termsOf(session))
    config = await read_config(IpfsStore(settings.ipfs_api), bytes(terms[18]))
    assert config.name == "Image Classification"
    assert config.dataset.cid == cid
    assert (config.training.rounds, config.training.min_participants) == (10, 3)
    assert (config.training.local_epochs, config.training.batch_size) == (5, 32)
    assert config.training.learning_rate == Decimal("0.001")
    assert config.training.optimizer.momentum == Decimal("0.9")
    assert config.model.type == "neural_network"
    assert config.model.hidden == (128,)
    assert "escrowed" in ran.err
    assert "network fee" in ran.err


async def test_what_participants_need_lies_on_ipfs_before_the_session_is_on_chain(
    shell: Callable[..., Cli], data: Path, settings
):
    created = (await create(shell("payer"), data, "--split-strategy", "non_iid", "--alpha", "1")).json
    store = IpfsStore(settings.ipfs_api)
    config = await read_config(store, cid_to_digest(created["configCid"]))
    assert config.partition.index is not None
    index = PartitionIndex.parse(await store.get(bytes.fromhex(config.partition.index)))
    lists = [await fetch_parts(store, bytes.fromhex(place.parts), max_bytes=10_000) for place in index.lists]
    check_all(lists, config.partition)
    assert index.evaluation is not None
    held = await fetch_parts(store, bytes.fromhex(index.evaluation.parts), max_bytes=10_000)
    rows = [read_list(content, samples=index.samples) for content in (*lists, held)]
    assert [len(one) for one in rows] == [*(place.samples for place in index.lists), 24]
    assert np.array_equal(np.sort(np.concatenate(rows)), np.arange(120))


async def test_a_dry_run_says_the_price_and_leaves_everything_as_it_was(
    shell: Callable[..., Cli], data: Path, depositor
):
    before = await depositor.balance()
    ran = await shell("payer")("fl", "create-session-with-data", str(data), *SMALL, "--dry-run", "--json")
    assert ran.code == 0, ran.err
    assert int(ran.json["order"]["budget"]) == 2 * (3 * USDFC // 10 + 3 * USDFC // 10 + 4 * USDFC // 100)
    assert ran.json["samples"] == [32, 32, 32]
    assert await depositor.balance() == before


async def test_a_budget_is_the_most_that_a_session_costs(shell: Callable[..., Cli], data: Path, chain):
    created = (await create(shell("payer"), data, "--budget", "5")).json
    assert int(created["order"]["budget"]) <= 5 * USDFC < int(created["order"]["budget"]) + 12 * 2
    session = bytes.fromhex(created["sessionId"][2:])
    purse = await chain.call(chain.federated.functions.purseOf(session))
    held = await chain.call(chain.wallet.functions.accountOf(purse))
    assert held[1] == int(created["order"]["budget"])


async def test_tokens_in_the_account_pay_where_nothing_is_deposited(shell: Callable[..., Cli], data: Path):
    created = await create(shell("client"), data)
    assert created.code == 0, created.err
    seen = (await shell("client")("fl", "get-session", created.json["sessionId"], "--json")).json
    assert seen["phase"] == "joining"
    assert seen["name"] == "Small"


# Each is refused before anything is stored or signed, by the flag's own name.
@pytest.mark.parametrize(
    ("flags", "flag", "remedy"),
    [
        (("--secure-aggregation", "--min-participants", "3", "--aggregation-method", "multi_krum"), "--secure-aggregation", "fedavg"),
        (("--secure-aggregation", "--max-participants", "10"), "--min-participants", "6"),
        (("--enable-differential-privacy",), "--enable-differential-privacy", "--secure-aggregation"),
        (("--noise-multiplier", "2"), "--noise-multiplier", "--enable-differential-privacy"),
        (("--alpha", "0.1"), "--alpha", "non_iid"),
        (("--split-strategy", "dirichlet"), "--split-strategy", "non_iid"),
        (("--split-strategy", "non_iid", "--alpha", "0"), "--alpha", ""),
        (("--split-strategy", "natural_id"), "--group", "--group"),
        (("--min-samples", "1000"), "--min-samples", ""),
        (("--min-participants", "5"), "--min-participants", ""),
        (("--aggregation-method", "best"), "--aggregation-method", ""),
        (("--aggregation-method", "krum", "--hostile", "4"), "--hostile", ""),
        (("--learning-rate", "fast"), "--learning-rate", ""),
        (("--audit-rate", "2"), "--audit-rate", ""),
        (("--audit-rate", "1", "--secure-aggregation"), "--audit-rate", "re-execute"),
        (("--asynchronous", "2", "--min-participants", "3"), "--asynchronous", "min_participants"),
        (("--asynchronous", "3", "--secure-aggregation"), "--asynchronous", "in step"),
        (("--asynchronous", "3", "--aggregation-method", "median"), "--asynchronous", "fedavg"),
        (("--max-staleness", "3"), "--max-staleness", "--asynchronous"),
        (("--model-type", "perceptron"), "--model-type", "neural_network"),
        (("--model-type", "random_forest", "--compression", "int8"), "--compression", "random_forest"),
        (("--target", "colour"), "--target", "pixel0"),
        (("--evaluation-share", "0"), "--evaluation-share", ""),
        (("--budget", "0.01"), "--budget", ""),
        (("--budget", "1", "--reward", "1"), "--budget", "--reward"),
        (("--bond", "0.0001"), "--bond", "0.1"),
        (("--aggregators", "99"), "--aggregators", ""),
        (("--round-time", "1000000"), "--round-time", "3600"),
        (("--config-file", "/nowhere.json"), "--config-file", ""),
        (("--dataset-format", "xml"), "--dataset-format", "csv"),
    ],
)  # fmt: skip
async def test_what_does_not_fit_is_refused_by_its_flag_before_money_moves(
    shell: Callable[..., Cli], data: Path, flags: tuple[str, ...], flag: str, remedy: str
):
    ran = await create(shell("payer"), data, *flags)
    assert ran.code == 2, ran.err
    assert f"error: {flag}: " in ran.err
    assert "hint: " in ran.err
    assert remedy in ran.err
    assert ran.out == ""


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("a,b,label\n1,,0\n2,3,1\n", "error: column 'b': row 1 has '' where a number is expected"),
        (
            "a,b,label\n1,red,0\n2,blue,1\n",
            "error: column 'b': holds words such as 'red', where numbers are expected",
        ),
        ("a,b,label\n1,2,cat\n2,3,cat\n", "error: --target: every sample is of the same class"),
        ("a,b,label\n1,2,\n2,3,1\n", "error: column 'label': row 1 has '' for a class"),
        ("a,b,label\n1,2,-1\n2,3,1\n", "error: column 'label': holds whole numbers from -1 to 1"),
        ("label\n1\n0\n", "error: data set: there is no column besides the target"),
        ("a,b,label\n", "error: data set: no samples"),
    ],
)
async def test_data_that_cannot_be_learned_from_are_refused_with_the_place(
    shell: Callable[..., Cli], tmp_path: Path, lines: str, said: str
):
    path = tmp_path / "data.csv"
    path.write_text(lines)
    ran = await create(shell("payer"), path)
    assert ran.code == 2, ran.err
    assert said in ran.err
    assert ran.out == ""


async def test_a_model_that_does_not_fit_the_data_is_refused(
    shell: Callable[..., Cli], data: Path, model_config: Path
):
    ran = await create(shell("payer"), data, "--config-file", str(model_config))
    assert ran.code == 2
    assert "4 columns, but the model takes 784" in ran.err


@pytest.mark.parametrize(
    ("content", "said"),
    [("{", "not JSON"), ('{"architecture":{"input_dim":4,"output_dim":3},"optimiser":{}}', "optimiser")],
)
async def test_a_model_s_file_that_is_wrong_is_named(
    shell: Callable[..., Cli], data: Path, tmp_path: Path, content: str, said: str
):
    (tmp_path / "m.json").write_text(content)
    ran = await create(shell("payer"), data, "--config-file", str(tmp_path / "m.json"))
    assert ran.code == 2
    assert said in ran.err


async def test_a_session_may_begin_with_weights_from_a_file_which_lie_on_ipfs_then(
    shell: Callable[..., Cli], data: Path, tmp_path: Path, settings
):
    model = NeuralNetwork(input_dim=4, output_dim=3, hidden=(8,))
    weights = tmp_path / "before.safetensors"
    weights.write_bytes(to_safetensors(initial_state(model, seed=5)))
    (tmp_path / "m.json").write_text('{"hidden_size":8,"architecture":{"input_dim":4,"output_dim":3}}')
    flags = ("--config-file", str(tmp_path / "m.json"), "--start-from", str(weights), "--no-standardize")

    created = (await create(shell("payer"), data, *flags)).json

    store = IpfsStore(settings.ipfs_api)
    config = await read_config(store, cid_to_digest(created["configCid"]))
    laid = await fetch_parts(store, bytes.fromhex(config.model.init or ""), max_bytes=1 << 20)
    assert laid == weights.read_bytes()


@pytest.mark.parametrize(
    ("content", "more", "said"),
    [
        (b"none", (), "not the weights of the session's model"),
        (None, (), "cannot be read"),
        (b"none", ("--model-type", "random_forest"), "begins without trees"),
    ],
)
async def test_weights_that_are_not_the_model_s_are_refused(
    shell: Callable[..., Cli],
    data: Path,
    tmp_path: Path,
    content: bytes | None,
    more: tuple[str, ...],
    said: str,
):
    path = tmp_path / "before.safetensors"
    if content is not None:
        path.write_bytes(content)
    ran = await create(shell("payer"), data, "--start-from", str(path), *more)
    assert (ran.code, ran.out) == (2, "")
    assert "error: --start-from: " in ran.err
    assert said in ran.err


async def test_words_for_classes_become_numbers(shell: Callable[..., Cli], tmp_path: Path, settings):
    rows = [f"{i % 7},{i % 5},{'cat' if i % 2 else 'dog'}" for i in range(40)]
    path = tmp_path / "animals.csv"
    path.write_text("\n".join(["a,b,animal", *rows]))
    created = (await create(shell("payer"), path)).json
    config = await read_config(IpfsStore(settings.ipfs_api), cid_to_digest(created["configCid"]))
    assert config.dataset.target == "animal"
    assert config.dataset.labels == ("cat", "dog")
    assert config.model.output_dim == 2


async def test_without_enough_money_nothing_is_created(shell: Callable[..., Cli], data: Path):
    ran = await create(shell("payer"), data, "--reward", "100000")
    assert ran.code == 3
    assert "USDFC" in ran.err


async def test_private_data_need_a_file_to_judge_rounds_on(
    shell: Callable[..., Cli], data: Path, tmp_path: Path
):
    cli = shell("payer")
    flags = ("fl", "create-session", *SMALL, "--private-data", "--yes", "--json")
    refused = await cli(*flags)
    assert refused.code == 2
    assert "--evaluation-cid" in refused.err
    (tmp_path / "m.json").write_text('{"architecture":{"input_dim":4,"output_dim":3}}')
    cid = (await cli("storage", "upload-file", str(data))).out.strip()
    created = await cli(*flags, "--evaluation-cid", cid, "--config-file", str(tmp_path / "m.json"))
    assert created.code == 0, created.err
    assert created.json["order"]["flags"] == 2


async def test_a_session_is_not_started_before_its_time_and_refunds_when_nobody_came(
    shell: Callable[..., Cli], data: Path, anvil, depositor
):
    cli, before = shell("payer"), await depositor.balance()
    created = (await create(cli, data, "--join-time", "10")).json
    early = await cli("fl", "start-session", created["sessionId"], "--yes")
    assert early.code == 2
    assert "until block" in early.err
    await anvil.mine(50)
    started = await cli("fl", "start-session", created["sessionId"], "--yes", "--json")
    assert started.code == 0, started.err
    assert started.json["phase"] == "failed"
    assert (await depositor.balance()).free == before.free
    watched = await cli("fl", "watch-session", created["sessionId"])
    assert watched.code == 1
    assert "refunded" in watched.err


async def test_a_session_can_be_cancelled_while_runners_join(
    shell: Callable[..., Cli], data: Path, depositor
):
    cli, before = shell("payer"), await depositor.balance()
    session = (await create(cli, data)).json["sessionId"]
    assert (await cli("fl", "cancel-session", session, "--yes")).code == 0
    assert (await cli("fl", "get-session", session, "--json")).json["phase"] == "cancelled"
    assert (await depositor.balance()).free == before.free


async def test_a_session_that_there_is_not_is_said_so(shell: Callable[..., Cli], tmp_path: Path):
    for argv in (
        ("get-session", "0x" + "ab" * 32),
        ("get-model", "0x" + "ab" * 32, "-o", str(tmp_path / "m")),
    ):
        ran = await shell()("fl", *argv)
        assert ran.code == 1
        assert "no such session" in ran.err
    ran = await shell()("fl", "watch-session", "0x12")
    assert ran.code == 2
