"""Cheats at a language model's answer that look for what probing does not see; and honest answers that looked like them."""

from collections.abc import Sequence

import ollama
import pytest

from protocol.documents import LlmOptions, LlmResult, LlmSpec, model_name, parse_document
from protocol.fingerprint import Alternative, Fingerprint, TokenMark, parse_fingerprint
from runner.executors.llm import LlmExecutor
from runner.verification.fingerprinting import token_mark
from runner.verification.places import may_be_cut, places_to_probe
from runner.verification.probing import Prober
from runner.verification.verdict import UNCALIBRATED, Finding, check_papers, judge
from tests.runner.conftest import TASK

POEM = "Write a short poem about rain."
"""The model answers it in lines of ten tokens, of which forty make no end."""


class Table:
    """One engine, at which a runner answers and an auditor probes."""

    def __init__(self, url: str, model: str) -> None:
        self.url = url
        self.model = model

    def spec(self, prompt: str = POEM, **options: object) -> LlmSpec:
        chosen = LlmOptions.model_validate({"num_predict": 40, **options})
        return LlmSpec(model=self.model, prompt=prompt, options=chosen)

    async def answer(self, spec: LlmSpec) -> tuple[LlmResult, Fingerprint]:
        work = await LlmExecutor(self.url, slots=1).execute(spec, TASK, audited=True)
        result = parse_document(work.result)
        assert isinstance(result, LlmResult)
        assert work.fingerprint is not None
        return result, parse_fingerprint(work.fingerprint)

    async def with_a_word(
        self, spec: LlmSpec, work: tuple[LlmResult, Fingerprint], word: str, *, at: int
    ) -> tuple[LlmResult, Fingerprint]:
        """The answer with another token at a place, from which the true model goes on: all else is honest."""
        kept = work[1].tokens[:at]
        put = TokenMark(
            token=word.encode().hex(),
            logprob=-100,
            top=(Alternative(token=word.encode().hex(), logprob=-100),),
        )
        begun = work[1].text_before(at).decode() + word
        said = await ollama.AsyncClient(host=self.url).chat(
            model=model_name(spec.model),
            messages=[{"role": "user", "content": spec.prompt}, {"role": "assistant", "content": begun}],
            options={**spec.options.to_ollama(), "num_predict": spec.options.num_predict - at - 1},
            logprobs=True,
            top_logprobs=8,
        )
        rest = [token_mark(token) for token in said.logprobs or ()]
        return claimed(work, [*kept, put, *rest], reason=str(said.done_reason))

    async def audit(self, spec: LlmSpec, result: LlmResult, fingerprint: Fingerprint) -> Finding:
        papers = check_papers(spec, result, fingerprint)
        if papers is not Finding.VALID:
            return papers
        places = places_to_probe(
            fingerprint, result.output, seed=b"beacon", count=24, cut=may_be_cut(spec, result)
        )
        probing = await Prober(self.url).probe(spec, result, fingerprint, places)
        return judge(result, probing, UNCALIBRATED)


@pytest.fixture
async def table(engine_url: str) -> Table:
    (model,) = await LlmExecutor(engine_url, slots=1).models()
    return Table(engine_url, f"{model.name}@sha256:{model.digest}")


def claimed(
    work: tuple[LlmResult, Fingerprint], tokens: Sequence[TokenMark], *, reason: str
) -> tuple[LlmResult, Fingerprint]:
    """Papers that are in order, of an answer with these tokens."""
    result, fingerprint = work
    kept = fingerprint.model_copy(update={"tokens": tuple(tokens)})
    output = kept.text_before(len(tokens)).decode()
    told = {
        "output": output,
        "output_tokens": sum(bool(mark.token) for mark in tokens),
        "done_reason": reason,
    }
    return result.model_copy(update=told), kept


def made_up(text: str) -> TokenMark:
    return TokenMark(token=text.encode().hex(), logprob=-100, top=())


def at_the_top(mark: TokenMark) -> tuple[Alternative, ...]:
    """The list of a token's place, with no token likelier than it."""
    below = [
        other.model_copy(update={"logprob": min(other.logprob, mark.logprob - 1)})
        for other in mark.top
        if other.token != mark.token
    ]
    return (Alternative(token=mark.token, logprob=mark.logprob), *below)


def first_line(fingerprint: Fingerprint) -> list[TokenMark]:
    """The tokens up to the first that ends a line."""
    at = next(at for at, mark in enumerate(fingerprint.tokens) if mark.text.endswith("\n"))
    return list(fingerprint.tokens[: at + 1])


@pytest.mark.parametrize("temperature", [0.5, 1.0])
async def test_text_that_was_drawn_convicts_itself_by_its_own_lists(table: Table, temperature: float) -> None:
    drawn = await table.answer(table.spec(temperature=temperature, seed=5))
    assert check_papers(table.spec(), *drawn) is Finding.CHOICE


