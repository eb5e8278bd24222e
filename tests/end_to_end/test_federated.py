"""Federated learning as its tutorial and how-to say, with runners that are real processes."""

import asyncio
import json
import re

import pytest

from devnet.paths import ROOT
from tests.end_to_end.test_tutorial import commands

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.slow,
]  # tests/runner/federated has the same commands without a network

SECURE = """
parity-client fl create-session --name Secure --dataset-cid "$(cat dataset.cid)" --config-file model_config.json \
  --total-rounds 1 --min-participants 3 --learning-rate 0.1 --divide-by 16 --secure-aggregation \
  --enable-differential-privacy --noise-multiplier 0.1 --l2-norm-clip 2 --yes > secure.id
parity-client fl watch-session "$(cat secure.id)" --json > secure.json
parity-client fl get-model "$(cat secure.id)" -o secure.safetensors --json
"""


def figure(text: str, name: str) -> float:
    found = re.findall(rf"^ +{name} +([0-9.]+)$", text, flags=re.MULTILINE)
    assert found, text
    return float(found[-1])


async def test_the_tutorial_s_runners_train_a_model_that_its_client_fetches_and_measures(
    network, shell, tmp_path
):
    blocks = commands("first-federated-session", server=network.endpoints.server)
    assert len(blocks) >= 7
    done = await asyncio.to_thread(shell, "\n".join([*blocks, SECURE]))
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert figure(done.stdout, "accuracy") > 0.85
    digests = re.findall(r"\b[0-9a-f]{64}\b", done.stdout)
    assert max(digests.count(one) for one in digests) >= 3, (
        "the file, the command and the chain say one digest"
    )

    secure = json.loads((tmp_path / "secure.json").read_text())
    assert (secure["phase"], secure["secure"]) == ("finished", True)
    assert secure["roundList"][0]["figures"]["epsilon"] > 0
    assert all(one["accepted"] == 1 for one in secure["participants"])


def test_the_python_of_the_how_to_is_python_that_names_what_there_is():
    page = (ROOT / "docs" / "how-to" / "train-a-model.md").read_text()
    (source,) = re.findall(r"^```python\n(.*?)^```", page, flags=re.DOTALL | re.MULTILINE)
    scope: dict[str, object] = {}
    exec(compile(source, "train-a-model.md", "exec"), scope)
    assert asyncio.iscoroutinefunction(scope["train"])
