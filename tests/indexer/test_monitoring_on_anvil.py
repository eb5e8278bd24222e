"""Monitoring rounds on the real contracts: tables, contracts and a fresh fold agree."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from devnet.accounts import LocalAccounts
from devnet.anvil import Anvil
from indexer.fold.monitoring import key_of
from indexer.settings import IndexerSettings
from protocol import monitoring
from protocol.chain import Chain
from protocol.commitment import new_salt
from protocol.deployment import Deployment, save_deployment
from protocol.enums import ReportKind
from protocol.sender import Sender
from tests.indexer.test_on_anvil import assert_verified, fetch, indexer
from tests.monitored import RUNNERS, enlist


class Watch:
    """Five runners of five owners, few enough that each watches all others."""

    def __init__(self, chain: Chain, anvil: Anvil, accounts: LocalAccounts) -> None:
        self.chain = chain
        self.anvil = anvil
        self.nodes = [Sender(chain, accounts.node(number)) for number in range(RUNNERS)]
        self.owners = [Sender(chain, accounts.owner(number)) for number in range(RUNNERS)]
        self.functions = chain.monitoring.functions
        self.anyone = Sender(chain, accounts.relayer)

    async def roll(self, block: int) -> None:
        """Mine until the next transaction is in `block` or later."""
        await self.anvil.mine(max(0, block - 1 - await self.chain.block_number()))

    async def next_epoch(self) -> int:
        length = (await self.functions.settings().call())[0]
        epoch = await self.chain.block_number() // length + 1
        await self.roll(epoch * length + 1)
        await self.anyone.send(self.functions.openRound(epoch), label="open")
        return epoch

    async def report(self, round_: int, target: str, said: Sequence[tuple[int, ReportKind]]) -> None:
        """Have runners, by their numbers, report the target in a whole round."""
        openings = []
        for number, kind in said:
            opened = monitoring.opening([monitoring.Report(target=target, kind=kind)], new_salt())
            openings.append(opened)
            node = self.nodes[number]
            sealed = monitoring.commitment(round_, node.address, opened)
            await node.send(self.functions.commitReports(round_, sealed), label="commit")
        _, _, commit_by, reveal_by, _ = await self.functions.windowsOf(round_).call()
        await self.roll(commit_by + 1)
        for (number, _), opened in zip(said, openings, strict=True):
            reveal = self.functions.revealReports(round_, *opened.as_arguments())
            await self.nodes[number].send(reveal, label="reveal")
        await self.roll(reveal_by + 1)

    async def challenge(self, epoch: int, target: str, by: int) -> int:
        await self.owners[by].send(self.functions.challenge(epoch, target), label="challenge")
        round_ = monitoring.challenge_round(epoch, target)
        await self.roll((await self.functions.windowsOf(round_).call())[0] + 1)
        await self.anyone.send(self.functions.openRound(round_), label="open")
        return round_


@pytest.fixture
async def watch(anvil: Anvil, deployment: Deployment, accounts: LocalAccounts) -> AsyncIterator[Watch]:
    async with Chain.connect(anvil.url, deployment) as chain:
        made = Watch(chain, anvil, accounts)
        await enlist(chain, accounts)
        await anvil.mine(3)
        yield made


@pytest.fixture
def settings(anvil: Anvil, deployment: Deployment, postgres_url: str, tmp_path: Path) -> IndexerSettings:
    save_deployment(deployment, folder=tmp_path)
    return IndexerSettings(
        database_url=postgres_url,
        filecoin_rpc=anvil.url,
        filecoin_chain_id=deployment.chain_id,
        deployments_dir=tmp_path,
        indexer_port=0,
        ipfs_api="/ip4/127.0.0.1/tcp/1/http",
    )


async def test_an_epoch_with_a_verdict_and_a_silent_monitor_adds_up(
    watch: Watch, settings: IndexerSettings, anvil: Anvil
) -> None:
    target, lazy = watch.nodes[0].address, watch.nodes[4].address
    async with indexer(settings):
        epoch = await watch.next_epoch()
        await watch.report(epoch, target, [(n, ReportKind.OFFLINE) for n in (1, 2, 3)])
        await watch.anyone.send(watch.functions.conclude(epoch, [target]), label="conclude")
        await watch.anyone.send(watch.functions.reportSilent(epoch, target, lazy), label="silent")
        await assert_verified(settings, anvil)
    verdict = await fetch(settings, "SELECT * FROM public.monitoring_verdicts WHERE epoch = $1", epoch)
    assert (verdict["ruling"], verdict["kind"], verdict["agreeing"], verdict["reports"]) == (
        "agreed",
        "offline",
        3,
        3,
    )
    runner = await fetch(settings, "SELECT * FROM public.runners WHERE node = $1", bytes.fromhex(target[2:]))
    assert runner["suspended_until"] > await anvil.block_number()
    record = await fetch(
        settings, "SELECT * FROM public.runner_reputation WHERE node = $1", bytes.fromhex(lazy[2:])
    )
    assert (record["score"], record["monitor_missed"]) == (475_000, 1)


async def test_a_challenge_adds_up_with_its_bond_and_its_liars(
    watch: Watch, settings: IndexerSettings, anvil: Anvil
) -> None:
    target = watch.nodes[3].address
    async with indexer(settings):
        epoch = await watch.next_epoch()
        await watch.report(epoch, target, [(n, ReportKind.MALICIOUS_BEHAVIOR) for n in (0, 1, 2)])
        await watch.anyone.send(watch.functions.conclude(epoch, [target]), label="conclude")
        await assert_verified(settings, anvil)
        # One runner is left that did not report: too few for a quorum of judges.
        round_ = await watch.challenge(epoch, target, by=3)
        await watch.report(round_, target, [(n, ReportKind.GOOD_BEHAVIOR) for n in (4,)])
        await watch.anyone.send(watch.functions.resolve(epoch, target), label="resolve")
        await assert_verified(settings, anvil)
    verdict = await fetch(settings, "SELECT * FROM public.monitoring_verdicts WHERE epoch = $1", epoch)
    assert (verdict["ruling"], verdict["judged_kind"], verdict["judged_reports"]) == (
        "undecided",
        "good_behavior",
        1,
    )
    assert verdict["challenge_round"] == key_of(round_)
    history = await fetch(
        settings,
        "SELECT array_agg(outcome ORDER BY block_number) AS outcomes, max(ref) AS ref"
        " FROM public.reputation_events WHERE node = $1",
        bytes.fromhex(target[2:]),
    )
    assert (history["outcomes"], history["ref"]) == (["malicious_behavior", "restored"], key_of(round_))
    runner = await fetch(settings, "SELECT * FROM public.runners WHERE node = $1", bytes.fromhex(target[2:]))
    assert (runner["strikes"], runner["banned_until"]) == (0, verdict["resolved_block"])


async def test_a_reorganisation_undoes_a_round(watch: Watch, settings: IndexerSettings, anvil: Anvil) -> None:
    target = watch.nodes[0].address
    async with indexer(settings):
        epoch = await watch.next_epoch()
        await watch.report(epoch, target, [(n, ReportKind.OFFLINE) for n in (1, 2, 3)])
        await watch.anyone.send(watch.functions.conclude(epoch, [target]), label="conclude")
        await assert_verified(settings, anvil)
        await anvil.rpc("anvil_reorg", 60, [])
        await anvil.mine(2)
        await assert_verified(settings, anvil)
    left = await fetch(settings, "SELECT count(*) AS n FROM public.monitoring_verdicts")
    assert left["n"] == 0
