from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learning.aggregate import SCALE, canonical_bytes, fedavg, quantise
from learning.errors import SecureAggregationError
from learning.secagg import masks, participant, recovery, shamir
from learning.secagg.messages import Answer, Keys, Masked, Shares
from learning.secagg.participant import State
from learning.secagg.recovery import Transcript
from learning.updates import Update

CONTEXT = b"chain 31337, session 1, round 7"
CLIP = 4.0
STAGES = ("shares", "masked", "answer")


def updates(participants: int, parameters: int = 50) -> list[Update]:
    rng = np.random.Generator(np.random.PCG64(participants))
    return [
        Update(f"p{i:02}", int(rng.integers(1, 500)), rng.standard_normal(parameters).astype(np.float32))
        for i in range(participants)
    ]


def steps(update: Update) -> np.ndarray:
    return quantise(update.delta, clip=CLIP) * update.weight


@dataclass
class Board:
    """A round played out: whoever is named under a stage drops before it. States pass through storage at each step."""

    given: list[Update]
    drops: dict[str, Iterable[str]] = field(default_factory=dict)
    threshold: int | None = None
    states: dict[str, State] = field(default_factory=dict)
    keys: dict[str, Keys] = field(default_factory=dict)
    shares: dict[str, Shares] = field(default_factory=dict)
    masked: dict[str, Masked] = field(default_factory=dict)
    answers: dict[str, Answer] = field(default_factory=dict)

    def play(self) -> "Board":
        for update in self.given:
            state, keys = participant.begin(update.participant, CONTEXT)
            self.states[update.participant], self.keys[update.participant] = state, keys
        for name in self.present("shares"):
            state = State.decode(self.states[name].encode())
            self.states[name], message = participant.share(
                state, self.keys.values(), threshold=self.threshold
            )
            self.shares[name] = Shares.decode(message.encode())
        for name in self.present("masked"):
            vector = steps(next(u for u in self.given if u.participant == name))
            state = State.decode(self.states[name].encode())
            self.states[name], masked = participant.mask(state, self.shares.values(), vector)
            self.masked[name] = Masked.decode(masked.encode())
        for name in self.present("answer"):
            state = State.decode(self.states[name].encode())
            self.states[name], answer = participant.answer(state, self.masked)
            self.answers[name] = Answer.decode(answer.encode())
        return self

    def present(self, stage: str) -> list[str]:
        gone = {name for earlier in STAGES[: STAGES.index(stage) + 1] for name in self.drops.get(earlier, ())}
        return [u.participant for u in self.given if u.participant not in gone]

    @property
    def transcript(self) -> Transcript:
        size = len(self.given[0].delta)
        return Transcript(CONTEXT, size, self.keys, self.shares, self.masked, self.answers, self.threshold)

    def expected(self) -> np.ndarray:
        return sum(steps(u) for u in self.given if u.participant in self.masked)


@pytest.mark.parametrize("participants", [2, 3, 5, 10])
def test_the_sum_is_exact_and_the_mean_has_the_bytes_of_plain_averaging(participants: int):
    board = Board(updates(participants)).play()
    total = recovery.recover(board.transcript)
    assert total.tolist() == board.expected().tolist()
    weight = sum(u.weight for u in board.given)
    mean = recovery.mean(total, weight=weight, scale=SCALE, limit=CLIP)
    assert canonical_bytes(mean) == canonical_bytes(fedavg(board.given, clip=CLIP))


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("gone", [["p00"], ["p03", "p09"], ["p01", "p04", "p07"]])
def test_whoever_drops_at_any_stage_the_sum_of_the_rest_is_exact(stage: str, gone: list[str]):
    board = Board(updates(10), {stage: gone}).play()
    assert recovery.recover(board.transcript).tolist() == board.expected().tolist()


