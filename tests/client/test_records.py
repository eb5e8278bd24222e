import json

from client.records import Balance, Progress, to_json
from protocol.enums import TaskStatus
from protocol.money import USDFC

BALANCE = Balance(
    account="0x00000000000000000000000000000000000000C1",
    block=7,
    tokens=USDFC,
    free=USDFC // 2,
    escrowed=0,
    bonded=2**90,
    locked=0,
    unbonding=0,
    release_block=None,
    native=10**18,
)


def test_amounts_are_strings_with_a_human_twin():
    document = to_json(BALANCE)

    assert document["free"] == "500000000000000000"
    assert document["freeUsdfc"] == "0.5"
    assert document["bonded"] == str(2**90)


def test_coin_of_the_chain_is_a_string_and_not_called_usdfc():
    document = to_json(BALANCE)

    assert document["native"] == "1000000000000000000"
    assert "nativeUsdfc" not in document


def test_heights_stay_numbers_and_what_is_missing_is_null():
    document = to_json(BALANCE)

    assert document["block"] == 7
    assert document["releaseBlock"] is None


def test_ids_are_hex_and_states_are_lower_case_words():
    progress = Progress(
        task_id=b"\x01" * 32,
        status=TaskStatus.COMMITTING,
        replicas=1,
        claimed=1,
        committed=0,
        revealed=0,
        deadline=9,
        block=8,
    )

    document = to_json({"progress": [progress]})["progress"][0]

    assert document["taskId"] == "0x" + "01" * 32
    assert document["status"] == "committing"
    json.dumps(document)
