"""What tests of learning sessions are made of: a session's papers, its order, and runners that do their part."""

import asyncio
import contextlib
import io
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from sklearn.datasets import load_digits

from devnet.accounts import LOCAL
from learning import networks, tensors
from learning.assignment import ListPlace, PartitionIndex, divide_rows, publish
from learning.datasets import Dataset, load_dataset
from learning.session_config import SessionConfig
from learning.simulate import Simulation
from learning.updates import Vector
from protocol.commitment import new_salt
from protocol.enums import PRIVATE_DATA, SECURE_AGGREGATION, SessionPhase
from protocol.files import FileStore
from protocol.money import USDFC
from protocol.parts import store_parts
from protocol.sender import Sender
from protocol.session import SessionOrder, federated_domain, least_budget, session_id
from runner.federated.board import Board, Round, Sight
from runner.federated.diary import Diary, Entry, diary_path
from runner.federated.duty import LearningDuty, aggregator_of
from runner.federated.workshop import Workshop
from runner.work import Work
from tests.runner.bench import Bench, Hand
from tests.runner.kills import Killed, Killer, Mortal, MortalSender

SAMPLES = 240
_MINED_AT_ONCE = 100
JOURNAL = "journal-31337-test.sqlite"
DIARY_WRITES = frozenset(
    {"see", "note", "secret", "promise", "choose", "keep_state", "keep_result", "forget", "set_fact"}
)


def digits_file(samples: int = SAMPLES, *, first: int = 0) -> bytes:
    """Images of digits from `first` on, as NPZ."""
    digits, chosen = load_digits(), slice(first, first + samples)
    buffer = io.BytesIO()
    np.savez(buffer, x=digits.data[chosen].astype(np.float32), label=digits.target[chosen])
    return buffer.getvalue()


def config(participants: int, **sections: Any) -> SessionConfig:
    """A small network on digits."""
    model = sections.pop("model", {})
    if "type" not in model:
        model = {"type": "neural_network", "input_dim": 64, "output_dim": 10, "hidden": [16], **model}
    training = {
        "rounds": 2,
        "min_participants": min(3, participants),
        "learning_rate": "0.1",
        "optimizer": {"momentum": "0.9"},
        "seed": 7,
    }
    return SessionConfig.build(
        {
            "name": "digits",
            "model": model,
            "dataset": {"format": "npz", "divide_by": "16", **sections.pop("dataset", {})},
            "partition": {"participants": participants, "seed": 3, **sections.pop("partition", {})},
            "training": training | sections.pop("training", {}),
            **sections,
        }
    )


@dataclass
class Lesson:
    """A session on the chain, and everything that it is made of."""

    config: SessionConfig
    session: bytes
    order: SessionOrder
    whole: Dataset
    rows: list[np.ndarray[Any, Any]]
    held_out: np.ndarray[Any, Any]

    def simulated(self, **changes: Any) -> Simulation:
        """Play the same session without chain and network."""
        made_of: dict[str, Any] = {
            "shares": [self.whole.take(rows) for rows in self.rows],
            "evaluation": self.whole.take(self.held_out),
            "first": first_weights(self.config),
            "name": "0x" + self.session.hex(),
        }
        return Simulation(self.config, **(made_of | changes)).run()


def first_weights(session: SessionConfig) -> Vector:
    assert session.model.type == "neural_network"
    state = networks.initial_state(session.model, seed=session.training.seed)
    return tensors.flatten(state, networks.layout(session.model))


def model_file(session: SessionConfig, weights: Vector) -> bytes:
    assert session.model.type == "neural_network"
    return tensors.to_safetensors(tensors.unflatten(weights, networks.layout(session.model)))


@dataclass
class Pupil:
    """One runner: what it watches, its duty, its diary."""

    hand: Hand
    duty: LearningDuty
    diary: Diary
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def entry(self, session: bytes) -> Entry:
        return self.diary.entry(session)

    async def learn(self) -> None:
        """Run the duty, and start it anew whenever the runner is killed."""
        while True:
            try:
                await LearningDuty(self.hand.parts, self.duty._aggregator).run()
            except* Killed:
                await asyncio.sleep(0)

    async def stop(self) -> None:
        """Stop as a killed process would: between any two lines."""
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        self.tasks.clear()


