"""Looking at one answer: its papers, and what this runner's own copy of the model says of it."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import httpx
import ollama
import structlog
from pydantic import ValidationError

from protocol.audit import AuditEvidence, AuditScores
from protocol.content import ContentStore
from protocol.documents import LlmResult, LlmSpec, ModelOffer, parse_document
from protocol.errors import ContentMismatch, ContentTooLarge, ContentUnavailable, InputError
from protocol.fingerprint import Fingerprint, parse_fingerprint
from runner.auditing.cases import Revealed
from runner.errors import EngineUnavailable
from runner.verification.places import may_be_cut, places_to_probe
from runner.verification.probing import Prober
from runner.verification.verdict import (
    UNCALIBRATED,
    Finding,
    Scores,
    check_papers,
    judge,
    scores_of,
    thresholds_for,
)

_MOST = 1_000_000

log = structlog.get_logger()


class NotCompetent(Exception):
    """The answer is not one that this runner can judge: it leaves the seat to others."""


class _Bad(Exception):
    """The answer's papers are bad, whatever its model says."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.value)
        self.finding = finding


@dataclass(frozen=True, slots=True, kw_only=True)
class _Opinion:
    finding: Finding
    positions: tuple[int, ...] = ()
    scores: Scores | None = None


class Examiner:
    """Examines answers with one engine. `places` are those in front of it."""

    def __init__(self, store: ContentStore, prober: Prober, places: asyncio.Semaphore) -> None:
        self._store = store
        self._prober = prober
        self._places = places

    async def spec(self, digest: bytes, offers: Mapping[str, ModelOffer]) -> LlmSpec:
        """Fetch the order's spec; `NotCompetent` if it asks for what this runner does not have.

        Who cannot read the question does not judge the answer: or a client could have its money back by withholding it.
        Raises `ContentUnavailable`, `ContentMismatch`.
        """
        try:
            spec = parse_document(await self._store.get(digest))
        except (InputError, ContentTooLarge) as error:
            raise NotCompetent(f"spec: {error}") from error
        if not isinstance(spec, LlmSpec):
            raise NotCompetent(f"{spec.kind} is not work that is judged here")
        if spec.model not in offers:
            raise NotCompetent(f"{spec.model} is not here")
        return spec

    async def examine(
        self, revealed: Revealed, spec: LlmSpec, *, round_: int, seed: bytes, patient: bool
    ) -> AuditEvidence:
        """Judge an answer. `seed` chooses the places to probe; `patient`: what cannot be fetched may still come.

        Raises `ContentUnavailable`, `ContentMismatch` while it is worth waiting, `EngineUnavailable`.
        """
        try:
            opinion = await self._opinion(revealed, spec, seed=seed, patient=patient)
        except _Bad as bad:
            opinion = _Opinion(finding=bad.finding)
        log.info("audited", finding=opinion.finding.name.lower(), task_id="0x" + revealed.task_id.hex())
        return AuditEvidence(
            task="0x" + revealed.task_id.hex(),
            round=round_,
            model=spec.model,
            finding=opinion.finding.name.lower(),
            positions=opinion.positions,
            scores=None if opinion.scores is None else _rounded(opinion.scores),
        )

    async def _opinion(self, revealed: Revealed, spec: LlmSpec, *, seed: bytes, patient: bool) -> _Opinion:
        result = await self._result(revealed, patient=patient)
        fingerprint = await self._fingerprint(result, revealed, patient=patient)
        billed = (revealed.input_tokens, revealed.output_tokens)
        if billed != (result.input_tokens, result.output_tokens):
            raise _Bad(Finding.COUNTS)
        papers = check_papers(spec, result, fingerprint)
        if papers is not Finding.VALID:
            raise _Bad(papers)
        thresholds = thresholds_for(spec.model) or UNCALIBRATED
        places = places_to_probe(
            fingerprint, result.output, seed=seed, count=thresholds.positions, cut=may_be_cut(spec, result)
        )
        async with self._places:
            try:
                probing = await self._prober.probe(spec, result, fingerprint, places)
            except (ollama.ResponseError, httpx.HTTPError, OSError, ValidationError) as error:
                raise EngineUnavailable(
                    f"the model engine could not be asked about an answer ({error})",
                    hint="Look at the engine's log: the seat's stake is at risk if no vote is opened.",
                ) from error
        scores = scores_of(probing.probes) if probing.probes else None
        positions = tuple(place.position for place in places)
        return _Opinion(finding=judge(result, probing, thresholds), positions=positions, scores=scores)

    async def _result(self, revealed: Revealed, *, patient: bool) -> LlmResult:
        content = await self._fetch(revealed.result, spec=revealed.spec, patient=patient)
        try:
            result = parse_document(content)
        except InputError as error:
            raise _Bad(Finding.MALFORMED) from error
        if not isinstance(result, LlmResult) or result.task != "0x" + revealed.task_id.hex():
            raise _Bad(Finding.MALFORMED)
        return result

    async def _fingerprint(self, result: LlmResult, revealed: Revealed, *, patient: bool) -> Fingerprint:
        if result.fingerprint is None:
            raise _Bad(Finding.MISSING)
        digest = bytes.fromhex(result.fingerprint)
        content = await self._fetch(digest, spec=revealed.spec, patient=patient)
        try:
            fingerprint = parse_fingerprint(content)
        except InputError as error:
            raise _Bad(Finding.MALFORMED) from error
        if fingerprint.root != revealed.fingerprint_root:
            raise _Bad(Finding.ROOT)
        return fingerprint

    async def _fetch(self, digest: bytes, *, spec: bytes, patient: bool) -> bytes:
        try:
            return await self._store.get(digest)
        except ContentTooLarge as error:
            raise _Bad(Finding.MALFORMED) from error
        except (ContentUnavailable, ContentMismatch) as error:
            if patient:
                raise
            await self._store.pin(spec)  # fails with our own node, and then it is not the runner's fault
            raise _Bad(Finding.MISSING) from error


def _rounded(scores: Scores) -> AuditScores:
    return AuditScores(
        same_choice=round(scores.same_choice * 1_000),
        within=round(scores.within * 1_000),
        distance=min(_MOST, round(scores.distance)),
    )