@pytest.mark.parametrize("temperature", [1.0, 1.5])
async def test_text_that_was_drawn_does_not_pass_for_the_likeliest(table: Table, temperature: float) -> None:
    """Though its runner says that each token was the likeliest."""
    result, fingerprint = await table.answer(table.spec(temperature=temperature, seed=5))
    forged = [mark.model_copy(update={"top": at_the_top(mark)}) for mark in fingerprint.tokens]
    lie = fingerprint.model_copy(update={"tokens": tuple(forged)})
    assert check_papers(table.spec(), result, lie) is Finding.VALID
    assert await table.audit(table.spec(), result, lie) in (Finding.CHOICE, Finding.UNLIKELY)


async def test_made_up_words_that_end_in_white_space_are_no_hiding_place(table: Table) -> None:
    work = await table.answer(table.spec())
    line = first_line(work[1])
    words = [*line, *[made_up("fish ")] * (40 - len(line))]
    assert await table.audit(table.spec(), *claimed(work, words, reason="length")) is Finding.UNLIKELY


async def test_made_up_lines_behind_line_ends_are_no_hiding_place(table: Table) -> None:
    work = await table.answer(table.spec())
    line = first_line(work[1])
    lines = [*line, *[made_up("Fish swim in rivers."), line[-1]] * 10]
    lie = claimed(work, lines[:40], reason="length")
    spec = table.spec(num_predict=len(lines[:40]))
    assert await table.audit(spec, *lie) in (Finding.UNLIKELY, Finding.CHOICE)


@pytest.mark.parametrize(("honest", "text"), [(0, "日" * 40), (6, "日本語文章作成雨降森川山海空星" * 3)])
async def test_made_up_characters_of_which_no_token_is_told_are_no_hiding_place(
    table: Table, honest: int, text: str
) -> None:
    """Engines show parts of characters as such marks, which any text beyond ASCII fits."""
    result, fingerprint = await table.answer(table.spec())
    hidden = [made_up("\N{REPLACEMENT CHARACTER}")] * (40 - honest)
    lie = fingerprint.model_copy(update={"tokens": (*fingerprint.tokens[:honest], *hidden)})
    output = fingerprint.text_before(honest).decode() + text[: 40 - honest]
    claim = result.model_copy(update={"output": output})
    assert check_papers(table.spec(), claim, lie) is Finding.VALID
    assert await table.audit(table.spec(), claim, lie) is Finding.UNLIKELY


@pytest.mark.parametrize(("at", "word"), [(0, "No"), (1, " fish"), (4, " never"), (12, " 17"), (15, "\n\n")])
async def test_one_word_put_into_an_honest_answer_is_found(table: Table, at: int, word: str) -> None:
    """Nothing else is wrong: the true model goes on from there, so all other places are as they must be."""
    spec = table.spec(num_predict=20)
    lie = await table.with_a_word(spec, await table.answer(spec), word, at=at)
    assert check_papers(spec, *lie) is Finding.VALID
    assert await table.audit(spec, *lie) in (Finding.CHOICE, Finding.UNLIKELY)


async def test_an_answer_cut_off_behind_a_line_end_that_its_runner_added_is_found_out(table: Table) -> None:
    work = await table.answer(table.spec())
    tokens = work[1].tokens[:12]
    assert not tokens[-1].text.endswith("\n")
    lie = claimed(work, [*tokens, made_up("\n\n")], reason="stop")
    assert await table.audit(table.spec(), *lie) in (Finding.ENDING, Finding.CHOICE)


async def test_a_full_context_is_no_excuse_for_tokens_that_nobody_generated(table: Table) -> None:
    """Nothing can be asked behind it, and characters may stand for several tokens each."""
    work = await table.answer(table.spec())
    result, fingerprint = claimed(work, [*work[1].tokens, *[made_up(" na\u00efve")] * 40], reason="length")
    billed = 40 + 40 * len(" na\u00efve".encode())
    padded = result.model_copy(update={"output_tokens": billed})
    full = table.spec(num_predict=1_000, num_ctx=result.input_tokens + billed)
    assert check_papers(full, padded, fingerprint) is Finding.VALID
    assert await table.audit(full, padded, fingerprint) is Finding.COUNTS


async def test_text_that_the_auditors_engine_does_not_take_is_no_hiding_place(table: Table) -> None:
    """It has more tokens than fit into the context: the auditor could not vote at all, and lost its bond."""
    work = await table.answer(table.spec())
    words = [made_up("".join(chr(97 + (7 * at + step) % 26) for step in range(60))) for at in range(39)]
    lie = claimed(work, [work[1].tokens[0], *words], reason="length")
    spec = table.spec(num_ctx=256)
    assert check_papers(spec, *lie) is Finding.VALID
    assert await table.audit(spec, *lie) in (Finding.UNLIKELY, Finding.CHOICE)


