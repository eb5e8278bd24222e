"""StakeWallet's ledger, kept a second time from its events alone. All amounts are USDFC base units."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

Arguments = Mapping[str, Any]


@dataclass(slots=True)
class Holding:
    """What one account has in the wallet; `locked` is part of `bonded`."""

    free: int = 0
    escrowed: int = 0
    bonded: int = 0
    locked: int = 0
    unbonding: int = 0

    @property
    def total(self) -> int:
        """Sum all that is the account's."""
        return self.free + self.escrowed + self.bonded + self.unbonding


@dataclass(slots=True)
class Fortune:
    """What an account got and lost in settlements, over all time."""

    paid: int = 0
    slashed: int = 0


@dataclass(slots=True)
class Reference:
    """The money of one task, challenge, appeal or session: what it holds, and what its settlements took in and gave out."""

    escrowed: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    locked: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    released: int = 0
    slashed: int = 0
    paid: int = 0

    @property
    def is_empty(self) -> bool:
        """Return whether nothing is held for it any more."""
        return not any(self.escrowed.values()) and not any(self.locked.values())


@dataclass(slots=True)
class Channel:
    """A payment channel: who paid it, to whom, and what is left in it."""

    payer: str
    owner: str
    left: int


class Books:
    """The double entry. Feed it every event of the wallet since its deployment, in the order of the chain."""

    def __init__(self) -> None:
        self.accounts: dict[str, Holding] = defaultdict(Holding)
        self.fortunes: dict[str, Fortune] = defaultdict(Fortune)
        self.references: dict[bytes, Reference] = defaultdict(Reference)
        self.channels: dict[bytes, Channel] = {}
        self.deposited = 0
        self.withdrawn = 0
        self._entries: dict[str, Callable[[Arguments], None]] = {
            "Deposited": self._deposited,
            "Withdrawn": self._withdrawn,
            "Transferred": self._transferred,
            "Bonded": self._bonded,
            "UnbondRequested": self._unbond_requested,
            "UnbondCancelled": self._unbond_cancelled,
            "Unbonded": self._unbonded,
            "Escrowed": self._escrowed,
            "BondLocked": self._bond_locked,
            "Settled": self._settled,
            "Moved": self._moved,
            "Burned": self._burned,
            "ChannelOpened": self._channel_opened,
            "ChannelToppedUp": self._channel_topped_up,
            "ChannelClosed": self._channel_closed,
            "VouchersRedeemed": self._vouchers_redeemed,
        }

    @property
    def names(self) -> tuple[str, ...]:
        """List the events that move money."""
        return tuple(self._entries)

    def enter(self, events: Iterable[tuple[str, Arguments]]) -> "Books":
        """Enter events, by name and arguments. `KeyError` for one that moves no money."""
        for name, arguments in events:
            self._entries[name](arguments)
        return self

    @property
    def total(self) -> int:
        """Sum what all accounts and channels have: what the wallet owes."""
        held = sum(holding.total for holding in self.accounts.values())
        return held + sum(channel.left for channel in self.channels.values())

    def _deposited(self, event: Arguments) -> None:
        self.accounts[event["account"]].free += event["amount"]
        self.deposited += event["amount"]

    def _withdrawn(self, event: Arguments) -> None:
        self.accounts[event["account"]].free -= event["amount"]
        self.withdrawn += event["amount"]

    def _burned(self, event: Arguments) -> None:
        self._withdrawn(event)

    def _transferred(self, event: Arguments) -> None:
        self.accounts[event["from"]].free -= event["amount"]
        self.accounts[event["to"]].free += event["amount"]

    def _bonded(self, event: Arguments) -> None:
        holding = self.accounts[event["owner"]]
        holding.free -= event["amount"]
        holding.bonded += event["amount"]

    def _unbond_requested(self, event: Arguments) -> None:
        holding = self.accounts[event["owner"]]
        holding.bonded -= event["amount"]
        holding.unbonding += event["amount"]

    def _unbond_cancelled(self, event: Arguments) -> None:
        holding = self.accounts[event["owner"]]
        holding.unbonding -= event["amount"]
        holding.bonded += event["amount"]

    def _unbonded(self, event: Arguments) -> None:
        holding = self.accounts[event["owner"]]
        holding.unbonding -= event["amount"]
        holding.free += event["amount"]

    def _escrowed(self, event: Arguments) -> None:
        holding = self.accounts[event["payer"]]
        holding.free -= event["amount"]
        holding.escrowed += event["amount"]
        self.references[event["ref"]].escrowed[event["payer"]] += event["amount"]

    def _bond_locked(self, event: Arguments) -> None:
        self.accounts[event["owner"]].locked += event["amount"]
        self.references[event["ref"]].locked[event["owner"]] += event["amount"]

    def _settled(self, event: Arguments) -> None:
        self.accounts[event["payer"]].escrowed -= event["released"]
        reference = self.references[event["ref"]]
        reference.escrowed[event["payer"]] -= event["released"]
        reference.released += event["released"]

    def _moved(self, event: Arguments) -> None:
        who, slash = event["who"], event["slash"]
        holding, reference = self.accounts[who], self.references[event["ref"]]
        holding.free += event["pay"]
        holding.locked -= event["unlock"]
        if event["unlock"]:
            reference.locked[who] -= event["unlock"]
        from_bonded = min(slash, holding.bonded - holding.locked)
        holding.bonded -= from_bonded
        holding.unbonding -= slash - from_bonded
        reference.paid += event["pay"]
        reference.slashed += slash
        self.fortunes[who].paid += event["pay"]
        self.fortunes[who].slashed += slash

    def _channel_opened(self, event: Arguments) -> None:
        self.accounts[event["payer"]].free -= event["amount"]
        self.channels[event["channelId"]] = Channel(event["payer"], event["owner"], event["amount"])

    def _channel_topped_up(self, event: Arguments) -> None:
        self.accounts[event["from"]].free -= event["amount"]
        self.channels[event["channelId"]].left += event["amount"]

    def _channel_closed(self, event: Arguments) -> None:
        self.accounts[event["payer"]].free += event["returned"]
        self.channels[event["channelId"]].left -= event["returned"]

    def _vouchers_redeemed(self, event: Arguments) -> None:
        for channel_id, amount in zip(event["channelIds"], event["amounts"], strict=True):
            self.channels[channel_id].left -= amount
            self.accounts[event["owner"]].free += amount
