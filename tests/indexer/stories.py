"""Events folded one after the other, with nothing in the database before."""

from datetime import UTC, datetime
from typing import Any

from indexer.events import EventBook, Log
from indexer.fold import apply, needs
from indexer.fold.state import State
from tests.indexer.contract_events import ADDRESSES, NODES, OWNERS, PAYERS, Emitted, emitted

TASK = b"\x07" * 32
CHANNEL = b"\x0c" * 32
BOOK = EventBook({address: contract for contract, address in ADDRESSES.items()})


class Story:
    """What a test tells, and the state that it comes to."""

    def __init__(self) -> None:
        self.state = State()
        self.block = 0

    def tell(self, contract: str, name: str, *args: Any) -> None:
        self._tell(emitted(contract, name, *args))

    def tell_bytes(self, contract: str, name: str, *args: Any) -> None:
        """Tell an event whose text is any bytes."""
        self._tell(emitted(contract, name, *args, text="bytes"))

    def _tell(self, raw: Emitted) -> None:
        self.block += 1
        log = Log(
            block_number=self.block,
            tx_index=0,
            log_index=0,
            block_hash=bytes(32),
            block_time=datetime(2026, 1, 1, tzinfo=UTC),
            tx_hash=bytes(32),
            address=raw.address,
            topics=b"".join(raw.topics),
            data=raw.data,
        )
        event = BOOK.decode(log)
        keys = needs([event])
        self.state.balances.learn(self.state.balances.unknown(keys.balances), {})
        self.state.tasks.learn(self.state.tasks.unknown(keys.tasks), {})
        self.state.runners.learn(self.state.runners.unknown(keys.runners), {})
        self.state.reputations.learn(self.state.reputations.unknown(keys.runners), {})
        self.state.parameters.learn(self.state.parameters.unknown(keys.parameters), {})
        self.state.channels.learn(self.state.channels.unknown(keys.channels), {})
        self.state.pauses.learn(self.state.pauses.unknown(keys.pauses), {})
        self.state.monitoring_rounds.learn(self.state.monitoring_rounds.unknown(keys.monitoring_rounds), {})
        self.state.monitoring_duties.learn(self.state.monitoring_duties.unknown(keys.monitoring_duties), {})
        self.state.monitoring_reports.learn(
            self.state.monitoring_reports.unknown(keys.monitoring_reports), {}
        )
        self.state.monitoring_verdicts.learn(
            self.state.monitoring_verdicts.unknown(keys.monitoring_verdicts), {}
        )
        self.state.audits.learn(self.state.audits.unknown(keys.audits), {})
        self.state.audit_rules.learn(self.state.audit_rules.unknown(keys.audit_rules), {})
        self.state.client_epochs.learn(self.state.client_epochs.unknown(keys.client_epochs), {})
        apply(self.state, event)

    def balance(self, who: bytes) -> tuple[int, ...]:
        row = self.state.balances.find(who)
        assert row is not None
        return (row.free, row.escrowed, row.bonded, row.locked, row.unbonding)

    def channel(self, *, amount: int = 100) -> None:
        self.tell("StakeWallet", "Deposited", PAYERS[0], 1000)
        self.tell(
            "StakeWallet",
            "ChannelOpened",
            CHANNEL,
            PAYERS[0],
            OWNERS[0],
            NODES[0],
            amount,
            720,
            99,
            bytes(32),
        )

    def submit(self, *, reward: int = 900, bond: int = 100, replicas: int = 3) -> None:
        self.tell("StakeWallet", "Deposited", PAYERS[0], 1000)
        order = (
            PAYERS[0],
            PAYERS[0],
            reward,
            bond,
            0,
            0,
            1,
            replicas,
            2,
            0,
            99,
            9,
            0,
            b"\x08" * 32,
            bytes(32),
        )
        self.tell("TaskEscrow", "TaskSubmitted", TASK, PAYERS[0], PAYERS[0], order, 3)
        self.tell("StakeWallet", "Escrowed", PAYERS[0], TASK, reward)

    def claim(self, number: int) -> None:
        self.tell("StakeWallet", "Deposited", OWNERS[number], 500)
        self.tell("StakeWallet", "Bonded", OWNERS[number], 500)
        self.tell(
            "RunnerReputation", "RunnerRegistered", NODES[number], OWNERS[number], bytes(32), b"\x09" * 32
        )
        self.tell("TaskEscrow", "SeatClaimed", TASK, NODES[number], OWNERS[number], number)
        self.tell("StakeWallet", "BondLocked", OWNERS[number], TASK, 100)
