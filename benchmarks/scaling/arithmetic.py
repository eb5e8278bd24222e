"""The arithmetic: what a network of so many runners asks of the chain, the index and IPFS in a day."""

import re
from dataclasses import dataclass
from typing import Final

from benchmarks.scaling.measured import Measured
from devnet.paths import ROOT

EPOCH_S: Final = 30
BLOCKS_AN_EPOCH: Final = 5
"""Winners of an epoch in expectation, each with a block of its own."""
BLOCK_GAS: Final = 10_000_000_000
FILLED: Final = 0.5
"""Above half-full blocks Filecoin's base fee rises without end, so this is what lasts."""
GAS_OF_FILECOIN: Final = 444
"""Filecoin's gas for one of the EVM's, by throughput, as Filecoin's documentation has it. Single calls differ."""
EPOCHS_A_DAY: Final = 86_400 // EPOCH_S
MONITOR_EPOCH_BLOCKS: Final = 240
TARGETS: Final = 5
PAYERS: Final = 10
"""Channels that a runner has open, and redeems together."""
GB: Final = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """Gas of the local chain, from docs/reference/gas.md."""

    task: int
    audited: int
    panel: int
    enlist: int
    open_channel: int
    redeem: int
    further_voucher: int
    close_channel: int

    @classmethod
    def read(cls) -> "Costs":
        """Read the page. KeyError names a row that it has not."""
        text = (ROOT / "docs/reference/gas.md").read_text(encoding="utf-8")
        found = {
            name: int(gas.replace(",", ""))
            for name, gas in re.findall(r"^\| ([^|]+) \| ([\d,]+) \|$", text, re.MULTILINE)
        }
        redeem, many = found["redeem 1"], found["redeem 64"]
        return cls(
            task=found["k=1"],
            audited=found["audited mode, spared"],
            panel=found["audited mode, with a panel of three"],
            enlist=found["deposit (new account)"] + found["bond"] + found["register"],
            open_channel=found["open (relayed)"],
            redeem=redeem,
            further_voucher=(many - redeem) // 63,
            close_channel=found["close"] + found["request close"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What runners are to do: escrowed tasks a day each, of which `audited` of all are drawn for a panel; chats a day each."""

    tasks_a_day: float = 1.0
    audited: float = 0.1
    chats_a_day: float = 1_000.0
    redeem_days: float = 7.0
    channel_days: float = 30.0
    monitor_blocks: int = MONITOR_EPOCH_BLOCKS


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What `runners` ask for in a day; gas is the local chain's, `share` of what Filecoin carries in a day."""

    runners: int
    tasks_gas: float
    channels_gas: float
    monitoring_gas: float
    events: float
    postgres_gb: float
    ipfs_gb: float
    documents: float

    @property
    def gas(self) -> float:
        """Return all gas of a day."""
        return self.tasks_gas + self.channels_gas + self.monitoring_gas

    @property
    def share(self) -> float:
        """Return it as a part of what the whole of Filecoin carries."""
        return self.gas / chain_gas_a_day()


def chain_gas_a_day() -> float:
    """Return what Filecoin carries in a day and goes on carrying, in gas of the local chain."""
    return EPOCHS_A_DAY * BLOCKS_AN_EPOCH * BLOCK_GAS * FILLED / GAS_OF_FILECOIN


def need(runners: int, wishes: Wishes, costs: Costs, measured: Measured) -> Need:
    """Add up a day of `runners`."""
    a_task = (1 - wishes.audited) * costs.audited + wishes.audited * costs.panel
    tasks = runners * wishes.tasks_a_day
    redeeming = runners / wishes.redeem_days * (costs.redeem + (PAYERS - 1) * costs.further_voucher)
    opening = runners * PAYERS / wishes.channel_days * (costs.open_channel + costs.close_channel)
    epochs = EPOCHS_A_DAY / wishes.monitor_blocks
    duty = measured.monitor_commit + measured.monitor_reveal + measured.monitor_conclude
    events = (
        tasks * measured.events_a_task
        + runners / wishes.redeem_days
        + 3 * runners * PAYERS / wishes.channel_days
        + runners * epochs * (2 + TARGETS * measured.events_a_report)
    )
    a_event = measured.postgres_bytes_a_task / measured.events_a_task
    stored = measured.spec_bytes + measured.result_bytes + measured.fingerprint_bytes
    return Need(
        runners=runners,
        tasks_gas=tasks * a_task,
        channels_gas=redeeming + opening,
        monitoring_gas=runners * epochs * duty,
        events=events,
        postgres_gb=events * a_event / GB,
        ipfs_gb=tasks * stored / GB,
        documents=3 * tasks,
    )


def redeemed_days(share: float, runners: int, costs: Costs) -> float:
    """Return how many days must lie between two redemptions so that those of all runners take `share` of the chain."""
    once = runners * (costs.redeem + (PAYERS - 1) * costs.further_voucher)
    return once / (share * chain_gas_a_day())


def channel_days(share: float, runners: int, costs: Costs) -> float:
    """Return how many days a channel must stay open so that opening and closing all runners' take `share` of the chain."""
    once = runners * PAYERS * (costs.open_channel + costs.close_channel)
    return once / (share * chain_gas_a_day())


def monitor_blocks(share: float, runners: int, measured: Measured) -> float:
    """Return how many blocks a monitoring epoch must have so that those of all runners take `share` of the chain."""
    duty = measured.monitor_commit + measured.monitor_reveal + measured.monitor_conclude
    return runners * duty / (share * chain_gas_a_day()) * EPOCHS_A_DAY


def tasks_a_day(share: float, costs: Costs, *, audited: float = 0.1) -> float:
    """Return how many audited tasks a day take `share` of the chain."""
    return share * chain_gas_a_day() / ((1 - audited) * costs.audited + audited * costs.panel)
