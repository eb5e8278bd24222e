"""Learning sessions under way: watched, ended, and their models fetched, checked and measured."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from client.federated.reading import read_config
from learning import networks
from learning.model_card import Counted, LeftOut, ModelCard, ModelFile
from learning.session_config import SessionConfig
from learning.tensors import digest as weights_digest
from learning.tensors import flatten, to_safetensors
from protocol.content import IpfsStore
from protocol.parts import store_parts
from protocol.sender import Sender
from protocol.session import Aggregate, SessionOrder
from tests.client.cli import Cli
from tests.client.sessions import create
from tests.indexer.learning import Learning


@pytest.fixture
async def played(shell: Callable[..., Cli], data: Path, chain, anvil, accounts, settings) -> Learning:
    """A session of the command line, in which three runners have joined; the test plays their part."""
    created = (await create(shell("payer"), data)).json
    order = SessionOrder.from_json(created["order"])
    nodes = [Sender(chain, accounts.node(number)) for number in range(3)]
    learning = Learning(chain, anvil, Sender(chain, accounts.payer), nodes, order)
    await learning.join()
    return learning


async def finish_round(
    played: Learning,
    store: IpfsStore,
    *,
    content: bytes | None = None,
    loss: str = "0.5",
    accepted: int = 0b111,
    caught: int = 0,
) -> bytes:
    """Play a round to its end; gives the model's bytes."""
    await played.train()
    await played.reveal()
    config = await read_config(store, played.order.config)
    layout = networks.layout(config.model)
    state = networks.initial_state(config.model, seed=100 + played.round)
    model = to_safetensors(state) if content is None else content
    stored = await store_parts(store, model)
    card = ModelCard(
        session="0x" + played.id.hex(),
        config=config.digest().hex(),
        round=played.round - 1,
        parents=("0" * 64,),
        model=weights_digest(flatten(state, layout)).hex(),
        file=ModelFile(sha256=stored.sha256.hex(), parts=stored.root.hex(), size=stored.size),
        method="fedavg",
        counted=(Counted(participant="p002", update="0" * 64, weight=17, late=2),),
        stands=True,
        loss=loss,
        metrics={"accuracy": "0.75"},
        left_out=(LeftOut(participant="p001", reason="changes nothing"),),
        samples=24,
    )
    manifest = await store.add(card.canonical())
    made = Aggregate(model=stored.sha256, manifest=manifest, accepted=accepted, caught=caught)
    await played.aggregate(made=made)
    return model


async def test_a_session_is_watched_to_its_end_and_its_model_is_the_chain_s(
    shell: Callable[..., Cli], played: Learning, data: Path, settings, tmp_path: Path
):
    store, name = IpfsStore(settings.ipfs_api), "0x" + played.id.hex()
    first = await finish_round(played, store, loss="0.5")
    last = await finish_round(played, store, loss="0.25")

    watched = await shell()("fl", "watch-session", name, "--json", "--timeout", "60")
    assert watched.code == 0, watched.err
    assert watched.json["phase"] == "finished"
    assert [one["figures"]["loss"] for one in watched.json["roundList"]] == [0.5, 0.25]
    assert [one["figures"]["metrics"] for one in watched.json["roundList"]] == [{"accuracy": 0.75}] * 2
    assert "round 1 of 2" in watched.err
    assert "accuracy 0.7500" in watched.err
    assert "rounds late: p002 by 2" in watched.err
    assert "round 2: p001 left out: changes nothing" in watched.err
    assert "round 1: p001 left out: changes nothing" in (await shell()("fl", "get-session", name)).out
    assert [one["accepted"] for one in watched.json["participants"]] == [2, 2, 2]
    earned = [int(one["earned"]) for one in watched.json["participants"]]
    assert sum(earned) == sum(int(one["pay"]) for one in watched.json["roundList"])
    assert len(set(earned)) == 1

    for argv, wanted in (((), last), (("--round", "1"), first)):
        path = tmp_path / f"model{len(argv)}.safetensors"
        got = await shell()("fl", "get-model", name, "-o", str(path), *argv, "--json")
        assert got.code == 0, got.err
        assert path.read_bytes() == wanted
        assert got.json["sha256"] == hashlib.sha256(wanted).hexdigest()
        card = json.loads(path.with_name(path.name + ".card.json").read_text())
        assert card["chainModel"] == "0x" + hashlib.sha256(wanted).hexdigest()
        assert SessionConfig.build(card["config"]).digest() == played.order.config

    measured = await shell()("fl", "evaluate", str(path), str(data), "--json")
    assert measured.code == 0, measured.err
    assert measured.json["samples"] == 120
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("pixel0,label\n1,0\n")
    refused = await shell()("fl", "evaluate", str(path), str(wrong))
    assert refused.code == 2
    assert "error: DATA: pixel1: there is no such column; there are pixel0, label" in refused.err
    path.write_bytes(last[:-1] + b"\1")
    changed = await shell()("fl", "evaluate", str(path), str(data))
    assert changed.code == 1
    assert "not the model that its card names" in changed.err


async def test_what_is_no_model_of_the_session_is_refused_though_aggregators_agreed_on_it(
    shell: Callable[..., Cli], played: Learning, settings, tmp_path: Path
):
    await finish_round(played, IpfsStore(settings.ipfs_api), content=b"not weights at all")
    got = await shell()("fl", "get-model", "0x" + played.id.hex(), "-o", str(tmp_path / "m"))
    assert got.code == 1
    assert "neural_network" in got.err
    assert not (tmp_path / "m").exists()


async def test_a_session_without_a_settled_round_has_no_model(
    shell: Callable[..., Cli], played: Learning, tmp_path: Path
):
    got = await shell()("fl", "get-model", "0x" + played.id.hex(), "-o", str(tmp_path / "m"))
    assert got.code == 1
    assert "no round has succeeded" in got.err
    seen = (await shell()("fl", "get-session", "0x" + played.id.hex(), "--json")).json
    assert (seen["phase"], seen["round"], seen["members"]) == ("training", 1, 3)


async def test_a_watch_that_is_cut_off_says_how_to_go_on(shell: Callable[..., Cli], played: Learning):
    ran = await shell()("fl", "watch-session", "0x" + played.id.hex(), "--timeout", "1")
    assert ran.code == 4
    assert f"parity-client fl watch-session 0x{played.id.hex()}" in ran.err


async def test_who_is_caught_is_shown_with_what_it_lost(
    shell: Callable[..., Cli], played: Learning, settings
):
    await finish_round(played, IpfsStore(settings.ipfs_api), accepted=0b011, caught=0b100)
    shown = await shell()("fl", "get-session", "0x" + played.id.hex(), "--json")
    assert shown.code == 0, shown.err
    cheat = shown.json["participants"][2]
    assert (cheat["caught"], cheat["out"], cheat["missed"]) == (True, True, 0)
    assert int(cheat["slashed"]) == played.order.bond // 2
    assert "caught" in (await shell()("fl", "get-session", "0x" + played.id.hex())).out
