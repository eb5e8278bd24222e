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
from runner.verification.places import BROKEN, spelled
from runner.verification.probing import Probe, Probing


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
    """What an honest answer keeps to. `distance` is in thousandths of a nat; shares are 0 to 1."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    same_choice: float = Field(ge=0, le=1)
    within: float = Field(ge=0, le=1)
    distance: float = Field(gt=0)
    positions: int = Field(ge=1, le=64)
    honest_pairs: int = Field(ge=0)
    cheating_pairs: int = Field(ge=0)


UNCALIBRATED = Thresholds(
    same_choice=0.5, within=0.9, distance=150, positions=24, honest_pairs=0, cheating_pairs=0
)
"""For models that nobody has calibrated. Of the packaged model, honest engines that round attention differently are up to
some 90 thousandths off, and a cheaper quantisation or a smaller model is usually 200 to 400 off."""
MOST = 500
"""A place counts at most so much, in thousandths of a nat, in the mean distance: see `Scores`."""
_REGRET = 100
"""The most by which the tokens of a greedy answer may be less likely than the auditor's own choices, in the mean as `distance` is.

Cautious: of 17 honest answers of engines that round otherwise the furthest was 25 off; text drawn at temperature 1 was 125 to 218 off.
"""
_LONGEST = 64
"""Characters of the longest token, but for one character again and again: no vocabulary has longer ones, and text in one is not probed."""
_BLIND_SHARE, _BLIND_LEAST = 4, 2
"""The places that cannot be probed are a fourth at most, and two may always be so. Of honest answers few are, all after white space."""
_RECOUNT_SLACK, _RECOUNT_SPARE = 1.25, 8
"""Text that is cut into tokens anew may have fewer than were generated, but not many fewer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """Probes in numbers. `distance` is the mean of |Δ log likelihood|, in thousandths of a nat, each capped at half a nat.

    `regret` is the mean of how much likelier the auditor's own choices are, alike; it counts where answers are greedy.

    The cap is there because single places can be far off in an honest answer too: where text is cut into other tokens
    than were generated, or where rounding tips the balance. A cheaper model is off nearly everywhere.
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
    return Scores(
        same_choice=fmean(probe.same_choice for probe in probes),
        within=fmean(probe.within for probe in probes),
        distance=_mean([probe.delta for probe in probes]),
        regret=_mean([probe.regret for probe in probes]),
    )


def _mean(apart: Sequence[int | None]) -> float:
    """Average over the tokens that were found; of those that were not, `within` tells."""
    found = [min(each, MOST) for each in apart if each is not None]
    return fmean(found) if found else MOST


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
    ended = result.done_reason == "stop"
    full = result.done_reason == "length" and result.output_tokens == spec.options.num_predict
    return Finding.VALID if ended or full else Finding.ENDING


def _counted_right(spec: LlmSpec, result: LlmResult, fingerprint: Fingerprint) -> bool:
    # A token that shows nothing ends the answer; elsewhere it would only shift the places that are probed.
    shown = [mark for mark in fingerprint.tokens if mark.token]
    ended = len(fingerprint.tokens) - len(shown)
    most = sum(_most_tokens(mark) for mark in shown) + ended
    counted = len(shown) <= result.output_tokens <= most and ended <= 1
    counted = counted and all(mark.token for mark in fingerprint.tokens[:-1])
    billed = result.input_tokens == fingerprint.input_tokens
    return counted and billed and result.output_tokens <= spec.options.num_predict


def _most_tokens(mark: TokenMark) -> int:
    """Return how many tokens a mark may stand for: engines may show the tokens of one character beyond ASCII together."""
    return 1 if mark.text.isascii() or BROKEN in mark.text else len(mark.content)


def _is_a_token(mark: TokenMark) -> bool:
    try:
        text = mark.content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return len(text) <= _LONGEST or len(set(text)) == 1


def judge(result: LlmResult, probing: Probing, thresholds: Thresholds) -> Finding:
    """Weigh the probes of an answer whose papers are in order."""
    if probing.input_tokens and probing.input_tokens != result.input_tokens:
        return Finding.INPUT
    if probing.output_tokens and result.output_tokens > _most_recounted(probing.output_tokens):
        return Finding.COUNTS
    if not probing.ends:
        return Finding.ENDING
    if len(probing.blind) > max(_BLIND_LEAST, (len(probing.probes) + len(probing.blind)) // _BLIND_SHARE):
        return Finding.UNLIKELY
    # An answer without a token that could be probed is an ending alone, and that was checked.
    if not probing.probes:
        return Finding.VALID
    return _weigh(scores_of(probing.probes), thresholds, greedy=probing.greedy)


def _most_recounted(tokens: int) -> float:
    return tokens * _RECOUNT_SLACK + _RECOUNT_SPARE


def _weigh(scores: Scores, thresholds: Thresholds, *, greedy: bool) -> Finding:
    if scores.within < thresholds.within:
        return Finding.UNLIKELY
    if scores.same_choice < thresholds.same_choice or (greedy and scores.regret > _REGRET):
        return Finding.CHOICE
    return Finding.VALID if scores.distance <= thresholds.distance else Finding.LIKELIHOOD
