"""From probes to VALID or INVALID, by thresholds that were calibrated on honest and on dishonest answers."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from statistics import fmean

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from protocol.documents import LlmResult, LlmSpec, model_digest
from protocol.fingerprint import Fingerprint, TokenMark
from runner.verification.places import spelled
from runner.verification.probing import FAR, Probe, Probing, fills_context, most_tokens


class Finding(StrEnum):
    """What an audit found; all but VALID are grounds to vote INVALID."""

    VALID = "valid"
    TEXT = "the fingerprint's tokens do not spell the answer"
    COUNTS = "the token counts are not those of the fingerprint"
    INPUT = "the prompt does not have as many tokens as were billed"
    ENDING = "the answer was cut off where the model would have gone on, or the other way round"
    CHOICE = "the model would have chosen other tokens"
    LIKELIHOOD = "the likelihoods are not those of this model"
    UNLIKELY = "the answer's tokens are not among the model's likeliest"
    MISSING = "the answer or its fingerprint cannot be fetched"
    MALFORMED = "the answer or its fingerprint is no such document"
    ROOT = "the fingerprint is not the one that was committed to"


class Thresholds(BaseModel):
    """What an honest answer keeps to, see `Scores`. `distance` and `regret` are in thousandths of a nat; shares are 0 to 1."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    same_choice: float = Field(ge=0, le=1)
    within: float = Field(ge=0, le=1)
    distance: float = Field(gt=0)
    regret: float = Field(gt=0)
    positions: int = Field(ge=1, le=64)
    honest_pairs: int = Field(ge=0)
    cheating_pairs: int = Field(ge=0)


UNCALIBRATED = Thresholds(
    same_choice=0.5, within=0.9, distance=150, regret=1_000, positions=24, honest_pairs=0, cheating_pairs=0
)
"""For models that nobody has calibrated. Of the packaged model, honest engines that round attention differently are up to
some 90 thousandths off, and a cheaper quantisation or a smaller model is usually 200 to 400 off."""
MOST = 500
"""A place counts at most so much, in thousandths of a nat, in the mean distance: see `Scores`."""
NOISE = 150
"""A regret of so much, in thousandths of a nat, is what rounding does to a choice between two tokens; only what is beyond it counts."""
UTMOST_REGRET = 1_000
"""And of what is beyond, one place counts at most so much."""
_OWN_SLACK = 10
"""By so much may a greedy token be less likely than the first of its own list, in thousandths of a nat. Honestly, it is that one."""
_LONGEST = 64
"""Characters of the longest token, but for one character again and again: no vocabulary has longer ones, and text in one is not probed."""
_BLIND_SHARE, _BLIND_LEAST = 4, 2
"""The places that cannot be probed are a fourth at most, and two may always be so. Of honest answers few are, all after white space."""
_OTHERS_SHARE, _OTHERS_LEAST = 2, 2
"""Of characters that are compared where tokens cannot be, half may be others: a model that does not know a script well is seldom sure."""
_RECOUNT_SLACK, _RECOUNT_SPARE = 1.25, 8
"""Text that is cut into tokens anew may have fewer than were generated, but not many fewer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """Probes in numbers. `distance` is the mean of |Δ log likelihood|, in thousandths of a nat, each capped at half a nat.

    The cap is there because single places can be far off in an honest answer too: where text is cut into other tokens
    than were generated, or where rounding tips the balance. A cheaper model is off nearly everywhere. For the same reason one
    place is spared: the furthest counts nothing, and one other choice is none. An answer of a few tokens would hang on it.

    `regret` is how much likelier the auditor's own choices are: the sum, in thousandths of a nat, of what is beyond `NOISE`, one
    place spared. It counts where every token had to be the likeliest, and there it tells drawn text, whose likelihoods are true. An
    honest choice is only another where two tokens are as good as level, and then not by more than rounding moves them.
    """

    same_choice: float
    within: float
    distance: float
    regret: float = 0.0


@cache
def calibrations() -> dict[str, Thresholds]:
    """Return the calibrated thresholds by model digest."""
    text = files("runner.verification").joinpath("thresholds.json").read_text(encoding="utf-8")
    return TypeAdapter(dict[str, Thresholds]).validate_python(json.loads(text))


def thresholds_for(model: str) -> Thresholds | None:
    """Return the thresholds for `name@sha256:<digest>`; None for a model that nobody has calibrated: `UNCALIBRATED` holds."""
    return calibrations().get(model_digest(model))


def scores_of(probes: Sequence[Probe]) -> Scores:
    """Sum probes up; `ValueError` for none."""
    if not probes:
        raise ValueError("no probes")
    same = sum(probe.same_choice for probe in probes)
    apart = [min(probe.delta, MOST) for probe in probes if probe.delta is not None]
    return Scores(
        same_choice=min(1.0, (same + 1) / len(probes)),
        within=fmean(probe.within for probe in probes),
        # Of tokens that were not listed, `within` tells.
        distance=_spared(apart) / len(apart) if apart else MOST,
        regret=regret_of([probe.regret for probe in probes if probe.regret is not None]),
    )


def regret_of(regrets: Sequence[int]) -> int:
    """Sum up the regrets of an answer's places as `Scores.regret` has them."""
    return _spared([min(max(0, regret - NOISE), UTMOST_REGRET) for regret in regrets])


