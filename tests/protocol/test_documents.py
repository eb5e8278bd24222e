import json
import math
import struct

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from protocol.documents import (
    MAX_DOCUMENT_BYTES,
    LlmOptions,
    LlmResult,
    LlmSpec,
    ModelOffer,
    RunnerProfile,
    canonical,
    model_digest,
    model_name,
    parse_document,
)
from protocol.errors import ContentTooLarge, InputError

MODEL = "smollm2:135m@sha256:" + "ab" * 32
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=50)
specs = st.builds(
    LlmSpec,
    model=st.just(MODEL),
    prompt=texts.filter(bool),
    system=st.none() | texts,
    options=st.builds(
        LlmOptions,
        seed=st.integers(0, 2**31 - 1),
        temperature=st.floats(0, 2),
        num_predict=st.integers(1, 65_536),
        top_k=st.none() | st.integers(0, 1_000_000),
        top_p=st.none() | st.floats(0, 1),
        stop=st.lists(texts.filter(bool), max_size=3).map(tuple),
    ),
    client_id=st.none() | st.text("abc", min_size=1, max_size=9),
)


def spec_json(**changes: object) -> bytes:
    return rfc8785.dumps(json.loads(canonical(LlmSpec(model=MODEL, prompt="Hi"))) | changes)


@given(specs)
def test_a_spec_reads_back_from_its_canonical_bytes(spec: LlmSpec):
    content = canonical(spec)
    assert parse_document(content) == spec
    assert canonical(parse_document(content)) == content


@given(specs)
def test_canonical_bytes_do_not_depend_on_the_order_of_keys(spec: LlmSpec):
    document = json.loads(canonical(spec))
    shuffled = dict(reversed(document.items()))
    assert rfc8785.dumps(shuffled) == canonical(spec)


@pytest.mark.parametrize(
    ("number", "text"),
    [  # RFC 8785, appendix B
        (0x0000000000000000, "0"),
        (0x8000000000000000, "0"),
        (0x0000000000000001, "5e-324"),
        (0x7FEFFFFFFFFFFFFF, "1.7976931348623157e+308"),
        (0x4340000000000000, "9007199254740992"),
        (0x444B1AE4D6E2EF50, "1e+21"),
        (0x44B52D02C7E14AF6, "1e+23"),
        (0x3EB0C6F7A0B5ED8D, "0.000001"),
        (0x3E7AD7F29ABCAF48, "1e-7"),
        (0x41B3DE4355555555, "333333333.3333333"),
        (0x41B3DE4355555557, "333333333.33333343"),
        (0xBECBF647612F3696, "-0.0000033333333333333333"),
    ],
)
def test_numbers_are_written_as_the_standard_prescribes(number: int, text: str):
    assert rfc8785.dumps(struct.unpack(">d", number.to_bytes(8, "big"))[0]).decode() == text


def test_strings_and_keys_are_written_as_the_standard_prescribes():
    # RFC 8785, section 3.2.2 and 3.2.3
    document = {"string": '€$\u000f\nA\'B"\\\\"/', "literals": [None, True, False]}
    assert rfc8785.dumps(document) == (
        b'{"literals":[null,true,false],"string":"\xe2\x82\xac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )
    keys = {"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\U0001f600": 5, "\u0080": 6, "\u00f6": 7}
    assert list(json.loads(rfc8785.dumps(keys))) == [
        "\r",
        "1",
        "\u0080",
        "\u00f6",
        "\u20ac",
        "\U0001f600",
        "\ufb33",
    ]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"surprise": 1}, "surprise"),
        ({"prompt": ""}, "prompt"),
        ({"prompt": 5}, "prompt"),
        ({"model": "smollm2"}, "model"),
        ({"model": "smollm2@sha256:" + "AB" * 32}, "model"),
        ({"version": 2}, "version"),
        ({"options": {"temperature": -1}}, "options.temperature"),
        ({"options": {"seed": 1.5}}, "options.seed"),
        ({"options": {"seed": True}}, "options.seed"),
        ({"options": {"numPredict": 5}}, "options.numPredict"),
        ({"clientId": "x" * 129}, "clientId"),
        ({"kind": "dance"}, "document"),
    ],
)
def test_a_wrong_field_is_named(changes: dict[str, object], field: str):
    with pytest.raises(InputError) as caught:
        parse_document(spec_json(**changes))
    assert caught.value.field == field


@pytest.mark.parametrize(
    "content", [b"", b"{", b"null", b"[]", b"\xff\xfe", b'{"kind":"llm"}', b"1" * 10_000]
)
def test_bytes_that_are_no_document_are_refused(content: bytes):
    with pytest.raises(InputError):
        parse_document(content)


def test_bytes_that_are_not_canonical_are_refused_though_they_mean_the_same():
    content = canonical(LlmSpec(model=MODEL, prompt="Hi"))
    for variant in (content + b"\n", content.replace(b":", b": ", 1), b" " + content):
        with pytest.raises(InputError, match="not canonical"):
            parse_document(variant)
    with pytest.raises(InputError, match="not canonical"):
        parse_document(spec_json(system=None))
    twice = content.replace(b'"prompt":"Hi"', b'"prompt":"Ho","prompt":"Hi"')
    with pytest.raises(InputError):
        parse_document(twice)


