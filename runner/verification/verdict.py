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


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """Probes in three numbers. `distance` is the mean of |Δ log likelihood|, in thousandths of a nat, each capped at half a nat.

    The cap is there because single places can be far off in an honest answer too: where text is cut into other tokens
    than were generated, or where rounding tips the balance. A cheaper model is off nearly everywhere.
    """

    same_choice: float
    within: float
    distance: float


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
        distance=_distance(probes),
    )


def _distance(probes: Sequence[Probe]) -> float:
    """Average over the tokens that were found; of those that were not, `within` tells."""
    found = [min(probe.delta, MOST) for probe in probes if probe.delta is not None]
    return fmean(found) if found else MOST


def check_papers(spec: LlmSpec, result: LlmResult, fingerprint: Fingerprint) -> Finding:
    """Check what needs no model: the fingerprint must be of this very answer, and be counted right."""
    if fingerprint.task != result.task or fingerprint.model != result.model or result.model != spec.model:
        return Finding.TEXT
    if not all(_is_text(mark) for mark in fingerprint.tokens):
        return Finding.MALFORMED
    if fingerprint.text_before(len(fingerprint.tokens)).decode("utf-8", "replace") != result.output:
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
    counted = result.output_tokens in (len(shown), len(fingerprint.tokens)) and ended <= 1
    counted = counted and all(mark.token for mark in fingerprint.tokens[:-1])
    billed = result.input_tokens == fingerprint.input_tokens
    return counted and billed and result.output_tokens <= spec.options.num_predict


def _is_text(mark: TokenMark) -> bool:
    try:
        mark.content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def judge(result: LlmResult, probing: Probing, thresholds: Thresholds) -> Finding:
    """Weigh the probes of an answer whose papers are in order."""
    if probing.input_tokens and probing.input_tokens != result.input_tokens:
        return Finding.INPUT
    if not probing.ends:
        return Finding.ENDING
    # An answer without a token that could be probed is an ending alone, and that was checked.
    return _weigh(scores_of(probing.probes), thresholds) if probing.probes else Finding.VALID


def _weigh(scores: Scores, thresholds: Thresholds) -> Finding:
    if scores.within < thresholds.within:
        return Finding.UNLIKELY
    if scores.same_choice < thresholds.same_choice:
        return Finding.CHOICE
    return Finding.VALID if scores.distance <= thresholds.distance else Finding.LIKELIHOOD
