"""Starting every part by hand: the commands of the deployment guide, and our page that has them, run as they are written."""

import asyncio
import json
import re
import time

import pytest
from eth_account import Account

from devnet.paths import ROOT
from devnet.ports import free_port
from protocol.chain import Chain
from protocol.sender import Sender

pytestmark = pytest.mark.timeout(900)
PAGE = ROOT / "docs" / "tutorials" / "every-part.md"
SDK = ROOT / "docs" / "how-to" / "use-the-sdk.md"
GUIDE = (
    "parity-server auth --private-key YOUR_PRIVATE_KEY",
    "parity-server server",
    "parity-runner auth --private-key YOUR_PRIVATE_KEY",
    "parity-runner runner",
    (
        'parity-client llm submit --prompt "Explain quantum computing" --model "llama2" '
        '--creator-address "0x123..." --client-id "my-app"'
    ),
    (
        'parity-client fl create-session --name "Image Classification" --model-type neural_network '
        "--dataset-cid QmXXX... --total-rounds 10 --min-participants 3 --aggregation-method fedavg "
        "--learning-rate 0.001 --batch-size 32 --local-epochs 5 --config-file model_config.json"
    ),
    "parity-client reputation status --runner-id YOUR_DEVICE_ID",
    'parity-client llm billing --client-id "my-app"',
)
"""The guide's sections 4 to 6, without its `./` and line breaks."""

# A daemon runs until it is seen to work, and is stopped then; if it ends by itself the script fails.
SERVER = """
parity-server server >server.log 2>&1 &
server=$!
until curl -sf "http://127.0.0.1:$SERVER_PORT/ready" >/dev/null; do kill -0 $server; sleep 0.3; done
kill -TERM $server
wait $server
"""
RUNNER = """
parity-runner runner >runner.log 2>&1 &
runner=$!
until parity-runner status 2>/dev/null | grep -q '^engine   ready'; do kill -0 $runner; sleep 0.5; done
parity-runner drain
wait $runner
"""
WALLET = """
export WALLET=$(parity-client balance --json | python -c 'import json, sys; print(json.load(sys.stdin)["account"])')
"""

SESSION = re.compile(r"(parity-client fl create-session .*?--config-file model_config\.json)", re.DOTALL)
"""Nothing of the session itself is looked at here: it is cancelled at once."""


def images(count):
    """Give a table of black pictures with a label each."""
    header = ["label", *(f"pixel{number}" for number in range(784))]
    rows = ([label % 10, *[0] * 784] for label in range(count))
    return "".join(",".join(map(str, row)) + "\n" for row in (header, *rows))


def blocks(path, language):
    return re.findall(rf"^```{language}\n(.*?)^```", path.read_text(), flags=re.DOTALL | re.MULTILINE)


def flat(text):
    return " ".join(text.replace("\\\n", " ").split())


def test_the_page_has_every_command_of_the_guide():
    page = flat("\n".join(blocks(PAGE, "bash"))).replace(" --yes", "")

    for command in GUIDE:
        assert command in page, command


@pytest.fixture
async def node(network):
    """A node key with coin for its fees, which is no runner any more when the test is over."""
    account = Account.create()
    async with Chain.connect(network.endpoints.chain, network.deployment) as chain:
        await chain.w3.provider.make_request("anvil_setBalance", [account.address, hex(10**18)])
        yield account
        if (await chain.call(chain.reputation.functions.runnerOf(account.address)))[3] == 1:
            retire = chain.reputation.functions.retire(account.address)
            await Sender(chain, account).send(retire, label="retire")


async def test_every_command_of_the_page_works_as_written(shell, node, tmp_path):
    (tmp_path / "model_config.json").write_text(blocks(PAGE, "json")[0])
    (tmp_path / "images.csv").write_text(images(60))
    server_key = Account.create().key.hex()
    script = "\n".join(blocks(PAGE, "bash"))
    script = script.replace("YOUR_PRIVATE_KEY", server_key, 1).replace("YOUR_PRIVATE_KEY", node.key.hex(), 1)
    script = script.replace("parity-server server\n", SERVER).replace("parity-runner runner\n", RUNNER)
    script = script.replace("parity-client auth --new\n", f"parity-client auth --new\n{WALLET}")
    script = script.replace("0x123...", "$WALLET").replace("YOUR_DEVICE_ID", node.address)
    script = script.replace('"llama2"', '"smollm2:135m"')
    script = script.replace("QmXXX...", "$(parity-client storage upload-file images.csv)")
    script = SESSION.sub(r'parity-client fl cancel-session --yes "$(\1)"', script)
    done = await asyncio.to_thread(shell, f"export SERVER_PORT={free_port()}\n{script}")

    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert done.stderr.count("warning:") == 2, "a key on the command line is warned of"
    assert server_key not in done.stdout + done.stderr
    assert "eligible: it may take seats" in done.stdout
    billed = 'parity-client llm billing --client-id "my-app" --json'
    until = time.monotonic() + 120
    while time.monotonic() < until:
        bills = json.loads((await asyncio.to_thread(shell, billed)).stdout)
        if bills and int(bills[0]["cost"]):
            break
        await asyncio.sleep(1)
    assert [(bill["clientId"], bill["requests"]) for bill in bills] == [("my-app", 1)]


async def test_every_example_of_the_sdk_page_runs(shell, tmp_path):
    wallet = blocks(ROOT / "docs" / "tutorials" / "first-prompt.md", "bash")[2:4]
    examples = blocks(SDK, "python")
    for number, example in enumerate(examples):
        (tmp_path / f"example{number}.py").write_text(example)
    runs = [f"python example{number}.py" for number in range(len(examples))]
    done = await asyncio.to_thread(shell, "\n".join([*wallet, *runs]))

    assert len(examples) == 3
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert "base units" in done.stdout
    assert "active runners" in done.stdout
    assert "account: none is connected" in done.stdout
