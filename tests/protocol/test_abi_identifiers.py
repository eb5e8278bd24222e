"""`protocol/identifiers.json` against the signatures that it speaks of."""

from eth_utils.abi import event_abi_to_log_topic, function_abi_to_4byte_selector

from protocol.abi import errors_by_selector, event_topics


def test_topics_of_events_are_the_hashes_of_their_signatures() -> None:
    for events in event_topics().values():
        for topic, event in events.items():
            assert topic == bytes(event_abi_to_log_topic(event.entry)), event.name


def test_selectors_of_errors_are_the_hashes_of_their_signatures() -> None:
    for selector, entry in errors_by_selector().items():
        assert selector == bytes(function_abi_to_4byte_selector(entry)), entry["name"]
