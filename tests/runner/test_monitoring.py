"""Runners that watch each other on a real chain: honest ones, one that lies, one that sleeps, one that is gone."""

import dataclasses
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from devnet.accounts import LocalAccounts
from devnet.anvil import Anvil
from protocol.chain import Chain
from protocol.content import IpfsStore
from protocol.deployment import Deployment
from protocol.documents import RunnerProfile, canonical
from protocol.enums import ReportKind, Ruling
from protocol.monitoring import challenge_round
from protocol.sender import Sender
from runner.journal import Journal
from runner.monitoring.duty import MonitorDuty
from runner.monitoring.openings import Openings
from runner.monitoring.opinion import Observer, Opinion, answers
from runner.monitoring.rounds import Rounds, Verdict
from runner.situation import Situation
from runner.watch import Watch
from tests.loopback import serve
from tests.monitored import RUNNERS, enlist

NOBODY = "http://127.0.0.1:9"
GONE = 0
READS = 30
"""Calls that an epoch may cost a monitor beside its transactions: whom it has to report, and what became of it."""


class Liar:
    """Accuses whom it will, and praises everybody else."""

    def __init__(self, *accused: str) -> None:
        self._accused = accused

    async def observe(self, target: str, *, epoch: int) -> None:
        pass

    async def of(self, target: str, **_: object) -> ReportKind:
        return ReportKind.MALICIOUS_BEHAVIOR if target in self._accused else ReportKind.GOOD_BEHAVIOR


@dataclass
class Peer:
    """One runner as far as monitoring goes; the test decides when it looks and acts."""

    sender: Sender
    journal: Journal
    watch: Watch
    duty: MonitorDuty

    async def step(self, chain: Chain) -> None:
        head = await chain.block_number()
        await self.watch.catch_up(head)
        await self.duty.step(head)


@dataclass
class Network:
    chain: Chain
    anvil: Anvil
    accounts: LocalAccounts
    store: IpfsStore
    hire: Callable[[int, Opinion | None], Peer]
    rounds: Rounds

    def node(self, number: int) -> str:
        return self.accounts.node(number).address

    async def next_epoch(self) -> int:
        length = (await self.rounds.settings()).epoch_length
        epoch = await self.chain.block_number() // length + 1
        await self.anvil.mine(epoch * length - await self.chain.block_number())
        return epoch

    async def live(self, peers: list[Peer], *, until_block: int) -> None:
        """Give every peer a step every four blocks, until a block is reached."""
        while await self.chain.block_number() < until_block:
            await self.anvil.mine(4)
            for peer in peers:
                await peer.step(self.chain)

    async def publish(self, number: int, url: str) -> None:
        profile = RunnerProfile(label=f"runner {number}", models=(), slots=1, url=url)
        digest = await self.store.add(canonical(profile))
        call = self.chain.reputation.functions.setProfile(self.node(number), digest)
        await Sender(self.chain, self.accounts.node(number)).send(call, label="setProfile")

    async def verdict(self, epoch: int, number: int) -> Verdict:
        return await self.rounds.verdict(epoch, self.node(number))

    async def missed(self, number: int) -> int:
        record = await self.chain.call(self.chain.reputation.functions.scoreOf(self.node(number)))
        return int(record[4])


@pytest.fixture
async def alive() -> AsyncIterator[str]:
    """The URL of a server that answers, if only to say that it has no such page."""
    async with serve(web.Application()) as url:
        yield url


@pytest.fixture
async def network(
    anvil: Anvil,
    deployment: Deployment,
    accounts: LocalAccounts,
    ipfs_api: str,
    tmp_path: Path,
    alive: str,
) -> AsyncIterator[Network]:
    async with Chain.connect(anvil.url, deployment) as chain, AsyncExitStack() as stack:
        store = IpfsStore(ipfs_api, timeout_s=5)
        await enlist(chain, accounts)

        def hire(number: int, opinion: Opinion | None) -> Peer:
            journal = stack.enter_context(Journal.open(tmp_path / f"{number}.sqlite", exclusive=False))
            situation = Situation()
            sender = Sender(chain, accounts.node(number), on_mined=situation.heard.expect)
            seen = opinion or Observer(chain, journal, store, situation.heard)
            duty = MonitorDuty(chain, sender, journal, seen, situation.heard)
            return Peer(sender, journal, Watch(chain, journal, situation), duty)

        made = Network(chain, anvil, accounts, store, hire, Rounds(chain))
        for number in range(RUNNERS):
            await made.publish(number, NOBODY if number == GONE else alive)
        yield made


