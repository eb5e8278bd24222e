"""Auditing an answer by probing it, with a real model on both sides."""

import pytest

from protocol.documents import LlmOptions, LlmResult, LlmSpec, parse_document
from protocol.fingerprint import Fingerprint, parse_fingerprint
from runner.executors import Execution
from runner.executors.llm import LlmExecutor
from runner.verification.probing import Prober, Probing, positions_to_probe
from runner.verification.verdict import Finding, Thresholds, check_papers, judge, scores_of
from tests.runner.conftest import TASK

STRICT = Thresholds(same_choice=0.9, within=0.95, delta=20, positions=8, honest_pairs=0, cheating_pairs=0)


@pytest.fixture
async def spec(engine_url: str) -> LlmSpec:
    (model,) = await LlmExecutor(engine_url, slots=1).models()
    return LlmSpec(
        model=f"{model.name}@sha256:{model.digest}",
        prompt="Name three rivers of Europe.",
        options=LlmOptions(num_predict=24),
    )


@pytest.fixture
async def work(engine_url: str, spec: LlmSpec) -> Execution:
    return await LlmExecutor(engine_url, slots=1).execute(spec, TASK, audited=True)


def papers(work: Execution) -> tuple[LlmResult, Fingerprint]:
    result = parse_document(work.result)
    assert isinstance(result, LlmResult)
    assert work.fingerprint is not None
    return result, parse_fingerprint(work.fingerprint)


async def probe(engine_url: str, spec: LlmSpec, result: LlmResult, fingerprint: Fingerprint) -> Probing:
    positions = positions_to_probe(fingerprint, seed=b"beacon", count=STRICT.positions)
    return await Prober(engine_url).probe(spec, result, fingerprint, positions)


async def test_audited_work_brings_a_fingerprint_that_its_result_names(work: Execution) -> None:
    result, fingerprint = papers(work)
    assert result.fingerprint is not None
    assert fingerprint.root == work.fingerprint_root
    assert all(mark.top for mark in fingerprint.tokens)


async def test_compared_work_has_no_fingerprint_since_likelihoods_differ_in_their_last_bits(
    engine_url: str, spec: LlmSpec
) -> None:
    work = await LlmExecutor(engine_url, slots=1).execute(spec, TASK)
    result = parse_document(work.result)
    assert isinstance(result, LlmResult)
    assert (result.fingerprint, work.fingerprint, work.fingerprint_root) == (None, None, bytes(32))


async def test_an_honest_answer_is_valid(engine_url: str, spec: LlmSpec, work: Execution) -> None:
    result, fingerprint = papers(work)
    assert check_papers(spec, result, fingerprint) is Finding.VALID
    probing = await probe(engine_url, spec, result, fingerprint)
    assert judge(result, probing, STRICT) is Finding.VALID
    assert scores_of(probing.probes).delta < 2


async def test_an_answer_to_an_edited_prompt_is_found_out(engine_url: str, spec: LlmSpec) -> None:
    edited = spec.model_copy(update={"prompt": "Name three rivers of Asia, please."})
    cheated = await LlmExecutor(engine_url, slots=1).execute(edited, TASK, audited=True)
    result, fingerprint = papers(cheated)
    probing = await probe(engine_url, spec, result, fingerprint)
    assert judge(result, probing, STRICT) is not Finding.VALID


async def test_a_truncated_answer_is_found_out(engine_url: str, spec: LlmSpec, work: Execution) -> None:
    result, fingerprint = papers(work)
    kept = fingerprint.model_copy(update={"tokens": fingerprint.tokens[:5]})
    text = kept.text_before(5).decode()
    cut = result.model_copy(update={"output": text, "output_tokens": 5, "done_reason": "stop"})
    assert check_papers(spec, cut.model_copy(update={"done_reason": "length"}), kept) is Finding.ENDING
    assert check_papers(spec, cut, kept) is Finding.VALID
    assert judge(cut, await probe(engine_url, spec, cut, kept), STRICT) is Finding.ENDING


async def test_made_up_text_is_found_out(engine_url: str, spec: LlmSpec, work: Execution) -> None:
    result, fingerprint = papers(work)
    words = [mark.model_copy(update={"token": b" fish".hex()}) for mark in fingerprint.tokens]
    made_up = fingerprint.model_copy(update={"tokens": tuple(words)})
    lie = result.model_copy(update={"output": " fish" * len(words)})
    assert check_papers(spec, lie, made_up) is Finding.VALID
    assert judge(lie, await probe(engine_url, spec, lie, made_up), STRICT) is Finding.UNLIKELY


async def test_a_prompt_billed_for_more_tokens_than_it_has_is_found_out(
    engine_url: str, spec: LlmSpec, work: Execution
) -> None:
    result, fingerprint = papers(work)
    padded = result.model_copy(update={"input_tokens": result.input_tokens + 1})
    marked = fingerprint.model_copy(update={"input_tokens": padded.input_tokens})
    assert check_papers(spec, padded, marked) is Finding.VALID
    assert judge(padded, await probe(engine_url, spec, padded, marked), STRICT) is Finding.INPUT


async def test_a_padded_answer_is_found_in_the_papers(spec: LlmSpec, work: Execution) -> None:
    result, fingerprint = papers(work)
    padded = result.model_copy(update={"output_tokens": result.output_tokens + 2})
    assert check_papers(spec, padded, fingerprint) is Finding.COUNTS
    longer = result.model_copy(update={"output": result.output + "!"})
    assert check_papers(spec, longer, fingerprint) is Finding.TEXT


async def test_papers_that_would_lead_the_probes_astray_are_refused(spec: LlmSpec, work: Execution) -> None:
    result, fingerprint = papers(work)
    blank = fingerprint.tokens[0].model_copy(update={"token": ""})
    shifted = fingerprint.model_copy(update={"tokens": (blank, *fingerprint.tokens)})
    assert check_papers(spec, result, shifted) is Finding.COUNTS
    broken = fingerprint.tokens[0].model_copy(update={"token": "ff"})
    torn = fingerprint.model_copy(update={"tokens": (broken, *fingerprint.tokens[1:])})
    assert check_papers(spec, result, torn) is Finding.MALFORMED
    short = spec.model_copy(update={"options": LlmOptions(num_predict=result.output_tokens - 1)})
    assert check_papers(short, result, fingerprint) is Finding.COUNTS
    evasive = result.model_copy(update={"done_reason": "load"})
    assert check_papers(spec, evasive, fingerprint) is Finding.ENDING


async def test_the_places_probed_follow_from_the_seed_and_nothing_else(work: Execution) -> None:
    _, fingerprint = papers(work)
    drawn = {seed: positions_to_probe(fingerprint, seed=seed, count=6) for seed in (b"1", b"2", b"3")}
    assert drawn[b"1"] == positions_to_probe(fingerprint, seed=b"1", count=6)
    assert len({tuple(places) for places in drawn.values()}) > 1
    assert all(len(places) == 6 and places[0] == 0 for places in drawn.values())
