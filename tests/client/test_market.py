import pytest

from client.offers import Market, of_others
from client.records import Offer
from protocol.errors import InputError

ONE, TWO = "11" * 32, "22" * 32


def offer(node: int, name: str, digest: str = ONE) -> Offer:
    return Offer(
        node=f"0x{node:040x}",
        owner=f"0x{node:040x}",
        label=f"runner-{node}",
        name=name,
        digest=digest,
        context=2048,
        input_price=1,
        output_price=1,
    )


def market(*offers: Offer) -> Market:
    return Market(offers=offers, unread=0)


def test_a_name_means_the_build_that_is_offered():
    assert market(offer(1, "smollm2:135m")).resolve("smollm2:135m") == f"smollm2:135m@sha256:{ONE}"


def test_a_name_without_a_tag_means_latest():
    assert market(offer(1, "llama2:latest")).resolve("llama2") == f"llama2:latest@sha256:{ONE}"


def test_a_name_with_two_builds_means_the_one_that_more_owners_offer():
    found = market(offer(1, "llama2"), offer(2, "llama2", TWO), offer(3, "llama2", TWO))

    assert found.resolve("llama2") == f"llama2@sha256:{TWO}"


def test_a_tie_between_builds_must_be_broken_by_the_person():
    with pytest.raises(InputError) as caught:
        market(offer(1, "llama2"), offer(2, "llama2", TWO)).resolve("llama2")

    assert ONE in caught.value.hint
    assert TWO in caught.value.hint


def test_an_unknown_model_is_refused_with_the_nearest_name_and_the_whole_list():
    with pytest.raises(InputError) as caught:
        market(offer(1, "smollm2:135m"), offer(2, "mistral")).resolve("smolm2")

    assert caught.value.field == "model"
    assert caught.value.hint == "Did you mean smollm2:135m? Offered now: mistral, smollm2:135m."


def test_an_empty_market_says_so():
    with pytest.raises(InputError, match="no active runner offers any model"):
        market().resolve("smollm2")


def test_a_model_named_by_its_whole_digest_must_be_offered():
    with pytest.raises(InputError, match="no active runner offers"):
        market(offer(1, "llama2")).resolve(f"llama2@sha256:{TWO}")


def test_an_accounts_own_runners_are_not_counted_for_its_order():
    offers = (offer(1, "llama2"), offer(2, "llama2"))

    assert of_others(offers, offers[0].owner, field="model") == offers[1:]
    assert of_others(offers, None, field="model") == offers


def test_an_order_that_only_the_accounts_own_runners_could_take_is_refused():
    mine = offer(1, "llama2")

    with pytest.raises(InputError, match="a runner takes no order of its owner") as caught:
        of_others((mine,), mine.owner, field="model")

    assert caught.value.field == "model"