def test_drops_at_every_stage_at_once_leave_an_exact_sum():
    board = Board(updates(12), {"shares": ["p00"], "masked": ["p05"], "answer": ["p11"]}).play()
    assert len(board.masked) == 10
    assert recovery.recover(board.transcript).tolist() == board.expected().tolist()


@settings(max_examples=15, deadline=None)
@given(st.integers(4, 9), st.data())
def test_any_drops_leave_an_exact_sum_or_a_lost_round_and_never_another(
    participants: int, data: st.DataObject
):
    names = [u.participant for u in updates(participants)]
    drops = {stage: data.draw(st.sets(st.sampled_from(names), max_size=2)) for stage in STAGES}
    try:
        board = Board(updates(participants), drops).play()
        total = recovery.recover(board.transcript)
    except SecureAggregationError:
        total = None
    if total is not None:
        assert total.tolist() == board.expected().tolist()
    else:
        assert len(set.union(*drops.values())) > participants - participant.default_threshold(participants)


def test_below_the_threshold_the_round_is_lost():
    board = Board(updates(10), {"answer": ["p00", "p01", "p02", "p03"]}).play()
    with pytest.raises(SecureAggregationError, match="lost") as caught:
        recovery.recover(board.transcript)
    assert caught.value.field == "answers"


def test_fewer_shares_than_the_threshold_fit_every_secret():
    secret = 123456789
    shares = shamir.split(secret, threshold=4, shares=6, random=__import__("secrets").token_bytes)
    three = dict(list(enumerate(shares, start=1))[:3])
    for other in (0, 1, secret + 1, shamir.PRIME - 1):
        # Whatever the secret, one share more completes the three to it: so the three say nothing about it.
        fourth = next_share(three, other)
        assert shamir.combine({**three, 4: fourth}) == other
    assert shamir.combine({**three, 4: shares[3]}) == secret


def next_share(three: dict[int, int], secret: int) -> int:
    """Return the value at 4 of the polynomial through the shares and the secret at 0."""
    points = {0: secret, **three}
    total = 0
    for place, value in points.items():
        over, under = 1, 1
        for other in points:
            if other != place:
                over, under = over * (4 - other) % shamir.PRIME, under * (place - other) % shamir.PRIME
        total += value * over * pow(under, -1, shamir.PRIME)
    return total % shamir.PRIME


@settings(max_examples=30)
@given(st.integers(0, shamir.PRIME - 1), st.integers(1, 8), st.data())
def test_any_threshold_of_shares_gives_the_secret(secret: int, threshold: int, data: st.DataObject):
    count = data.draw(st.integers(threshold, 10))
    rng = np.random.Generator(np.random.PCG64(1))
    shares = shamir.split(secret, threshold=threshold, shares=count, random=rng.bytes)
    places = data.draw(st.permutations(range(1, count + 1)))[:threshold]
    assert shamir.combine({place: shares[place - 1] for place in places}) == secret


def test_colluders_below_the_threshold_cannot_unmask_anybody():
    board = Board(updates(10)).play()
    colluding = sorted(board.answers)[: board.transcript.needed - 1]
    seen = {
        place: int.from_bytes(board.answers[name].seeds["p09"], "big")
        for place, name in enumerate(colluding, 1)
    }
    guessed = shamir.combine(seen).to_bytes(32, "big")
    assert guessed != board.states["p09"].self_seed


def test_what_is_posted_shows_nothing_of_an_update():
    # One update of zeros and one of ones: masked words of either are spread evenly over the ring.
    for value in (0.0, 1.0):
        given = [Update(f"p{i}", 1, np.full(40_000, value, np.float32)) for i in range(3)]
        words = np.frombuffer(Board(given).play().masked["p0"].words, "<u8")
        counts = np.bincount((words >> np.uint64(60)).astype(int), minlength=16)
        assert np.abs(counts - 2_500).max() < 300
        low = np.bincount((words & np.uint64(15)).astype(int), minlength=16)
        assert np.abs(low - 2_500).max() < 300


