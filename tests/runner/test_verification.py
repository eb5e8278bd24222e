"""Auditing an answer by probing it, with a real model on both sides."""

import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.verification.engines import engine
from devnet.paths import MODEL
from protocol.documents import LlmOptions, LlmResult, LlmSpec, parse_document
from protocol.fingerprint import Alternative, Fingerprint, TokenMark, parse_fingerprint
from runner.executors import Execution
from runner.executors.llm import LlmExecutor
from runner.verification.places import OPENING, Place, may_be_cut, places_to_probe, spelled
from runner.verification.probing import Probe, Prober, Probing
from runner.verification.verdict import (
    UNCALIBRATED,
    Finding,
    Thresholds,
    check_papers,
    judge,
    regret_of,
    scores_of,
    thresholds_for,
)
from tests.runner.conftest import TASK

STRICT = Thresholds(
    same_choice=0.9, within=0.95, distance=20, regret=100, positions=8, honest_pairs=0, cheating_pairs=0
)


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
    places = places_to_probe(fingerprint, result.output, seed=b"beacon", count=STRICT.positions)
    return await Prober(engine_url).probe(spec, result, fingerprint, places)


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
    assert scores_of(probing.probes).distance < 2


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


async def test_the_token_that_ends_an_answer_is_billed_whether_the_engine_lists_it_or_not(
    engine_url: str, spec: LlmSpec
) -> None:
    """Ollama counts it, and does not give its likelihood."""
    asked = spec.model_copy(update={"prompt": "What is the capital of France?"})
    result, fingerprint = papers(await LlmExecutor(engine_url, slots=1).execute(asked, TASK, audited=True))
    assert result.done_reason == "stop"
    unlisted = fingerprint.model_copy(
        update={"tokens": tuple(mark for mark in fingerprint.tokens if mark.token)}
    )
    assert len(unlisted.tokens) == result.output_tokens - 1
    assert check_papers(asked, result, unlisted) is Finding.VALID
    padded = result.model_copy(update={"output_tokens": result.output_tokens + 1})
    assert check_papers(asked, padded, unlisted) is Finding.COUNTS
    assert judge(result, await probe(engine_url, asked, result, unlisted), UNCALIBRATED) is Finding.VALID


@pytest.mark.parametrize(
    ("prompt", "stop", "output"),
    [
        ("List three colours, one per line.", "\n\n", "The three colours are:"),
        ("What is the capital of France?", "Paris", "The capital of France is "),
        ("What is the capital of France?", "ital of Fr", "The cap"),
    ],
    ids=["a line", "a word", "inside words"],
)
async def test_a_string_that_stops_an_answer_leaves_papers_that_are_in_order(
    engine_url: str, spec: LlmSpec, prompt: str, stop: str, output: str
) -> None:
    """Engines hold back what may be its beginning, and show the tokens of that as one or as none."""
    asked = spec.model_copy(update={"prompt": prompt, "options": LlmOptions(num_predict=24, stop=(stop,))})
    result, fingerprint = papers(await LlmExecutor(engine_url, slots=1).execute(asked, TASK, audited=True))
    assert (result.output, result.done_reason) == (output, "stop")
    places = places_to_probe(
        fingerprint, result.output, seed=b"beacon", count=24, cut=may_be_cut(asked, result)
    )
    probing = await Prober(engine_url).probe(asked, result, fingerprint, places)
    assert judge(result, probing, UNCALIBRATED) is Finding.VALID


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
    result, fingerprint = papers(work)
    drawn = {
        seed: places_to_probe(fingerprint, result.output, seed=seed, count=12) for seed in (b"1", b"2", b"3")
    }
    assert drawn[b"1"] == places_to_probe(fingerprint, result.output, seed=b"1", count=12)
    assert len({tuple(places) for places in drawn.values()}) > 1
    assert all(len(places) == 12 and places[0].position == 0 for places in drawn.values())


def marks(*texts: str) -> Fingerprint:
    tokens = tuple(TokenMark(token=text.encode().hex(), logprob=-1, top=()) for text in texts)
    return Fingerprint(task="0x" + "00" * 32, model=f"m@sha256:{'0' * 64}", input_tokens=1, tokens=tokens)


def probed(position: int, *, off: int | None) -> Probe:
    """A probe whose likelihood is `off` by so many thousandths; none where the token was not in the list."""
    committed = TokenMark(token="aa", logprob=-100, top=(Alternative(token="aa", logprob=-100),))
    listed = () if off is None else (Alternative(token="aa", logprob=-100 - off),)
    return Probe(
        position=position,
        committed=committed,
        found=TokenMark(token="bb", logprob=-90, top=(Alternative(token="bb", logprob=-90), *listed)),
    )