def _spared(each: Sequence[int]) -> int:
    return sum(each) - max(each, default=0)


def check_papers(spec: LlmSpec, result: LlmResult, fingerprint: Fingerprint) -> Finding:
    """Check what needs no model: the fingerprint must be of this very answer, and be counted right."""
    if fingerprint.task != result.task or fingerprint.model != result.model or result.model != spec.model:
        return Finding.TEXT
    if not all(_is_a_token(mark) for mark in fingerprint.tokens):
        return Finding.MALFORMED
    if spelled([mark.text for mark in fingerprint.tokens], result.output) is None:
        return Finding.TEXT
    if not _counted_right(spec, result, fingerprint):
        return Finding.COUNTS
    if spec.options.takes_the_likeliest and not all(_is_likeliest(mark) for mark in fingerprint.tokens):
        return Finding.CHOICE
    ended = result.done_reason == "stop"
    full = result.done_reason == "length" and (
        result.output_tokens == spec.options.num_predict or fills_context(spec, result)
    )
    return Finding.VALID if ended or full else Finding.ENDING


def _counted_right(spec: LlmSpec, result: LlmResult, fingerprint: Fingerprint) -> bool:
    # A token that shows nothing ends the answer; elsewhere it would only shift the places that are probed.
    shown = [mark for mark in fingerprint.tokens if mark.token]
    ended = len(fingerprint.tokens) - len(shown)
    # The token that ends an answer is counted by every engine, and listed by some.
    most = sum(most_tokens(mark) for mark in shown) + max(ended, result.done_reason == "stop")
    counted = len(shown) <= result.output_tokens <= most and ended <= 1
    counted = counted and all(mark.token for mark in fingerprint.tokens[:-1])
    billed = result.input_tokens == fingerprint.input_tokens
    return counted and billed and result.output_tokens <= spec.options.num_predict


def _is_a_token(mark: TokenMark) -> bool:
    try:
        text = mark.content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return len(text) <= _LONGEST or len(set(text)) == 1


def _is_likeliest(mark: TokenMark) -> bool:
    """Return whether the runner's own engine had no likelier token. No rounding comes in: both figures are of one computation."""
    return not mark.top or mark.top[0].logprob - mark.logprob <= _OWN_SLACK


def judge(result: LlmResult, probing: Probing, thresholds: Thresholds) -> Finding:
    """Weigh the probes of an answer whose papers are in order."""
    if probing.input_tokens and probing.input_tokens != result.input_tokens:
        return Finding.INPUT
    if probing.output_tokens and result.output_tokens > _most_recounted(probing.output_tokens):
        return Finding.COUNTS
    if not probing.ends:
        return Finding.ENDING
    if _hides_something(probing):
        return Finding.UNLIKELY
    # An answer without a token that could be probed is an ending alone, and that was checked.
    found = _judge_places(probing, thresholds) if probing.probes else Finding.VALID
    # One is enough: the places before it and behind it are then honest ones, of an answer that goes on from there.
    return Finding.CHOICE if found is Finding.VALID and probing.forced else found


def _hides_something(probing: Probing) -> bool:
    blind, seen = len(probing.blind), len(probing.probes) + len(probing.characters)
    if blind > max(_BLIND_LEAST, (blind + seen) // _BLIND_SHARE):
        return True
    others = probing.characters.count(False)
    return others > max(_OTHERS_LEAST, len(probing.characters) // _OTHERS_SHARE)


def _judge_places(probing: Probing, thresholds: Thresholds) -> Finding:
    if _begins_elsewhere(probing.probes[0], greedy=probing.greedy):
        return Finding.CHOICE
    return weigh(scores_of(probing.probes), thresholds, greedy=probing.greedy)


def _begins_elsewhere(first: Probe, *, greedy: bool) -> bool:
    """Return whether the answer's first token is beyond what rounding explains: nothing before it could be cut into other tokens."""
    regret = (first.regret or 0) if greedy else 0
    return first.position == 0 and max(first.delta or 0, regret) > FAR


def _most_recounted(tokens: int) -> float:
    return tokens * _RECOUNT_SLACK + _RECOUNT_SPARE


def weigh(scores: Scores, thresholds: Thresholds, *, greedy: bool) -> Finding:
    """Hold scores against thresholds. `greedy`: every token had to be the likeliest."""
    if scores.within < thresholds.within:
        return Finding.UNLIKELY
    if scores.same_choice < thresholds.same_choice or (greedy and scores.regret > thresholds.regret):
        return Finding.CHOICE
    return Finding.VALID if scores.distance <= thresholds.distance else Finding.LIKELIHOOD
