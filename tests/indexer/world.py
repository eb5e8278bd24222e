"""A small model of the contracts: takes transactions, gives the events that the contracts would emit.

It keeps its own ledger, so that the fold's rows can be compared with something that the fold did not compute.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from tests.indexer.contract_events import ADDRESSES, DEAD, NODES, OWNERS, PAYERS, TREASURY, Emitted, emitted


@dataclass(frozen=True)
class Tx:
    """One transaction: the hash is its identity in whatever block it lands."""

    action: str
    args: tuple[Any, ...]
    nonce: int

    @property
    def hash(self) -> bytes:
        return hashlib.sha256(repr((self.action, self.args, self.nonce)).encode()).digest()


class Refused(Exception):
    """The contracts would revert."""


@dataclass
class ModelTask:
    payer: bytes
    reward: int
    bond: int
    replicas: int
    status: int = 1
    seats: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class ModelChannel:
    payer: bytes
    index: int
    deposited: int
    redeemed: int = 0
    asked: bool = False
    closed: bool = False


@dataclass
class Ledger:
    free: int = 0
    escrowed: int = 0
    bonded: int = 0
    locked: int = 0
    unbonding: int = 0


class World:
    """State of the contracts. `apply` gives events or raises `Refused`, leaving the state as it was."""

    def __init__(self) -> None:
        self.ledger: dict[bytes, Ledger] = defaultdict(Ledger)
        self.tasks: dict[bytes, ModelTask] = {}
        self.channels: dict[bytes, ModelChannel] = {}
        self.active: dict[bytes, bool] = {}
        self.records: dict[bytes, list[int]] = {}  # right, wrong, missed, streak, strikes
        self.params = 0
        self.epochs: dict[bytes, int] = defaultdict(int)
        self.pauses: dict[bytes, tuple[int, int]] = {}
        self.votes: dict[int, dict[bytes, tuple[str, int]]] = {}
        self.events: list[Emitted] = []
        self.tx_hash, self.block = b"", 0

    def apply(self, tx: Tx, *, block: int) -> tuple["World", list[Emitted]]:
        after = deepcopy(self)
        after.events = []
        handler: Callable[..., None] = getattr(after, "_" + tx.action)
        after.tx_hash, after.block = tx.hash, block
        handler(*tx.args)
        events, after.events = after.events, []
        return after, events

    def _emit(self, contract: str, name: str, *args: Any) -> None:
        self.events.append(emitted(contract, name, *args))

    def _require(self, condition: bool) -> None:
        if not condition:
            raise Refused

    def _wire(self) -> None:
        self._emit("StakeWallet", "Wired", ADDRESSES["TaskEscrow"])
        self._emit("RunnerReputation", "Wired", ADDRESSES["TaskEscrow"])

    def _pause(self, contract: str, blocks: int) -> None:
        target = ADDRESSES[contract]
        until, pausable_from = self.pauses.get(target, (0, 0))
        self._require(self.block >= pausable_from)
        until, pausable_from = self.block + blocks, self.block + 2 * blocks
        self.pauses[target] = until, pausable_from
        self._emit("StakeWallet", "Paused", target, until, pausable_from)

    def _unpause(self, contract: str) -> None:
        target = ADDRESSES[contract]
        until, pausable_from = self.pauses.get(target, (0, 0))
        self._require(self.block < until)
        self.pauses[target] = self.block, pausable_from
        self._emit("StakeWallet", "Unpaused", target)

    def _deposit(self, who: bytes, amount: int) -> None:
        self.ledger[who].free += amount
        self._emit("StakeWallet", "Deposited", who, amount)

    def _withdraw(self, who: bytes, amount: int) -> None:
        self._require(self.ledger[who].free >= amount)
        self.ledger[who].free -= amount
        self._emit("StakeWallet", "Withdrawn", who, PAYERS[0], amount)

    def _transfer(self, who: bytes, to: bytes, amount: int) -> None:
        self._require(self.ledger[who].free >= amount)
        self.ledger[who].free -= amount
        self.ledger[to].free += amount
        self._emit("StakeWallet", "Transferred", who, to, amount)

    def _bond(self, who: bytes, amount: int) -> None:
        self._require(self.ledger[who].free >= amount)
        self.ledger[who].free -= amount
        self.ledger[who].bonded += amount
        self._emit("StakeWallet", "Bonded", who, amount)

    def _unbond(self, who: bytes, amount: int) -> None:
        row = self.ledger[who]
        self._require(row.bonded - row.locked >= amount)
        row.bonded -= amount
        row.unbonding += amount
        self._emit("StakeWallet", "UnbondRequested", who, amount, self.block + 5)

    def _cancel_unbond(self, who: bytes) -> None:
        row = self.ledger[who]
        self._require(row.unbonding > 0)
        amount, row.unbonding = row.unbonding, 0
        row.bonded += amount
        self._emit("StakeWallet", "UnbondCancelled", who, amount)

    def _complete_unbond(self, who: bytes) -> None:
        row = self.ledger[who]
        self._require(row.unbonding > 0)
        amount, row.unbonding = row.unbonding, 0
        row.free += amount
        self._emit("StakeWallet", "Unbonded", who, amount)

    def _burn(self) -> None:
        amount, self.ledger[DEAD].free = self.ledger[DEAD].free, 0
        self._require(amount > 0)
        self._emit("StakeWallet", "Burned", DEAD, amount)

    def _open_channel(self, who: bytes, index: int, amount: int) -> None:
        row = self.ledger[who]
        self._require(row.free >= amount and self.tx_hash not in self.channels)
        row.free -= amount
        self.channels[self.tx_hash] = ModelChannel(who, index, amount)
        self._emit(
            "StakeWallet",
            "ChannelOpened",
            self.tx_hash,
            who,
            OWNERS[index],
            NODES[index],
            amount,
            720,
            self.block + 9,
            self.tx_hash,
        )

    def _channel(self, channel_id: bytes) -> ModelChannel:
        channel = self.channels.get(channel_id)
        if channel is None or channel.closed:
            raise Refused
        return channel

    def _top_up(self, channel_id: bytes, who: bytes, amount: int) -> None:
        channel, row = self._channel(channel_id), self.ledger[who]
        self._require(row.free >= amount)
        row.free -= amount
        channel.deposited += amount
        self._emit("StakeWallet", "ChannelToppedUp", channel_id, who, amount)

    def _redeem(self, index: int) -> None:
        """Redeem half of what is left in each channel to this owner, in one batch."""
        paid = {
            channel_id: amount
            for channel_id, channel in self.channels.items()
            if channel.index == index
            and not channel.closed
            and (amount := (channel.deposited - channel.redeemed) // 2)
        }
        self._require(bool(paid))
        for channel_id, amount in paid.items():
            self.channels[channel_id].redeemed += amount
        self.ledger[OWNERS[index]].free += sum(paid.values())
        self._emit("StakeWallet", "VouchersRedeemed", OWNERS[index], list(paid), list(paid.values()))
        self._emit("StakeWallet", "ActionExecuted", OWNERS[index], self.block)

    def _request_close(self, channel_id: bytes) -> None:
        channel = self._channel(channel_id)
        self._require(not channel.asked)
        channel.asked = True
        self._emit("StakeWallet", "ChannelClosing", channel_id, self.block + 720)

    def _close(self, channel_id: bytes) -> None:
        channel = self._channel(channel_id)
        channel.closed = True
        returned = channel.deposited - channel.redeemed
        self.ledger[channel.payer].free += returned
        self._emit("StakeWallet", "ChannelClosed", channel_id, channel.payer, returned)

    def _propose(self, who: bytes) -> None:
        proposal = int.from_bytes(self.tx_hash, "big")
        self.votes[proposal] = {}
        calls: tuple[list[Any], ...] = ([TREASURY], [0], [""], [b"\x01\x02"])
        opens = self.block + 2
        self._emit("ParityGovernor", "ProposalCreated", proposal, who, *calls, opens, opens + 9, "Spend it")

    def _vote(self, proposal: int, who: bytes, support: int, weight: int) -> None:
        self._require(proposal in self.votes and who not in self.votes[proposal])
        self.votes[proposal][who] = (("against", "for", "abstain")[support], weight)
        if weight % 2:
            self._emit("ParityGovernor", "VoteCast", who, proposal, support, weight, "since it is odd")
        else:
            self._emit("ParityGovernor", "VoteCastWithParams", who, proposal, support, weight, "", b"\x07")

    def _register(self, index: int) -> None:
        node = NODES[index]
        self._require(not self.active.get(node, False))
        self.active[node] = True
        self.records.setdefault(node, [0, 0, 0, 0, 0])
        self._emit(
            "RunnerReputation", "RunnerRegistered", node, OWNERS[index], b"r".ljust(32, b"\0"), self.tx_hash
        )

    def _retire(self, index: int) -> None:
        self._require(self.active.get(NODES[index], False))
        self.active[NODES[index]] = False
        self._emit("RunnerReputation", "RunnerRetirement", NODES[index])

    def _profile(self, index: int) -> None:
        self._require(self.active.get(NODES[index], False))
        self._emit("RunnerReputation", "RunnerProfileChanged", NODES[index], self.tx_hash)

    def _add_params(self) -> None:
        self.params += 1
        values = (480, 120, 20, 40, 2400, 2, 200, 5000, 1000, 3000, 2000, 5000, 3, 7)
        self._emit("TaskEscrow", "ParamsAdded", self.params, values)

    def _revoke(self, who: bytes) -> None:
        self.epochs[who] += 1
        self._emit("TaskEscrow", "OrdersRevoked", who, self.epochs[who])

    def _submit(self, who: bytes, reward: int, bond: int, replicas: int) -> None:
        row = self.ledger[who]
        self._require(row.free >= reward and self.tx_hash not in self.tasks)
        self.tasks[self.tx_hash] = ModelTask(who, reward, bond, replicas)
        row.free -= reward
        row.escrowed += reward
        order = (
            who,
            who,
            reward,
            bond,
            0,
            0,
            1,
            replicas,
            replicas // 2 + 1,
            0,
            self.block + 50,
            9,
            0,
            self.tx_hash,
            self.tx_hash,
        )
        self._emit("TaskEscrow", "TaskSubmitted", self.tx_hash, who, who, order, self.block + 2)
        self._emit("StakeWallet", "Escrowed", who, self.tx_hash, reward)

    def _task(self, task_id: bytes, *, status: int) -> ModelTask:
        task = self.tasks.get(task_id)
        if task is None or task.status != status:
            raise Refused
        return task

    def _claim(self, task_id: bytes, index: int) -> None:
        task = self._task(task_id, status=1)
        owner = self.ledger[OWNERS[index]]
        taken = [seat["index"] for seat in task.seats]
        self._require(self.active.get(NODES[index], False) and index not in taken)
        self._require(owner.bonded - owner.locked >= task.bond)
        owner.locked += task.bond
        task.seats.append({"index": index, "state": 1, "result": None})
        self._emit("TaskEscrow", "SeatClaimed", task_id, NODES[index], OWNERS[index], len(task.seats) - 1)
        if len(task.seats) == task.replicas:
            task.status = 2
            self._emit("TaskEscrow", "PhaseChanged", task_id, 2, self.block + 20)
        self._emit("StakeWallet", "BondLocked", OWNERS[index], task_id, task.bond)

    def _commit(self, task_id: bytes, seat: int) -> None:
        task = self._task(task_id, status=2)
        self._require(task.seats[seat]["state"] == 1)
        task.seats[seat]["state"] = 2
        self._emit(
            "TaskEscrow", "SeatCommitted", task_id, NODES[task.seats[seat]["index"]], seat, self.tx_hash
        )
        if all(entry["state"] == 2 for entry in task.seats):
            task.status = 3
            self._emit("TaskEscrow", "PhaseChanged", task_id, 3, self.block + 20)

    def _reveal(self, task_id: bytes, seat: int, answer: int) -> None:
        task = self._task(task_id, status=3)
        entry = task.seats[seat]
        self._require(entry["state"] == 2)
        entry["state"], entry["result"] = 3, bytes([answer]) * 32
        node = NODES[entry["index"]]
        self._emit("TaskEscrow", "SeatRevealed", task_id, node, seat, entry["result"], bytes(32), 11, 7)
        if all(entry["state"] == 3 for entry in task.seats):
            self._settle(task_id, task)

    def _cancel(self, task_id: bytes) -> None:
        task = self._task(task_id, status=1)
        self._require(not task.seats)
        task.status = 8
        self._emit("TaskEscrow", "PhaseChanged", task_id, 8, 0)
        self._move(task_id, task, [(task.payer, task.reward, 0, 0)])

    def _advance(self, task_id: bytes) -> None:
        task = self.tasks.get(task_id)
        self._require(task is not None and task.status in (2, 3))
        assert task is not None
        self._settle(task_id, task)

    def _settle(self, task_id: bytes, task: ModelTask) -> None:
        votes = [entry["result"] for entry in task.seats if entry["state"] == 3]
        best = max(sorted(set(votes)), key=votes.count, default=b"")
        final = votes.count(best) >= task.replicas // 2 + 1
        share = task.reward // task.replicas
        fee = share * 200 // 10_000
        moves, slashes, paid, fees, winners = [], 0, 0, 0, 0
        outcomes = []
        for number, entry in enumerate(task.seats):
            right = final and entry["result"] == best
            missed = entry["state"] < (2 if final else 3)
            slash = (
                0 if right or not (final or missed) else -(-task.bond * (1000 if missed else 5000) // 10_000)
            )
            pay = share - fee if right else 0
            winners |= right << number
            slashes, paid, fees = slashes + slash, paid + pay, fees + (fee if right else 0)
            moves.append((OWNERS[entry["index"]], pay, task.bond, slash))
            outcome = 0 if right else 2 if missed else 1 if final else 3
            outcomes.append((entry["index"], outcome))
        to_payer, to_burn = slashes * 3000 // 10_000, slashes * 2000 // 10_000
        moves.append((task.payer, task.reward - paid - fees + to_payer, 0, 0))
        moves.append((TREASURY, fees + slashes - to_payer - to_burn, 0, 0))
        moves.append((DEAD, to_burn, 0, 0))
        task.status = 6 if final else 7
        if final:
            self._emit("TaskEscrow", "TaskFinalized", task_id, winners, fees)
        self._emit("TaskEscrow", "PhaseChanged", task_id, task.status, 0)
        for index, outcome in outcomes:
            self._score(task_id, NODES[index], outcome)
        self._move(task_id, task, moves)

    def _score(self, task_id: bytes, node: bytes, outcome: int) -> None:
        record = self.records[node]
        if outcome < 3:
            record[outcome] += 1
        if outcome == 0:
            record[3] = 0
        elif outcome == 1:
            record[3] = (record[3] + 1) % 3
            if record[3] == 0:
                record[4] += 1
                self._emit("RunnerReputation", "RunnerBan", node, 1000, record[4])
        self._emit(
            "RunnerReputation", "ScoreChanged", node, task_id, outcome, 500_000 + record[0] - record[1]
        )

    def _move(self, task_id: bytes, task: ModelTask, moves: list[tuple[bytes, int, int, int]]) -> None:
        self.ledger[task.payer].escrowed -= task.reward
        self._emit("StakeWallet", "Settled", task_id, task.payer, task.reward)
        for who, pay, unlock, slash in moves:
            row = self.ledger[who]
            row.free += pay
            row.locked -= unlock
            from_bonded = min(slash, row.bonded - row.locked)
            row.bonded -= from_bonded
            row.unbonding -= slash - from_bonded
            self._emit("StakeWallet", "Moved", task_id, who, pay, unlock, slash)