def test_equal_updates_are_masked_differently_in_every_round():
    one, other = (Board(updates(3)).play().masked["p00"].words for _ in range(2))
    assert one != other


def test_a_restarted_participant_posts_the_same_and_never_reveals_both_shares():
    board = Board(updates(5), {"masked": ["p04"]}).play()
    state = board.states["p00"]
    assert participant.share(state, board.keys.values())[1] == board.shares["p00"]
    assert participant.mask(state, board.shares.values(), np.zeros(50, np.int64))[1] == board.masked["p00"]
    assert participant.answer(state, board.masked)[1] == board.answers["p00"]
    with pytest.raises(SecureAggregationError, match="already answered"):
        participant.answer(state, ["p00", "p01", "p02", "p04"])
    answer = board.answers["p00"]
    assert answer.seeds.keys().isdisjoint(answer.mask_keys)


def test_nobody_answers_about_too_few():
    board = Board(updates(5), {"answer": ["p00"]}).play()
    with pytest.raises(SecureAggregationError, match="at least"):
        participant.answer(board.states["p00"], ["p00", "p01"])
    with pytest.raises(SecureAggregationError, match="at least"):
        participant.answer(board.states["p00"], [*board.masked, "stranger"])


def test_shares_that_cannot_be_opened_do_not_stop_the_others():
    board = Board(updates(6))
    honest_share = participant.share

    def spoiling(state: State, keys: Iterable[Keys], **options: int | None) -> tuple[State, Shares]:
        after, message = honest_share(state, keys, **options)
        if state.name != "p00":
            return after, message
        return after, Shares(
            sender="p00", sealed={**message.sealed, "p05": b"spoilt"}, seed_hash=message.seed_hash
        )

    participant.share = spoiling  # type: ignore[assignment]
    try:
        board.play()
    finally:
        participant.share = honest_share
    assert "p00" not in board.answers["p05"].seeds
    assert recovery.recover(board.transcript).tolist() == board.expected().tolist()


def test_a_wrong_share_in_an_answer_is_worked_around_or_the_round_is_lost():
    board = Board(updates(6)).play()
    wrong = board.answers["p02"]
    forged = Answer(sender="p02", seeds={**wrong.seeds, "p00": bytes(31) + b"\1"}, mask_keys=wrong.mask_keys)
    answers = {**board.answers, "p02": forged}
    assert recovery.recover(replace(board.transcript, answers=answers)).tolist() == board.expected().tolist()
    few = {name: answers[name] for name in ("p00", "p01", "p02", "p03", "p04")}
    with pytest.raises(SecureAggregationError, match="too few right shares") as caught:
        recovery.recover(replace(board.transcript, answers=few))
    assert caught.value.field == "p00"


@pytest.mark.parametrize("liars", [1, 3])
def test_lies_of_up_to_half_of_the_answers_beyond_the_threshold_are_corrected(liars: int):
    board = Board(updates(20, 3), threshold=14).play()
    answers = dict(board.answers)
    for number in range(liars):
        name = f"p{number:02}"
        wrong = {owner: bytes(31) + bytes([number + 1]) for owner in answers[name].seeds}
        answers[name] = Answer(sender=name, seeds=wrong, mask_keys={})
    assert recovery.recover(replace(board.transcript, answers=answers)).tolist() == board.expected().tolist()