def test_a_document_that_does_not_fit_one_block_is_refused_on_both_sides():
    room = MAX_DOCUMENT_BYTES - len(canonical(LlmSpec(model=MODEL, prompt="x"))) + 1
    assert len(canonical(LlmSpec(model=MODEL, prompt="x" * room))) == MAX_DOCUMENT_BYTES
    with pytest.raises(ContentTooLarge):
        canonical(LlmSpec(model=MODEL, prompt="x" * (room + 1)))
    with pytest.raises(ContentTooLarge):
        parse_document(b"x" * (MAX_DOCUMENT_BYTES + 1))


def test_numbers_that_json_cannot_tell_apart_mean_the_same():
    assert parse_document(spec_json(options=json.loads(canonical(LlmOptions(temperature=1.0))))) == LlmSpec(
        model=MODEL, prompt="Hi", options=LlmOptions(temperature=1)
    )


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_an_option_that_is_no_number_is_refused(value: float):
    with pytest.raises(ValueError, match="temperature"):
        LlmOptions(temperature=value)


def test_a_result_that_is_compared_says_nothing_in_which_honest_runners_could_differ():
    assert set(LlmResult.model_fields) - {"fingerprint"} == {
        "kind",
        "version",
        "task",
        "model",
        "output",
        "done_reason",
        "input_tokens",
        "output_tokens",
    }
    result = LlmResult(
        task="0x" + "01" * 32,
        model=MODEL,
        output="Paris.",
        done_reason="stop",
        input_tokens=9,
        output_tokens=3,
    )
    assert parse_document(canonical(result)) == result
    assert json.loads(canonical(result))["doneReason"] == "stop"
    assert "fingerprint" not in json.loads(canonical(result))


def test_a_profile_reads_back_with_its_prices_exact():
    offer = ModelOffer(
        name="smollm2:135m", digest="ab" * 32, context=2048, input_price=str(10**18 + 1), output_price="0"
    )
    profile = RunnerProfile(label="desk", models=(offer,), slots=2, url="https://runner.example")
    again = parse_document(canonical(profile))
    assert again == profile
    assert isinstance(again, RunnerProfile)
    assert again.models[0].input_price == str(10**18 + 1)
    assert offer.reference == MODEL


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"slots": 0}, "slots"),
        ({"label": "x" * 33}, "label"),
        ({"url": "ftp://x"}, "url"),
        (
            {"models": [{"name": "m", "digest": "00", "context": 1, "inputPrice": "1", "outputPrice": "1"}]},
            "models.0.digest",
        ),
        (
            {
                "models": [
                    {"name": "m", "digest": "00" * 32, "context": 1, "inputPrice": "01", "outputPrice": "1"}
                ]
            },
            "models.0.inputPrice",
        ),
    ],
)
def test_a_wrong_field_of_a_profile_is_named(changes: dict[str, object], field: str):
    good = {"kind": "runner-profile", "version": 1, "label": "desk", "models": [], "slots": 1}
    with pytest.raises(InputError) as caught:
        parse_document(rfc8785.dumps(good | changes))
    assert caught.value.field == field


def test_a_profile_offers_a_model_once():
    offer = ModelOffer(name="m", digest="00" * 32, context=1, input_price="1", output_price="1")
    with pytest.raises(ValueError, match="offered twice"):
        RunnerProfile(label="desk", models=(offer, offer), slots=1)


def test_a_model_reference_splits_into_name_and_digest():
    assert model_name(MODEL) == "smollm2:135m"
    assert model_digest(MODEL) == "ab" * 32
    for wrong in ("smollm2", "@sha256:" + "ab" * 32, MODEL + "0", MODEL.upper()):
        with pytest.raises(InputError) as caught:
            model_name(wrong)
        assert caught.value.field == "model"
        assert "ollama list" in str(caught.value.hint)


def test_options_reach_ollama_by_its_own_names():
    options = LlmOptions(top_k=5, stop=("\n",))
    assert options.to_ollama() == {
        "seed": 0,
        "temperature": 0.0,
        "num_ctx": 2048,
        "num_predict": 128,
        "top_k": 5,
        "stop": ["\n"],
        "repeat_penalty": 1.0,
        "presence_penalty": 0.0,
        "frequency_penalty": 0.0,
    }


def test_no_string_stops_an_answer_but_those_of_the_spec():
    """Ollama takes a model's own ones where it gets none, and it gives such models `<|im_start|>` and the like."""
    assert LlmOptions().to_ollama()["stop"] == []


def test_penalties_are_those_of_the_spec_and_not_of_an_engines_release():
    assert LlmOptions().to_ollama()["repeat_penalty"] == 1.0
    assert LlmOptions(repeat_penalty=1.2).to_ollama()["repeat_penalty"] == 1.2