async def test_who_is_gone_is_found_offline_and_who_lies_about_it_is_marked(network: Network) -> None:
    liar = 4
    peers = [network.hire(number, None) for number in (1, 2, 3)]
    peers.append(network.hire(liar, Liar(*map(network.node, (1, 2, 3)))))
    epoch = await network.next_epoch()
    windows = await network.rounds.windows(epoch)
    challenge_for = (await network.rounds.settings()).challenge_for
    await network.live(peers, until_block=windows.reveal_by + challenge_for + 40)
    gone = await network.verdict(epoch, GONE)
    assert (gone.ruling, gone.kind) == (Ruling.AGREED, ReportKind.OFFLINE)
    for number in (1, 2, 3):
        # Two honest ones and the liar watch it: nobody convicts the innocent.
        assert (await network.verdict(epoch, number)).ruling is Ruling.SPLIT
        assert await network.missed(number) == 0
    assert await network.rounds.is_marked(epoch, network.node(liar))
    assert await network.missed(liar) == 1
    assert (
        await network.rounds.said(epoch, network.node(GONE), network.node(liar)) is ReportKind.GOOD_BEHAVIOR
    )


async def test_times_are_computed_as_the_contract_does(network: Network) -> None:
    for epoch in (0, 1, 7, await network.next_epoch()):
        told = await network.chain.call(network.chain.monitoring.functions.windowsOf(epoch))
        assert list(dataclasses.astuple(await network.rounds.windows(epoch))) == list(told)


async def test_who_sleeps_is_marked_and_who_answers_is_left_alone(network: Network) -> None:
    sleeper = 4
    peers = [network.hire(number, None) for number in (1, 2, 3)]
    epoch = await network.next_epoch()
    windows = await network.rounds.windows(epoch)
    await network.live(peers, until_block=windows.reveal_by + 20)
    awake = await network.verdict(epoch, sleeper)
    assert (awake.ruling, awake.kind) == (Ruling.AGREED, ReportKind.GOOD_BEHAVIOR)
    assert await network.rounds.is_marked(epoch, network.node(sleeper))
    assert [await network.missed(number) for number in (1, 2, 3)] == [0, 0, 0]


async def test_an_epoch_of_honest_monitors_costs_each_few_reads(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    peers = [network.hire(number, None) for number in range(1, RUNNERS)]
    await network.live(peers, until_block=(await network.rounds.windows(await network.next_epoch())).open_by)
    reads = Counter[str]()
    call = Chain.call

    async def counted(chain: Chain, function: Any, **more: Any) -> Any:
        reads[function.fn_name] += 1
        return await call(chain, function, **more)

    monkeypatch.setattr(Chain, "call", counted)
    length = (await network.rounds.settings()).epoch_length
    await network.live(peers, until_block=await network.chain.block_number() + 2 * length)
    assert reads.total() / len(peers) / 2 <= READS, reads


async def test_a_monitor_that_was_killed_says_what_it_was_about_to_say(network: Network) -> None:
    epoch = await network.next_epoch()
    windows = await network.rounds.windows(epoch)
    first = network.hire(1, None)
    await network.live([first], until_block=windows.open_by)
    # Killed after the journal's write and before the commitment: another opinion must not make another one.
    Openings(first.journal).seal(epoch, [])
    sealed = Openings(first.journal).of(epoch)
    second = network.hire(1, Liar(network.node(2)))
    await network.live([second], until_block=windows.commit_by - 1)
    assert Openings(second.journal).of(epoch) == sealed
    assert Openings(second.journal).due() == [epoch]
    # Killed again, with the commitment on chain.
    third = network.hire(1, Liar(network.node(2)))
    await network.live([third], until_block=windows.commit_by + 8)
    assert await network.rounds.duty(epoch, network.node(1)) == 1
    assert Openings(third.journal).due() == []


async def test_a_judge_says_what_it_saw_and_a_challenge_ends(network: Network) -> None:
    judge, accused = 4, 3
    gang = [network.hire(number, Liar(network.node(accused))) for number in (GONE, 1, 2)]
    epoch = await network.next_epoch()
    windows = await network.rounds.windows(epoch)
    await network.live(gang, until_block=windows.reveal_by + 12)
    assert (await network.verdict(epoch, accused)).kind is ReportKind.MALICIOUS_BEHAVIOR
    target = network.node(accused)
    owner = Sender(network.chain, network.accounts.owner(accused))
    await owner.send(network.chain.monitoring.functions.challenge(epoch, target), label="challenge")
    round_ = challenge_round(epoch, target)
    until_block = (await network.rounds.windows(round_)).reveal_by + 20
    await network.live([network.hire(judge, None)], until_block=until_block)
    assert await network.rounds.said(round_, target, network.node(judge)) is ReportKind.GOOD_BEHAVIOR
    # One judge is no quorum: what was said against the accused is undone, and nobody is held to have lied.
    assert (await network.verdict(epoch, accused)).ruling is Ruling.UNDECIDED
    assert (await network.chain.call(network.chain.reputation.functions.runnerOf(target)))[4] == 0


async def test_a_strangers_url_is_not_followed_into_private_networks(alive: str) -> None:
    assert await answers(alive, anywhere=True)
    assert not await answers(alive, anywhere=False)
    assert not await answers(NOBODY, anywhere=True)
    assert not await answers("http://", anywhere=True)
