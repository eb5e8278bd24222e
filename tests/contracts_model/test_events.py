"""Attack 2: what an indexer cannot read, it cannot show."""

from protocol.abi import CONTRACTS, load_abi

READABLE = {"address", "bytes32", "uint256", "uint16", "uint64", "uint8", "bool"}


def test_attack_02_no_indexed_topic_is_only_a_hash_of_its_value():
    topics = [
        (contract, entry["name"], argument["type"])
        for contract in CONTRACTS
        for entry in load_abi(contract)
        if entry["type"] == "event"
        for argument in entry["inputs"]
        if argument["indexed"]
    ]
    assert len(topics) > 20
    assert {kind for *_, kind in topics} <= READABLE, topics