def places(*texts: str, output: str | None = None) -> list[Place]:
    return places_to_probe(marks(*texts), "".join(texts) if output is None else output, seed=b"any", count=24)


def test_a_place_behind_white_space_is_reached_from_before_it() -> None:
    found = places("A", " list", ":", "\n", "\n", "1", ".\n", "x", "")
    assert [place.position for place in found] == [0, 1, 2, 3, 4, 5, 6, 7]
    assert found[4] == Place(position=4, begun="A list:", through=("\n",), shows="\n")
    assert found[5] == Place(position=5, begun="A list:", through=("\n", "\n"), shows="1")
    assert found[7] == Place(position=7, begun="A list:\n\n1", through=(".\n",), shows="x")


def test_where_tokens_are_parts_of_characters_the_characters_are_places() -> None:
    found = places(
        "Hi", " \N{REPLACEMENT CHARACTER}", "\N{REPLACEMENT CHARACTER}", "!", output="Hi \N{PARTY POPPER}!"
    )
    assert found == [
        Place(position=0, begun="", shows="H"),
        Place(position=1, begun="Hi", shows=" ", is_hidden=True),
        Place(position=3, begun="Hi \N{PARTY POPPER}", shows="!"),
    ]


@given(st.text(max_size=12), st.lists(st.integers(1, 40), max_size=6))
def test_tokens_spell_the_text_that_they_were_cut_from_wherever_it_was_cut(
    text: str, cuts: list[int]
) -> None:
    content = text.encode()
    edges = sorted({0, len(content), *(cut for cut in cuts if cut < len(content))})
    texts = [content[a:b].decode("utf-8", "replace") for a, b in itertools.pairwise(edges)]
    starts = spelled(texts, text)
    assert starts is not None
    assert (len(starts), starts[-1]) == (len(texts) + 1, len(text))
    if "\N{REPLACEMENT CHARACTER}" not in "".join(texts):
        assert starts == [len(content[:edge].decode()) for edge in edges] or not content


@pytest.mark.parametrize(
    ("texts", "output"),
    [
        (["a", "b"], "abc"),
        (["a", "\N{REPLACEMENT CHARACTER}"], "ab"),
        (["a", "\N{REPLACEMENT CHARACTER}"], "a"),
        (["\N{REPLACEMENT CHARACTER}"], "\N{PARTY POPPER}\N{PARTY POPPER}"),
    ],
)
def test_broken_characters_stand_for_no_ascii_and_for_no_more_than_they_are(
    texts: list[str], output: str
) -> None:
    assert spelled(texts, output) is None


def test_the_opening_of_a_long_answer_is_probed_and_any_other_place_may_be() -> None:
    fingerprint = marks(*["a"] * 40)
    drawn = [
        [place.position for place in places_to_probe(fingerprint, "a" * 40, seed=bytes([seed]), count=12)]
        for seed in range(50)
    ]
    assert all(len(set(found)) == 12 and found[:OPENING] == [*range(OPENING)] for found in drawn)
    assert {position for found in drawn for position in found} == set(range(40))


def test_a_token_that_is_not_listed_counts_once_and_not_as_a_distance_too() -> None:
    scores = scores_of([probed(0, off=30), probed(1, off=None), probed(40, off=30)])
    assert scores.within == pytest.approx(2 / 3)
    assert scores.distance == 15  # of two, one is spared


@pytest.mark.parametrize("off", [[470], [500, 120], [500, 150, 60]])
def test_a_short_honest_answer_does_not_hang_on_one_place(work: Execution, off: list[int]) -> None:
    """Of a thousand honest answers, one of fifteen was so far off at its first token that, alone, it would be called a cheat's."""
    result, fingerprint = papers(work)
    probes = tuple(probed(at, off=each) for at, each in enumerate(off))
    probing = Probing(probes=probes, input_tokens=fingerprint.input_tokens, ends=True, greedy=True)
    calibrated = UNCALIBRATED.model_copy(update={"same_choice": 0, "distance": 120})
    assert judge(result, probing, calibrated) is Finding.VALID


def test_a_first_token_that_no_rounding_explains_is_not_spared(work: Execution) -> None:
    result, fingerprint = papers(work)
    probing = Probing(
        probes=(probed(0, off=4_000),), input_tokens=fingerprint.input_tokens, ends=True, greedy=True
    )
    assert judge(result, probing, UNCALIBRATED) is Finding.CHOICE


