import string

import pytest
from eth_abi.abi import encode
from eth_utils.abi import collapse_if_tuple, function_abi_to_4byte_selector
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

from protocol.abi import AbiEntry, errors_by_selector
from protocol.money import USDFC
from protocol.revert_sentences import SENTENCES
from protocol.reverts import explain

ERRORS = sorted(errors_by_selector().values(), key=lambda entry: str(entry["name"]))
SAMPLES = {
    "address": "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
    "bytes32": b"reward".ljust(32, b"\0"),
    "string": "text",
    "bytes": b"bytes",
    "bytes4": b"four",
    "bool": True,
}


def encoded(entry: AbiEntry) -> bytes:
    kinds = [collapse_if_tuple(item) for item in entry["inputs"]]
    return bytes(function_abi_to_4byte_selector(entry)) + encode(
        kinds, [SAMPLES.get(kind, 3) for kind in kinds]
    )  # type: ignore[arg-type]


@pytest.mark.parametrize("entry", ERRORS, ids=lambda entry: str(entry["name"]))
def test_every_error_of_the_contracts_has_a_sentence_and_a_remedy(entry: AbiEntry):
    revert = explain(encoded(entry))
    assert revert.name == entry["name"]
    assert entry["name"] in SENTENCES, "write what it means in protocol/revert_sentences.py"
    assert revert.message.endswith(".")
    assert revert.hint
    assert revert.hint.endswith(".")
    assert set(revert.arguments) == {item["name"] for item in entry["inputs"]}


def test_there_are_errors_to_explain():
    assert len(ERRORS) >= 40


@pytest.mark.parametrize("name", SENTENCES)
def test_a_sentence_uses_only_arguments_that_its_error_has(name: str):
    entry = next((entry for entry in ERRORS if entry["name"] == name), None)
    if entry is None:
        pytest.skip("an error of a library that no ABI declares at the moment")
    used = {field for text in SENTENCES[name] for _, field, _, _ in string.Formatter().parse(text) if field}
    assert {field.split("!")[0] for field in used} <= {item["name"] for item in entry["inputs"]}


def data_of(signature: str, *values: object) -> bytes:
    kinds = signature[signature.index("(") + 1 : -1]
    return keccak(text=signature)[:4] + (encode(kinds.split(","), values) if kinds else b"")


def test_amounts_are_told_in_usdfc():
    revert = explain(data_of("WalletInsufficient(uint256,uint256)", 5 * USDFC // 2, USDFC))
    assert revert.message == "The wallet's balance is too low: 2.5 USDFC needed, 1 USDFC available."
    assert revert.arguments == {"need": 5 * USDFC // 2, "have": USDFC}
    assert "deposit" in str(revert.hint).lower()


def test_phases_are_told_by_name():
    revert = explain(data_of("TaskWrongStatus(uint8,uint8)", 1, 6))
    assert revert.message == "The task is final; this needs it to be open."


def test_a_field_is_told_as_text():
    assert (
        "order's quorum is" in explain(data_of("TaskBadOrder(bytes32)", b"quorum".ljust(32, b"\0"))).message
    )


def test_a_plain_reason_and_a_panic_are_told():
    assert explain(data_of("Error(string)", "no such thing")).message == "no such thing"
    assert "overflow" in explain(data_of("Panic(uint256)", 0x11)).message


@given(st.binary(max_size=200))
def test_whatever_a_contract_returns_can_be_told(data: bytes):
    assert explain(data).message
    for entry in ERRORS[:5]:
        assert explain(bytes(function_abi_to_4byte_selector(entry)) + data).message  # type: ignore[arg-type]


def test_nothing_at_all_is_told_as_unknown():
    assert explain(None).name == explain("0x").name == explain("zz").name == "Unknown"


def test_a_revert_becomes_an_error_with_its_figures():
    error = explain(data_of("RunnerBanned(uint256)", 77)).as_error()
    assert error.name == "RunnerBanned"
    assert error.arguments == {"untilBlock": 77}
    assert error.exit_code == 3
    assert "77" in str(error)


def test_votes_and_a_proposals_state_are_told_in_words():
    few = explain(
        data_of(
            "GovernorInsufficientProposerVotes(address,uint256,uint256)",
            SAMPLES["address"],
            3 * USDFC // 2,
            USDFC,
        )
    )
    assert few.message == f"{SAMPLES['address']} has 1.5 votes; proposing takes 1 votes."
    late = explain(data_of("GovernorUnexpectedProposalState(uint256,uint8,bytes32)", 9, 3, bytes(32)))
    assert late.message.startswith("The proposal 9 is defeated;")