async def test_a_whole_sentence_is_no_token(table: Table) -> None:
    work = await table.answer(table.spec())
    sentence = made_up(" and so it is with all other parts, of which nothing more can be said here.")
    lie = claimed(work, [*work[1].tokens[:24], sentence], reason="stop")
    assert await table.audit(table.spec(), *lie) is Finding.MALFORMED


async def test_an_answer_that_is_cut_off_behind_a_line_end_is_found_out(table: Table) -> None:
    work = await table.answer(table.spec())
    lie = claimed(work, first_line(work[1]), reason="stop")
    assert await table.audit(table.spec(), *lie) is Finding.ENDING


async def test_an_answer_that_is_cut_off_is_not_excused_by_a_string_that_would_stop_it(table: Table) -> None:
    work = await table.answer(table.spec(stop=("###",)))
    lie = claimed(work, work[1].tokens[:12], reason="stop")
    assert await table.audit(table.spec(stop=("###",)), *lie) is Finding.ENDING


async def test_an_answer_without_a_word_is_found_out(table: Table) -> None:
    work = await table.answer(table.spec())
    for tokens in ([], [made_up("")], [made_up("\n")]):
        assert await table.audit(table.spec(), *claimed(work, tokens, reason="stop")) is not Finding.VALID


async def test_likelihoods_of_another_task_do_not_pass(table: Table) -> None:
    work, other = await table.answer(table.spec()), await table.answer(table.spec("What is rain?"))
    pairs = zip(work[1].tokens, other[1].tokens, strict=False)
    lie = [mark.model_copy(update={"logprob": theirs.logprob, "top": theirs.top}) for mark, theirs in pairs]
    assert await table.audit(table.spec(), *claimed(work, lie, reason="length")) is not Finding.VALID


async def test_letters_billed_as_tokens_are_found_out(table: Table) -> None:
    work = await table.answer(table.spec(num_predict=12))
    letters = [
        mark.model_copy(update={"token": letter.encode().hex()})
        for mark in work[1].tokens
        for letter in mark.text
    ]
    lie = claimed(work, letters, reason="length")
    assert await table.audit(table.spec(num_predict=len(letters)), *lie) is not Finding.VALID


async def test_an_honest_answer_that_fills_the_models_context_is_valid(table: Table) -> None:
    spec = table.spec(num_ctx=64, num_predict=128)
    result, fingerprint = await table.answer(spec)
    assert (result.done_reason, result.input_tokens + result.output_tokens) == ("length", 64)
    assert await table.audit(spec, result, fingerprint) is Finding.VALID


@pytest.mark.parametrize("stop", [" light", "low", "\n"])
async def test_an_honest_answer_that_a_string_stopped_is_valid(table: Table, stop: str) -> None:
    spec = table.spec(stop=(stop,))
    assert await table.audit(spec, *await table.answer(spec)) is Finding.VALID


SYMBOLS = "Repeat exactly this line: 🙂 🎉 日本語 नमस्ते"


async def test_an_honest_answer_in_characters_of_several_tokens_is_valid(table: Table) -> None:
    spec = table.spec(SYMBOLS, num_predict=16)
    result, fingerprint = await table.answer(spec)
    assert not result.output.isascii()
    assert result.output_tokens > len(fingerprint.tokens), "the engine shows several tokens as one"
    assert await table.audit(spec, result, fingerprint) is Finding.VALID


async def test_an_honest_answer_whose_engine_shows_parts_of_characters_is_valid(table: Table) -> None:
    """As Ollama does, which has a token for each part, without its bytes."""
    spec = table.spec(SYMBOLS, num_predict=16)
    result, fingerprint = await table.answer(spec)
    parts = []
    for mark in fingerprint.tokens:
        before, after = mark.text.rstrip("🎉"), "\N{REPLACEMENT CHARACTER}"
        whole = before == mark.text
        parts += [mark] if whole else [made_up(before + after), made_up(after)]
    assert len(parts) > len(fingerprint.tokens)
    shown = fingerprint.model_copy(update={"tokens": tuple(parts)})
    assert await table.audit(spec, result, shown) is Finding.VALID


async def test_characters_are_not_billed_as_many_more_tokens_than_they_are(table: Table) -> None:
    spec = table.spec(SYMBOLS, num_predict=100)
    result, fingerprint = await table.answer(spec)
    most = sum(max(1, len(mark.content) if not mark.text.isascii() else 1) for mark in fingerprint.tokens)
    padded = result.model_copy(update={"output_tokens": min(100, most)})
    assert check_papers(spec, padded, fingerprint) is not Finding.TEXT
    if padded.output_tokens > 1.25 * result.output_tokens + 8:
        assert await table.audit(spec, padded, fingerprint) is Finding.COUNTS
