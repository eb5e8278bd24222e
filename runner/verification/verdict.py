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
from runner.verification.probing import OPENING, Probe, Probing

UNFOUND = 5_000.0
"""The distance, in thousandths, of an answer none of whose tokens the auditor's model lists."""


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
    """What an honest answer keeps to. `opening` and `whole` are in thousandths of a nat; shares are 0 to 1."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    same_choice: float = Field(ge=0, le=1)
    within: float = Field(ge=0, le=1)
    opening: float = Field(gt=0)
    whole: float = Field(gt=0)
    positions: int = Field(ge=1, le=64)
    honest_pairs: int = Field(ge=0)
    cheating_pairs: int = Field(ge=0)


UNCALIBRATED = Thresholds(
    same_choice=0.75, within=0.9, opening=30, whole=250, positions=12, honest_pairs=0, cheating_pairs=0
)
"""For models that nobody has calibrated: an honest engine of the same build is 0 to 2 thousandths off, the nearest cheat
(the same weights in 8 bits) about 55, one that saves anything (the same weights in 4 bits) about 590."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """Probes in four numbers. `opening` and `whole` are mean distances of likelihoods, in thousandths.

    The opening is judged strictly, the whole loosely: further on an honest answer may have been cut into other tokens than its
    text is cut into again when an auditor gives it to its model, and from there on likelihoods are off by some 60 thousandths.
    That befalls one token in two thousand.
    """

    same_choice: float
    within: float
    opening: float
    whole: float


@cache
def calibrations() -> dict[str, Thresholds]:
    """Give the calibrated thresholds by model digest."""
    text = files("runner.verification").joinpath("thresholds.json").read_text(encoding="utf-8")
    return TypeAdapter(dict[str, Thresholds]).validate_python(json.loads(text))


def thresholds_for(model: str) -> Thresholds | None:
    """Give the thresholds for `name@sha256:<digest>`; None for a model that nobody has calibrated: `UNCALIBRATED` holds."""
    return calibrations().get(model_digest(model))


def scores_of(probes: Sequence[Probe]) -> Scores:
    """Sum probes up; `ValueError` for none."""
    if not probes:
        raise ValueError("no probes")
    return Scores(
        same_choice=fmean(probe.same_choice for probe in probes),
        within=fmean(probe.within for probe in probes),
        opening=_distance([probe for probe in probes if probe.position < OPENING]),
        whole=_distance(probes),
    )


def _distance(probes: Sequence[Probe]) -> float:
    """Average over the tokens that were found; of the others `within` tells, and one of them would drown all else here."""
    found = [probe.delta for probe in probes if probe.delta is not None]
    return fmean(found) if found else UNFOUND


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
    near = scores.opening <= thresholds.opening and scores.whole <= thresholds.whole
    return Finding.VALID if near else Finding.LIKELIHOOD
