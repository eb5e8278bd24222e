"""Whatever a node answers, what asks it fails with an error of ours that names the node, and never with another."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from client.logs import Span, read_events
from client.money import read_balance
from devnet.accounts import LOCAL
from devnet.anvil import Anvil
from protocol.chain import Chain
from protocol.deployment import Deployment
from protocol.errors import ParityError
from protocol.sender import Sender
from runner.escrow import Escrow
from tests.bent_node import BentNode

ROUNDS = 60


async def failures(ask: Callable[[], Awaitable[object]], *, rounds: int = ROUNDS) -> list[BaseException]:
    """Ask again and again; give what was raised that is no error of ours."""
    found: list[BaseException] = []
    for _ in range(rounds):
        try:
            async with asyncio.timeout(5):
                await ask()
        except ParityError:
            continue
        except Exception as error:  # noqa: BLE001 (what else comes is what is looked for)
            found.append(error)
    return found


@pytest.mark.parametrize("what", ["height", "balance", "events", "task", "sending"])
async def test_an_answer_that_makes_no_sense_is_an_error_of_ours(
    anvil: Anvil, deployment: Deployment, what: str
) -> None:
    async with (
        BentNode(anvil.url, seed=len(what), share=0).serving() as node,
        Chain.connect(node.url, deployment) as chain,
    ):
        sender = Sender(chain, LOCAL.outsider)
        asks: dict[str, Callable[[], Awaitable[object]]] = {
            "height": chain.block_number,
            "balance": lambda: read_balance(chain, LOCAL.payer.address),
            "events": lambda: read_events(chain, "StakeWallet", names=("Deposited",), span=Span(0, 100)),
            "task": lambda: Escrow(chain).view(bytes(32), node="nobody"),
            "sending": lambda: sender.send(
                chain.token.functions.mint(LOCAL.outsider.address, 1), label="mint"
            ),
        }
        node.share = 0.5
        found = await failures(asks[what], rounds=8 if what == "sending" else ROUNDS)
        assert node.bent > 3
        assert found == []
        node.share = 0
        await asks[what]()
