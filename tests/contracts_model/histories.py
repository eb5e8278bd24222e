"""Random histories: a few planned task lives, told in any order, between moves of money and acts that must fail."""

from dataclasses import dataclass
from enum import Enum

from hypothesis import strategies as st

from protocol.money import USDFC

RUNNERS = 5
MAX_TASKS = 4


class Conduct(Enum):
    """What a seat does once it is claimed."""

    RIGHT = "right"
    WRONG = "wrong"
    PADDED = "right result, more tokens"
    SILENT = "commits, never reveals"
    LATE = "reveals when it is too late"
    ABSENT = "never commits"
    OPEN = "reveals at once when it is the last to commit"


@dataclass(frozen=True)
class Plan:
    """A task to be, and what its seats will do."""

    sponsored: bool
    reward: int
    bond: int
    input_price: int
    output_price: int
    replicas: int
    quorum: int
    claim_for: int
    runners: tuple[int, ...]
    conducts: tuple[Conduct, ...]


@dataclass(frozen=True)
class Live:
    """The next act of a task's plan."""

    task: int


@dataclass(frozen=True)
class Wild:
    """An act on any task by anybody, most of them refused."""

    act: str
    task: int
    runner: int
    seat: int


@dataclass(frozen=True)
class Money:
    """A move in the wallet."""

    act: str
    who: int
    amount: int


@dataclass(frozen=True)
class Wait:
    """Blocks in which nothing happens."""

    blocks: int


Step = Live | Wild | Money | Wait

amounts = st.one_of(st.integers(1, 50), st.integers(1, 40 * USDFC))
prices = st.one_of(st.just(0), st.integers(1, 10 * USDFC))


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    replicas = draw(st.sampled_from((3, 3, 3, 5, 4, 2, 1)))
    return Plan(
        sponsored=draw(st.booleans()),
        reward=draw(amounts),
        bond=draw(st.one_of(st.just(0), amounts, st.integers(USDFC, 40 * USDFC))),
        input_price=draw(prices),
        output_price=draw(prices),
        replicas=replicas,
        quorum=replicas // 2 + draw(st.sampled_from((1, 1, 1, 1, 2, 0))),
        claim_for=draw(st.integers(150, 900)),
        runners=tuple(draw(st.permutations(range(RUNNERS)))),
        conducts=tuple(draw(st.sampled_from([Conduct.RIGHT] * 6 + list(Conduct))) for _ in range(replicas)),
    )


steps: st.SearchStrategy[Step] = st.one_of(
    *[st.builds(Live, st.integers(0, MAX_TASKS - 1))] * 8,
    st.builds(
        Wild,
        st.sampled_from(("claim", "commit", "reveal", "advance", "cancel", "again")),
        st.integers(0, MAX_TASKS - 1),
        st.integers(0, RUNNERS - 1),
        st.integers(0, 4),
    ),
    st.builds(
        Money,
        st.sampled_from(("withdraw", "transfer", "bond", "unbond", "keep", "leave")),
        st.integers(0, 8),
        st.one_of(amounts, st.just(150 * USDFC)),
    ),
    st.builds(Wait, st.sampled_from((1, 1, 5, 30, 125, 485, 725))),
)


def histories(length: int) -> st.SearchStrategy[tuple[list[Plan], list[Step]]]:
    """Draw plans and at most `length` steps."""
    return st.tuples(
        st.lists(plans(), min_size=2, max_size=MAX_TASKS), st.lists(steps, min_size=5, max_size=length)
    )