@pytest.mark.parametrize(
    ("regrets", "sum_"),
    [
        ([0] * 24, 0),
        ([90] * 24, 0),  # rounding, at every place
        ([791, 156], 6),  # an honest answer's, as measured: one place is spared
        ([300, 600, 0, 2_500], 150 + 450),
        ([2_500] * 3, 2_000),
        ([5_000], 0),
        ([], 0),
    ],
)
def test_only_regret_that_rounding_does_not_explain_counts_and_one_place_is_spared(
    regrets: list[int], sum_: int
) -> None:
    assert regret_of(regrets) == sum_


@pytest.mark.parametrize(
    ("off", "finding"),
    [
        ([0] * 12, Finding.VALID),  # the same engine
        ([0] * 4 + [60] * 8, Finding.VALID),  # cut into other tokens from some place on
        (
            [40] * 10 + [2_000] * 2,
            Finding.VALID,
        ),  # another processor, and two places where rounding tipped the balance
        ([590] * 12, Finding.LIKELIHOOD),  # the same weights in 4 bits, rounded more coarsely
        ([0] * 6 + [590] * 6, Finding.LIKELIHOOD),  # the same after an honest beginning
    ],
)
def test_an_answer_is_judged_by_the_distance_of_most_places(
    work: Execution, off: list[int], finding: Finding
) -> None:
    result, fingerprint = papers(work)
    probes = tuple(probed(at, off=each) for at, each in enumerate(off))
    probing = Probing(probes=probes, input_tokens=fingerprint.input_tokens, ends=True)
    loose = UNCALIBRATED.model_copy(update={"same_choice": 0})
    assert judge(result, probing, loose) is finding


@pytest.mark.parametrize(
    ("prompt", "options"),
    [
        ("Tell a short story about a census.", {"num_predict": 224}),
        ("List the parts of a bridge.", {"num_predict": 120}),
    ],
    ids=["long", "with empty lines"],
)
async def test_a_long_honest_answer_is_valid_wherever_it_is_probed(
    engine_url: str, spec: LlmSpec, prompt: str, options: dict[str, int]
) -> None:
    asked = spec.model_copy(update={"prompt": prompt, "options": LlmOptions(**options)})
    result, fingerprint = papers(await LlmExecutor(engine_url, slots=1).execute(asked, TASK, audited=True))
    for seed in range(6):
        drawn = places_to_probe(fingerprint, result.output, seed=bytes([seed]), count=UNCALIBRATED.positions)
        probing = await Prober(engine_url).probe(asked, result, fingerprint, drawn)
        assert judge(result, probing, UNCALIBRATED) is Finding.VALID, drawn


async def test_an_empty_system_prompt_is_as_good_as_none_to_the_runner_and_to_the_auditor(
    engine_url: str, spec: LlmSpec
) -> None:
    """Ollama's `generate` takes the model's own then, and its `chat` would take the empty one."""
    asked = spec.model_copy(update={"system": ""})
    result, fingerprint = papers(await LlmExecutor(engine_url, slots=1).execute(asked, TASK, audited=True))
    probing = await probe(engine_url, asked, result, fingerprint)
    assert judge(result, probing, UNCALIBRATED) is Finding.VALID
    plain, _ = papers(await LlmExecutor(engine_url, slots=1).execute(spec, TASK, audited=True))
    assert (plain.output, plain.input_tokens) == (result.output, result.input_tokens)


@pytest.mark.parametrize("build", ["plain attention", "bfloat16 cache"])
async def test_an_honest_runner_whose_engine_rounds_otherwise_is_not_called_a_cheat(
    engine_url: str, spec: LlmSpec, tmp_path: Path, build: str
) -> None:
    """As the engines of other processors and graphics cards do, see `benchmarks.verification.engine_of`."""
    async with engine(MODEL, build=build, log=tmp_path / "engine.log") as other:
        work = await LlmExecutor(other, slots=1).execute(spec, TASK, audited=True)
        result, fingerprint = papers(work)
    drawn = places_to_probe(fingerprint, result.output, seed=b"beacon", count=UNCALIBRATED.positions)
    probing = await Prober(engine_url).probe(spec, result, fingerprint, drawn)
    assert scores_of(probing.probes).distance > 2
    assert judge(result, probing, thresholds_for(spec.model) or UNCALIBRATED) is Finding.VALID