@settings(max_examples=20, deadline=None)
@given(st.integers(0, shamir.PRIME - 1), st.integers(1, 5), st.data())
def test_shares_are_corrected_as_far_as_the_code_allows_and_no_further(
    secret: int, threshold: int, data: st.DataObject
):
    count = data.draw(st.integers(threshold, 9))
    rng = np.random.Generator(np.random.PCG64(2))
    shares = dict(
        enumerate(shamir.split(secret, threshold=threshold, shares=count, random=rng.bytes), start=1)
    )
    liars = data.draw(st.sets(st.integers(1, count), max_size=(count - threshold) // 2))
    told = {
        place: (value + 1 + place) % shamir.PRIME if place in liars else value
        for place, value in shares.items()
    }
    assert shamir.corrected(told, threshold=threshold) == secret


def test_an_update_beyond_the_rules_shows_in_the_sum():
    given = updates(3)
    huge = Update("p00", 1, given[0].delta)
    board = Board([huge, *given[1:]])
    board.given[0] = huge
    board.play()
    with pytest.raises(SecureAggregationError, match="larger"):
        recovery.mean(recovery.recover(board.transcript) + (1 << 50), weight=10, scale=SCALE, limit=CLIP)


@pytest.mark.parametrize("far", [2**50, -(2**50), -(2**63)])
def test_no_parameter_of_a_sum_may_be_beyond_the_rules_not_even_the_number_without_an_opposite(far: int):
    total = np.array([0, 7, far], np.int64)
    with pytest.raises(SecureAggregationError, match="larger"):
        recovery.mean(total, weight=10, scale=SCALE, limit=CLIP)


@pytest.mark.parametrize("field_", ["seal_key", "mask_key"])
def test_keys_of_the_wrong_length_are_refused(field_: str):
    good = {"sender": "a", "seal_key": bytes(32), "mask_key": bytes(32)}
    with pytest.raises(SecureAggregationError):
        Keys(**{**good, field_: b"short"})  # type: ignore[arg-type]


@pytest.mark.parametrize("point", [bytes(32), bytes([1]) + bytes(31), (2**255 - 20).to_bytes(32, "little")])
def test_keys_that_hide_nothing_are_refused(point: bytes):
    _, good = participant.begin("a", CONTEXT)
    with pytest.raises(SecureAggregationError):
        masks.agree(bytes([1]) * 32, point, purpose=b"x")
    with pytest.raises(SecureAggregationError, match="hides nothing"):
        Keys(sender="a", seal_key=good.seal_key, mask_key=point)


def test_who_copies_another_s_keys_stops_nobody_and_the_sum_of_the_rest_is_exact():
    board = Board(updates(4))
    honest_begin = participant.begin
    first: list[Keys] = []

    def copying(name: str, context: bytes) -> tuple[State, Keys]:
        state, own = honest_begin(name, context)
        first.append(own)
        if name != "p03":
            return state, own
        return state, Keys(sender=name, seal_key=first[0].seal_key, mask_key=first[0].mask_key)

    participant.begin = copying  # type: ignore[assignment]
    try:
        with pytest.raises(SecureAggregationError, match="own keys"):
            board.play()
    finally:
        participant.begin = honest_begin
    for name in ("p00", "p01", "p02"):
        _, shares = participant.share(board.states[name], board.keys.values())
        assert shares.sealed.keys() == board.keys.keys()


def test_the_board_must_hold_ones_own_keys_once():
    state, own = participant.begin("a", CONTEXT)
    _, other = participant.begin("b", CONTEXT)
    _, false = participant.begin("a", CONTEXT)
    for wrong in ([other], [false, other], [own, own, other]):
        with pytest.raises(SecureAggregationError):
            participant.share(state, wrong)


@pytest.mark.parametrize("threshold", [1, 5, 11])
def test_a_threshold_of_half_or_less_or_more_than_all_is_refused(threshold: int):
    with pytest.raises(SecureAggregationError, match="more than half"):
        Board(updates(10), threshold=threshold).play()


@given(st.binary(max_size=100))
def test_no_bytes_do_anything_but_raise(content: bytes):
    for kind in (Keys, Shares, Masked, Answer):
        with pytest.raises(SecureAggregationError):
            kind.decode(content)


def test_a_message_of_one_stage_is_none_of_another():
    board = Board(updates(3)).play()
    with pytest.raises(SecureAggregationError):
        Shares.decode(board.masked["p00"].encode())
    with pytest.raises(SecureAggregationError):
        Answer.decode(board.keys["p00"].encode())
