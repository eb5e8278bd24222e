"""Learning sessions: the order's document, and digests that must be the contracts'."""

import secrets
from collections.abc import AsyncIterator

import pytest
from eth_account import Account
from eth_utils.address import to_checksum_address
from hypothesis import given
from hypothesis import strategies as st

from devnet.anvil import Anvil
from protocol.chain import Chain
from protocol.deployment import Deployment
from protocol.documents import canonical, parse_document
from protocol.errors import InputError
from protocol.session import (
    SESSION_FIELDS,
    Aggregate,
    Contribution,
    SessionOrder,
    aggregate_document,
    aggregate_of,
    aggregation_document,
    contribution_commitment,
    document_digest,
    federated_domain,
    least_budget,
    session_id,
    session_typed_data,
    sign_session,
)
from protocol.typed_data import recover_signer

ADDRESSES = st.binary(min_size=20, max_size=20).map(to_checksum_address)
WORDS = st.binary(min_size=32, max_size=32)


def _values(kind: str) -> st.SearchStrategy[object]:
    if kind == "address":
        return ADDRESSES
    if kind == "bytes32":
        return WORDS
    return st.integers(min_value=0, max_value=2 ** int(kind.removeprefix("uint")) - 1)


ORDERS = st.builds(SessionOrder, **{attribute: _values(kind) for attribute, _, kind in SESSION_FIELDS})


def make_session(**changes: object) -> SessionOrder:
    fields: dict[str, object] = {
        attribute: "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"
        if kind == "address"
        else bytes(32)
        if kind == "bytes32"
        else 1
        for attribute, _, kind in SESSION_FIELDS
    }
    return SessionOrder(**(fields | changes))  # type: ignore[arg-type]


@pytest.fixture
async def chain(anvil: Anvil, deployment: Deployment) -> AsyncIterator[Chain]:
    async with Chain.connect(anvil.url, deployment) as connected:
        yield connected


@given(ORDERS)
def test_an_order_survives_its_json(order: SessionOrder):
    assert SessionOrder.from_json(order.to_json()) == order


@pytest.mark.parametrize(
    ("name", "value"),
    [("reward", 2**96), ("rounds", -1), ("config", b"short"), ("creator", "0x12"), ("flags", 256)],
)
def test_a_field_out_of_its_range_is_named(name: str, value: object):
    with pytest.raises(InputError, match=rf"session\.{name}"):
        make_session(**{name: value})


def test_json_with_a_missing_unknown_or_unreadable_field_is_refused():
    document = make_session().to_json()
    for changed, field in (
        ({name: value for name, value in document.items() if name != "salt"}, "salt"),
        (document | {"price": 1}, "price"),
        (document | {"budget": 1}, "budget"),
        (document | {"config": "0xzz"}, "config"),
    ):
        with pytest.raises(InputError) as refused:
            SessionOrder.from_json(changed)
        assert refused.value.field == f"session.{field}"


def test_a_signature_is_of_the_order_alone():
    signer = Account.create()
    domain = federated_domain(31337, "0x70997970C51812dc3A010C7d01b50e0d17dc79C8")
    order = make_session(creator=signer.address)
    signature = sign_session(order, domain, signer)
    assert recover_signer(session_typed_data(order, domain), signature) == signer.address
    other = make_session(creator=signer.address, rounds=2)
    assert recover_signer(session_typed_data(other, domain), signature) != signer.address


def test_the_documents_of_an_aggregation_are_canonical_and_read_back():
    made = Aggregate(model=b"\x01" * 32, manifest=b"\x02" * 32, accepted=2**63, caught=2**63 - 1, stop=True)
    document = aggregate_document(b"\x03" * 32, 7, made)
    read = parse_document(canonical(document))
    assert read == document
    assert aggregate_of(document) == made
    assert canonical(document).startswith(
        b'{"accepted":"0x8000000000000000","caught":"0x7fffffffffffffff","kind":"federated-aggregate"'
    )


async def test_ids_commitments_costs_and_documents_are_the_contracts(chain: Chain):
    deployment = chain.deployment
    domain = federated_domain(deployment.chain_id, deployment.federated_learning)
    order = make_session(
        budget=2**96 - 1, join_by=2**40 - 1, retention=2**32 - 1, salt=secrets.token_bytes(32)
    )
    federated, charter = chain.federated.functions, chain.charter.functions
    assert session_id(order, domain) == await chain.call(federated.sessionId(order.as_tuple()))
    params = await chain.call(charter.paramsOf(1))
    assert least_budget(order, tip=params[0]) == await chain.call(charter.costOf(order.as_tuple()))
    opened = Contribution(update=secrets.token_bytes(32), samples=2**32 - 1, salt=secrets.token_bytes(32))
    session, node = secrets.token_bytes(32), order.creator
    assert contribution_commitment(session, 65_535, node, opened) == await chain.call(
        federated.commitmentOf(session, 65_535, node, opened.as_tuple())
    )
    made = Aggregate(model=secrets.token_bytes(32), manifest=bytes(32), accepted=2**63 + 5, caught=2**62)
    assert document_digest(aggregate_document(session, 300, made)) == await chain.call(
        charter.aggregateDigest(session, 300, made.as_tuple())
    )
    base, config, transcript = (secrets.token_bytes(32) for _ in range(3))
    document = aggregation_document(
        domain, session, round_number=65_535, base=base, config=config, transcript=transcript
    )
    commission = (deployment.federated_learning, session, 65_535, base, config, transcript)
    assert document_digest(document) == await chain.call(charter.aggregationDigest(commission))
