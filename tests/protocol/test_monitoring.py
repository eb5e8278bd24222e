"""What Python computes of a monitoring round and what PeerMonitoring computes is the same, on a real chain."""

import secrets
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devnet.accounts import LocalAccounts
from devnet.anvil import Anvil
from protocol import monitoring
from protocol.chain import Chain
from protocol.deployment import Deployment
from protocol.enums import Level, ReportKind
from protocol.lottery import MAX_TICKET
from protocol.sender import Sender

actives = st.integers(min_value=1, max_value=2**32 - 1)
sizes = st.integers(min_value=1, max_value=32)


@given(actives, sizes)
def test_a_threshold_draws_the_wanted_number_in_expectation(active: int, size: int):
    drawn = monitoring.threshold(active, size)
    if active <= size:
        assert drawn == MAX_TICKET
    else:
        assert abs(drawn * active - MAX_TICKET * size) <= active * size


def test_reports_are_opened_in_the_order_of_their_targets_and_no_more_than_fit():
    reports = [monitoring.Report(target=f"0x{n:040x}", kind=ReportKind.OFFLINE) for n in range(40, 0, -1)]
    opened = monitoring.opening(reports, bytes(32))
    targets = [int(report.target, 16) for report in opened.reports]
    assert targets == list(range(1, monitoring.MAX_TARGETS + 1))


def test_a_node_is_never_its_own_target():
    nodes = [f"0x{n:040x}" for n in range(1, 9)]
    assert monitoring.targets_of(nodes[3], nodes, seed=7, active=8, size=8) == tuple(nodes[:3] + nodes[4:])


def test_levels_begin_where_they_say():
    starts = {0: Level.BRONZE, 500_000: Level.SILVER, 650_000: Level.GOLD, 800_000: Level.PLATINUM}
    for least, level in (starts | {900_000: Level.DIAMOND}).items():
        assert monitoring.level_of(least) is level
        assert least == 0 or monitoring.level_of(least - 1) is not level


@pytest.fixture
async def chain(anvil: Anvil, deployment: Deployment) -> AsyncIterator[Chain]:
    async with Chain.connect(anvil.url, deployment) as connected:
        yield connected


async def test_a_commitment_is_the_contracts(chain: Chain, accounts: LocalAccounts):
    reports = [
        monitoring.Report(
            target=accounts.node(n).address, kind=ReportKind(n % 6), evidence=secrets.token_bytes(32)
        )
        for n in range(7)
    ]
    opened = monitoring.opening(reports, secrets.token_bytes(32))
    monitor = accounts.node(8).address
    expected = await chain.call(chain.monitoring.functions.commitmentOf(11, monitor, *opened.as_arguments()))
    assert monitoring.commitment(11, monitor, opened) == expected


async def test_a_challenges_round_is_the_contracts(chain: Chain, accounts: LocalAccounts):
    target = accounts.node(0).address
    expected = await chain.call(chain.monitoring.functions.challengeId(5, target))
    assert monitoring.challenge_round(5, target) == expected


async def test_who_watches_whom_is_the_contracts(anvil: Anvil, chain: Chain, accounts: LocalAccounts):
    length = (await chain.call(chain.monitoring.functions.settings()))[0]
    epoch = await chain.block_number() // length + 1
    await anvil.mine(epoch * length + 1 - await chain.block_number())
    await Sender(chain, accounts.relayer).send(chain.monitoring.functions.openRound(epoch), label="open")
    seed, active = await chain.call(chain.monitoring.functions.drawOf(epoch))
    nodes = [accounts.node(n).address for n in range(3)]
    size = (await chain.call(chain.monitoring.functions.settings()))[6]
    assert await chain.call(chain.monitoring.functions.thresholdOf(epoch)) == monitoring.threshold(
        active, size
    )
    for monitor in nodes:
        targets = monitoring.targets_of(monitor, nodes, seed=seed, active=active, size=size)
        for node in nodes:
            assert monitoring.ticket(seed, node, monitor) == await chain.call(
                chain.monitoring.functions.ticketOf(epoch, node, monitor)
            )
            drawn = await chain.call(chain.monitoring.functions.isMonitorOf(epoch, node, monitor))
            assert drawn == (node in targets)