@dataclass
class School:
    """The chain of one test and its runners."""

    bench: Bench
    workshop: Workshop
    pupils: list[Pupil] = field(default_factory=list)

    @asynccontextmanager
    async def open(self) -> AsyncIterator["School"]:
        mining = asyncio.ensure_future(self._mine())
        try:
            yield self
        finally:
            mining.cancel()
            await asyncio.gather(*[pupil.stop() for pupil in self.pupils])

    @cached_property
    def board(self) -> Board:
        return Board(self.bench.chain)

    async def runner(
        self,
        number: int,
        *,
        start: bool = True,
        sender: Any = None,
        killer: Killer | None = None,
        **settings: Any,
    ) -> Pupil:
        """Make runner `number`, and start it. `sender` wraps its sender, `killer` kills it at each boundary once."""
        hand = await self.bench.hand(number, journal=JOURNAL, **settings)
        if sender is not None:
            hand.parts = replace(hand.parts, sender=sender(hand.parts.sender))
        if killer is not None:
            hand.parts = replace(hand.parts, sender=MortalSender(hand.parts.sender, killer))
        home = self.bench.home / f"runner-{number}"
        diary = self.bench.stack.enter_context(closing(Diary.open(diary_path(home / JOURNAL))))
        mortal: Any = Mortal(diary, killer, DIARY_WRITES) if killer else diary
        aggregator = aggregator_of(
            hand.parts.settings,
            self.bench.chain,
            hand.parts.store,
            diary=mortal,
            workshop=self.workshop,
            folder=home,
            heard=hand.parts.situation.heard,
        )
        hand.parts = replace(hand.parts, aggregator=aggregator)
        pupil = Pupil(hand, LearningDuty(hand.parts, aggregator), diary)
        self.pupils.append(pupil)
        if start:
            self.start(pupil)
        return pupil

    def start(self, pupil: Pupil) -> None:
        works = (pupil.hand.watch.run, pupil.learn, _jobs_of(pupil))
        pupil.tasks = [asyncio.ensure_future(work()) for work in works]

    async def session(
        self,
        participants: int,
        *,
        terms: dict[str, Any] | None = None,
        content: bytes | None = None,
        instead: bytes | None = None,
        **sections: Any,
    ) -> Lesson:
        """Publish a session's papers, and create it. `instead` lies where the data should that all papers are of."""
        data = content or digits_file()
        draft = config(participants, **sections)
        whole = load_dataset(data, draft.dataset, input_dim=64, classes=10)
        division = divide_rows(whole, draft.partition, evaluation_share=float(draft.dataset.evaluation_share))
        lists = publish(division.parts)
        places = [
            await self._list(content) for content in (*lists.lists, *publish([division.held_out]).lists)
        ]
        index = PartitionIndex(
            samples=len(whole), root=lists.root, lists=tuple(places[:-1]), evaluation=places[-1]
        )
        digest = await self.bench.store.add(index.canonical())
        cid = await FileStore(self.bench.ipfs_api).upload(io.BytesIO(instead or data))
        final = draft.model_copy(
            update={
                "dataset": draft.dataset.model_copy(update={"cid": cid}),
                "partition": draft.partition.model_copy(update={"root": lists.root, "index": digest.hex()}),
            }
        )
        order = await self.create(final, **(terms or {}))
        domain = federated_domain(self.bench.chain.deployment.chain_id, self.bench.chain.federated.address)
        return Lesson(final, session_id(order, domain), order, whole, list(division.parts), division.held_out)

    async def private_session(self, shares: list[bytes], evaluation: bytes, **sections: Any) -> Lesson:
        """Create a session for as many participants as there are shares, each of whom brings its own."""
        draft = config(len(shares), **sections)
        cid = await FileStore(self.bench.ipfs_api).upload(io.BytesIO(evaluation))
        dataset = draft.dataset.model_copy(update={"evaluation_cid": cid})
        final = draft.model_copy(update={"dataset": dataset})
        secure = SECURE_AGGREGATION if final.secure_aggregation is not None else 0
        order = await self.create(final, flags=PRIVATE_DATA | secure)
        sets = [load_dataset(data, dataset, input_dim=64, classes=10) for data in (*shares, evaluation)]
        whole = Dataset(
            *(np.concatenate([getattr(one, name) for one in sets]) for name in ("features", "targets"))
        )
        ends = np.cumsum([len(one) for one in sets])
        rows = [np.arange(end - len(one), end) for one, end in zip(sets, ends, strict=True)]
        domain = federated_domain(self.bench.chain.deployment.chain_id, self.bench.chain.federated.address)
        return Lesson(final, session_id(order, domain), order, whole, rows[:-1], rows[-1])

    async def create(self, final: SessionConfig, **terms: Any) -> SessionOrder:
        """Create a session of the payer's."""
        chain, payer = self.bench.chain, LOCAL.payer
        secure, participants = final.secure_aggregation, final.partition.participants
        fields: dict[str, Any] = {
            "creator": payer.address,
            "payer": payer.address,
            "budget": 0,
            "reward": USDFC // 10,
            "aggregation_reward": USDFC // 10,
            "bond": 10 * USDFC,
            "aggregation_bond": 10 * USDFC,
            "rounds": final.training.rounds,
            "min_participants": final.training.min_participants,
            "max_participants": participants,
            "threshold": (secure.threshold or 2 * participants // 3 + 1) if secure else 0,
            "replicas": 1,
            "quorum": 1,
            "flags": SECURE_AGGREGATION if secure else 0,
            "params_id": 1,
            "task_params_id": chain.deployment.params_id,
            "join_by": await chain.block_number() + 2_000,
            "train_for": 2_000,
            "reveal_for": 2_000,
            "retention": 0,
            "config": await self.bench.store.add(final.canonical()),
            "salt": new_salt(),
        }
        order = SessionOrder(**(fields | terms))
        order = replace(order, budget=least_budget(order, tip=USDFC // 100))
        await Sender(chain, payer).send(
            chain.federated.functions.createSession(order.as_tuple()), label="createSession"
        )
        return order

    async def sight(self, lesson: Lesson) -> Sight:
        return await self.board.sight(lesson.session)

    async def rounds(self, lesson: Lesson) -> dict[int, Round]:
        return await self.board.rounds(lesson.session, since_block=0)

    async def until(
        self, lesson: Lesson, condition: Callable[[Sight], bool], *, within_s: float = 120
    ) -> Sight:
        """Wait until the session is as wanted."""
        sight = await self.sight(lesson)
        try:
            async with asyncio.timeout(within_s):
                while not condition(sight):
                    await asyncio.sleep(0.1)
                    sight = await self.sight(lesson)
        except TimeoutError:
            reasons = [
                (entry.stage, entry.slot, entry.reason)
                for pupil in self.pupils
                for entry in pupil.diary.recent(5)
            ]
            jobs = [(job.stage, job.reason) for pupil in self.pupils for job in pupil.hand.journal.recent(5)]
            raise AssertionError(f"stuck at {sight}: {reasons}, {jobs}") from None
        return sight

    async def let_pass(self, lesson: Lesson, phase: SessionPhase, *, round_: int, present: int) -> None:
        """Wait until so many have acted in a phase, and mine until its deadline is over."""
        sight = await self.until(
            lesson,
            lambda now: (now.phase, now.round) == (phase, round_) and now.present.bit_count() == present,
        )
        for _ in range(0, sight.deadline - sight.head_block, _MINED_AT_ONCE):
            await self.bench.anvil.mine(_MINED_AT_ONCE)

    async def ended(self, lesson: Lesson) -> Sight:
        return await self.until(lesson, lambda sight: sight.phase.is_terminal)

    async def phase(self, lesson: Lesson, phase: SessionPhase, *, round_: int = 1) -> Sight:
        return await self.until(lesson, lambda sight: (sight.phase, sight.round) == (phase, round_))

    async def _list(self, content: bytes) -> ListPlace:
        stored = await store_parts(self.bench.store, content)
        return ListPlace(parts=stored.root.hex(), samples=(len(content) - 18) // 4)

    async def _mine(self) -> None:
        while True:
            with contextlib.suppress(httpx.TimeoutException):
                await self.bench.anvil.mine()
            await asyncio.sleep(0.2)


def _jobs_of(pupil: Pupil) -> Callable[[], Any]:
    async def work() -> None:
        begun: set[bytes] = set()
        async with asyncio.TaskGroup() as group:
            while True:
                situation = pupil.hand.parts.situation
                rings = situation.rings
                for job in pupil.hand.journal.live():
                    if job.task_id not in begun:
                        begun.add(job.task_id)
                        group.create_task(Work(pupil.hand.parts, job.task_id).run())
                await situation.news(since=rings)

    return work


def stored_bytes(home: Path) -> bytes:
    """Everything that runners keep in their folders, less what they delete meanwhile."""
    kept = []
    for folder, _, names in os.walk(home):
        for name in sorted(names):
            with contextlib.suppress(FileNotFoundError):
                kept.append((Path(folder) / name).read_bytes())
    return b"".join(kept)
