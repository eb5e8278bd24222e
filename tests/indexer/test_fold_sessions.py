"""What the fold refuses of learning sessions: events that FederatedLearning cannot have emitted."""

from datetime import UTC, datetime
from typing import Any

import pytest

from indexer.errors import FoldError
from indexer.events import EventBook, Log
from indexer.fold import apply, needs
from indexer.fold.state import State
from protocol.enums import SessionPhase
from tests.indexer.contract_events import ADDRESSES, NODES, OWNERS, PAYERS, emitted

SESSION = b"\x05" * 32
WORD = b"\x01" * 32
BOOK = EventBook({address: contract for contract, address in ADDRESSES.items()})
ORDER = (PAYERS[0], PAYERS[0], 100, 10, 3, 5, 5, 2, 2, 3, 0, 3, 2, 0, 1, 1, 50, 10, 5, 9, WORD, WORD)


class Story:
    """Folds events of one session, as if nothing were in the database before."""

    def __init__(self) -> None:
        self.state = State()
        self.block = 0

    def tell(self, name: str, *args: Any, contract: str = "FederatedLearning") -> None:
        self.block += 1
        raw = emitted(contract, name, *args)
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
        self.state.sessions.learn(self.state.sessions.unknown(keys.sessions), {})
        self.state.session_parameters.learn(
            self.state.session_parameters.unknown(keys.session_parameters), {}
        )
        apply(self.state, event)

    def create(self) -> None:
        self.tell("SessionCreated", SESSION, PAYERS[0], PAYERS[0], ORDER, PAYERS[1], 7)

    def join(self, slot: int) -> None:
        self.tell("ParticipantJoined", SESSION, NODES[slot], OWNERS[slot], slot, WORD)

    def phase(self, phase: SessionPhase) -> None:
        self.tell("SessionPhaseChanged", SESSION, int(phase), 60)

    def start(self) -> None:
        self.create()
        self.join(0)
        self.join(1)
        self.tell("RoundStarted", SESSION, 1, 0, bytes(32))
        self.phase(SessionPhase.TRAINING)


@pytest.fixture
def story() -> Story:
    return Story()


def test_who_may_act_is_who_acted_before(story: Story) -> None:
    story.start()
    row = story.state.sessions.find(SESSION)
    assert row is not None
    assert (row.expected, row.acted) == (2, 0)
    story.tell("ContributionCommitted", SESSION, NODES[0], 0, WORD)
    story.phase(SessionPhase.REVEALING)
    assert (row.expected, row.acted) == (1, 0)
    story.tell("ContributionRevealed", SESSION, NODES[0], 0, WORD, 33)
    held = story.state.participants.find((SESSION, 0))
    assert held is not None
    assert (held.samples, held.last_digest, held.contributions) == (33, WORD, 1)


def test_who_has_nothing_to_hand_in_yet_has_acted_but_contributed_nothing(story: Story) -> None:
    story.start()
    story.tell("ContributionCommitted", SESSION, NODES[0], 0, WORD)
    story.phase(SessionPhase.REVEALING)
    story.tell("ContributionRevealed", SESSION, NODES[0], 0, WORD, 0)
    held, row = story.state.participants.find((SESSION, 0)), story.state.sessions.find(SESSION)
    assert held is not None
    assert row is not None
    assert (row.acted, held.contributions, held.samples, held.last_digest) == (1, 0, None, None)


def test_a_settled_round_credits_who_is_paid_and_counts_who_is_accepted(story: Story) -> None:
    story.start()
    story.tell("RoundSettled", SESSION, 1, (WORD, WORD, 0b11, 0, False), 0b01, 98, 2)
    found = [story.state.participants.find((SESSION, slot)) for slot in (0, 1)]
    assert [(row.accepted, row.paid) for row in found if row] == [(1, 98), (1, 0)]
    row = story.state.sessions.find(SESSION)
    assert row is not None
    assert (row.paid, row.fees, row.model, row.finished) == (98, 2, WORD, 1)


def test_who_is_caught_is_out_in_that_round_and_counts_as_no_member(story: Story) -> None:
    story.start()
    story.tell("ParticipantMissed", SESSION, NODES[1], 1, 3, False)
    story.tell("RoundSettled", SESSION, 1, (WORD, WORD, 0b01, 0b10, False), 0b01, 98, 2)
    story.tell("ParticipantCaught", SESSION, NODES[1], 1, 50)
    row, caught = story.state.sessions.find(SESSION), story.state.participants.find((SESSION, 1))
    assert row is not None
    assert caught is not None
    assert (row.members, row.slashed) == (1, 53)
    assert (caught.status, caught.caught_round, caught.slashed, caught.missed) == ("out", 1, 53, 1)


@pytest.mark.parametrize(
    ("name", "args", "why"),
    [
        ("ParticipantJoined", (SESSION, NODES[2], OWNERS[2], 0, WORD), "is taken"),
        ("ContributionCommitted", (SESSION, NODES[2], 0, WORD), "is not 0x"),
        ("ContributionRevealed", (SESSION, NODES[0], 0, WORD, 1), "acts in revealing"),
        ("RoundStarted", (SESSION, 2, 0, WORD), "another model"),
        ("RoundSettled", (SESSION, 1, (WORD, WORD, 0b100, 0, False), 0, 1, 1), "is empty and accepted"),
        ("SessionEnded", (SESSION, int(SessionPhase.FINISHED), WORD, 1, 0), "is training"),
        ("SessionCreated", (SESSION, PAYERS[0], PAYERS[0], ORDER, PAYERS[1], 7), "was created before"),
        ("SessionClosing", (WORD,), "was never created"),
    ],
)
def test_an_impossible_event_is_refused(story: Story, name: str, args: tuple[Any, ...], why: str) -> None:
    story.start()
    with pytest.raises(FoldError, match=why):
        story.tell(name, *args)


def test_nothing_happens_to_a_session_that_ended(story: Story) -> None:
    story.create()
    story.phase(SessionPhase.CANCELLED)
    with pytest.raises(FoldError, match="is already cancelled"):
        story.join(0)


def test_a_parameter_version_is_added_once(story: Story) -> None:
    params = tuple(range(1, 14))
    story.tell("SessionParamsAdded", 1, params, contract="SessionCharter")
    with pytest.raises(FoldError, match="was added before"):
        story.tell("SessionParamsAdded", 1, params, contract="SessionCharter")
