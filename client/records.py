"""What the SDK returns, and how it is written as JSON: camelCase, amounts as decimal strings.

An amount of USDFC is an `int` of base units typed `Usdfc`; in JSON it has a human twin (`free`, `freeUsdfc`).
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any, get_args, get_type_hints

from pydantic import BaseModel
from pydantic.alias_generators import to_camel

from protocol.documents import CommandLimits
from protocol.enums import Mode, SeatState, TaskStatus
from protocol.money import format_usdfc
from protocol.order import Order


class Unit(Enum):
    """What an integer counts, where JSON must not write it as a number."""

    USDFC = "USDFC base units (10^-18)"
    VOTES = "base units of ParityToken (10^-18)"
    NUMBER = "a number too large for JSON's readers"
    WEI = "base units of the chain's own coin (10^-18)"


Usdfc = Annotated[int, Unit.USDFC]
Wei = Annotated[int, Unit.WEI]


class Funding(Enum):
    """Where an order's reward comes from."""

    FREE_BALANCE = "the wallet's free balance"
    AUTHORIZATION = "tokens in the account, by one signed authorization"


class Route(Enum):
    """Who sends an order to the chain."""

    WALLET = "wallet"
    RELAY = "relay"


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """What an account has, at one block. `tokens` lie in the account itself, the rest in StakeWallet."""

    account: str
    block: int
    tokens: Usdfc
    free: Usdfc
    escrowed: Usdfc
    bonded: Usdfc
    locked: Usdfc
    unbonding: Usdfc
    release_block: int | None
    native: Wei


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """A transaction that is in a block. `network_fee` is what it took of the chain's own coin."""

    label: str
    transaction_hash: str
    block: int
    network_fee: Wei


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyMoved:
    """A movement of money that the chain confirmed, and the balance after it."""

    amount: Usdfc
    transactions: tuple[Transaction, ...]
    balance: Balance


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A model that one active runner offers. Prices are base units per 1,000 tokens; `compared`: for several replicas too."""

    node: str
    owner: str
    label: str
    name: str
    digest: str
    context: int
    input_price: Usdfc
    output_price: Usdfc
    url: str | None = None
    compared: bool = False

    @property
    def reference(self) -> str:
        """Return the model as specs name it: `name@sha256:<digest>`."""
        return f"{self.name}@sha256:{self.digest}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What a prompt should cost. `expected` and `max_price` are for all replicas together.

    `input_price` and `output_price` (base units per 1,000 tokens) are what the order offers: enough for `runners`
    of the runners that have the model.
    """

    model: str
    runners: int
    input_tokens: int
    output_tokens: int
    input_price: Usdfc
    output_price: Usdfc
    expected: Usdfc
    max_price: Usdfc


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandTaker:
    """A runner that takes commands, in a box of `level`; `price_per_s` is per second of a command's wall limit."""

    node: str
    owner: str
    label: str
    level: str
    images: bool
    limits: CommandLimits
    price_per_s: Usdfc


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandOutcome:
    """How a command ended, as the runners agreed: `outcome` is exited, signalled, or the limit that stopped it.

    `code` is the exit code or the signal; `files` are paths in the folder that they were written to, if they were.
    """

    task_id: bytes
    outcome: str
    code: int | None
    stdout: str
    stderr: str
    files: tuple[str, ...]
    left_out: int
    folder: str | None
    result_cid: str
    spec_cid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """An order that the chain holds. `task_id` is its EIP-712 digest."""

    task_id: bytes
    order: Order
    spec_cid: str
    transaction_hash: str
    block: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a task has come, as the chain says. `deadline` is the last block of the present phase."""

    task_id: bytes
    status: TaskStatus
    replicas: int
    claimed: int
    committed: int
    revealed: int
    deadline: int
    block: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer, fetched by the digest that the chain holds and checked against it.

    It is settled, unless `provisional`: then it is revealed, and may still be audited, challenged and thrown out.
    """

    task_id: bytes
    model: str
    output: str
    done_reason: str
    input_tokens: int
    output_tokens: int
    result_cid: str
    spec_cid: str
    provisional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A settled result as it lies on IPFS, whose digest is the one that the chain holds."""

    task_id: bytes
    cid: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """One runner's seat in a task. `right` is known once the task is final."""

    seat: int
    node: str
    owner: str
    state: SeatState
    result_cid: str | None
    input_tokens: int
    output_tokens: int
    right: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One event of a task's life, from the chain's log."""

    name: str
    node: str | None
    detail: str | None
    transaction_hash: str
    block: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """What one owner got from a task, or lost to it."""

    owner: str
    paid: Usdfc
    slashed: Usdfc


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """Where a task's money went. escrowed = paid to all owners + fee + returned.

    `compensation` is the payer's share of slashed stakes, on top of what returned.
    """

    task_id: bytes
    payer: str
    escrowed: Usdfc
    payments: tuple[Payment, ...]
    paid: Usdfc
    fee: Usdfc
    returned: Usdfc
    slashed: Usdfc
    compensation: Usdfc
    transaction_hash: str
    block: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRecord:
    """A task as the chain has it. Heights are blocks."""

    task_id: bytes
    status: TaskStatus
    mode: Mode
    client: str
    submitted_block: int
    transaction_hash: str
    spec_cid: str
    result_cid: str | None
    reward: Usdfc
    bond: Usdfc
    input_price: Usdfc
    output_price: Usdfc
    replicas: int
    quorum: int
    claim_by: int
    deadline: int
    seats: tuple[Seat, ...]
    settlement: Settlement | None


def to_json(value: object) -> Any:
    """Turn a record, or anything that holds records, into what `json.dumps` takes."""
    match value:
        case BaseModel():
            document: Any = value.model_dump(mode="json", by_alias=True)
        case bytes():
            document = "0x" + value.hex()
        case Enum():
            document = value.name.lower()
        case Mapping():
            document = {str(name): to_json(item) for name, item in value.items()}
        case list() | tuple():
            document = [to_json(item) for item in value]
        case _:
            document = _record(value) if dataclasses.is_dataclass(value) else value
    return document


def _record(record: Any) -> dict[str, Any]:
    if own := getattr(record, "to_json", None):  # an order of any kind knows how it is written
        document_of_its_own: dict[str, Any] = own()
        return document_of_its_own
    units = _units(type(record))
    document: dict[str, Any] = {}
    for field in dataclasses.fields(record):
        name, value = to_camel(field.name), getattr(record, field.name)
        unit = units.get(field.name)
        document[name] = str(value) if unit and value is not None else to_json(value)
        if unit is Unit.USDFC:
            document[f"{name}Usdfc"] = format_usdfc(value)
    return document


def _units(record: type) -> dict[str, Unit]:
    hints = get_type_hints(record, include_extras=True)
    return {
        name: extra for name, hint in hints.items() for extra in get_args(hint)[1:] if isinstance(extra, Unit)
    }
