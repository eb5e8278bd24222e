import json
from collections.abc import Callable

import pytest
from eth_abi.abi import encode
from eth_account import Account
from eth_utils.crypto import keccak
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol import typed_data
from protocol.errors import InputError
from protocol.order import ORDER_FIELDS, Order
from protocol.typed_data import Authorization, Domain, Registration

CONTRACT = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
ESCROW = typed_data.escrow_domain(31337, CONTRACT)
ORDER_TYPE = (
    "Order(address client,address payer,uint96 reward,uint96 bond,uint96 inputPrice,uint96 outputPrice,uint16 paramsId,"
    "uint8 replicas,uint8 quorum,uint8 mode,uint40 claimBy,uint32 retention,uint64 clientEpoch,bytes32 spec,bytes32 salt)"
)
ALICE = Account.from_key(b"\x01" * 32)
BOB = Account.from_key(b"\x02" * 32)


def digest_by_the_standard(domain: Domain, struct_hash: bytes) -> bytes:
    """EIP-712 written out by hand, apart from the library that the module uses."""
    domain_type = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
    separator = keccak(
        encode(
            ["bytes32", "bytes32", "bytes32", "uint256", "address"],
            [
                keccak(text=domain_type),
                keccak(text=domain.name),
                keccak(text=domain.version),
                domain.chain_id,
                domain.verifying_contract,
            ],
        )
    )
    return keccak(b"\x19\x01" + separator + struct_hash)


@given(st.from_type(Order))
def test_a_task_id_is_the_digest_that_eip_712_prescribes(order: Order):
    kinds = [kind for _, _, kind in ORDER_FIELDS]
    struct_hash = keccak(encode(["bytes32", *kinds], [keccak(text=ORDER_TYPE), *order.as_tuple()]))
    assert typed_data.task_id(order, ESCROW) == digest_by_the_standard(ESCROW, struct_hash)


@settings(max_examples=10)
@given(st.from_type(Order))
def test_an_order_is_recovered_to_its_signer_and_to_nobody_else(order: Order):
    signature = typed_data.sign_order(order, ESCROW, ALICE)
    assert len(signature) == 65
    document = typed_data.order_typed_data(order, ESCROW)
    assert typed_data.recover_signer(document, signature) == ALICE.address
    elsewhere = typed_data.order_typed_data(order, typed_data.escrow_domain(314159, CONTRACT))
    assert typed_data.recover_signer(elsewhere, signature) != ALICE.address


def test_typed_data_is_json_that_a_wallet_can_show(make_order: Callable[..., Order]):
    document = typed_data.order_typed_data(make_order(), ESCROW)
    again = json.loads(json.dumps(document))
    assert typed_data.digest(again) == typed_data.task_id(make_order(), ESCROW)


def test_a_registration_is_bound_to_owner_and_node():
    domain = typed_data.reputation_domain(31337, CONTRACT)
    registration = Registration(
        owner=ALICE.address,
        node=BOB.address,
        label=b"desk".ljust(32, b"\0"),
        profile=b"\x03" * 32,
        deadline=99,
    )
    signature = typed_data.sign_registration(registration, domain, BOB)
    document = typed_data.registration_typed_data(registration, domain)
    assert typed_data.recover_signer(document, signature) == BOB.address
    kind = "Registration(address owner,address node,bytes32 label,bytes32 profile,uint256 deadline)"
    struct_hash = keccak(
        encode(
            ["bytes32", "address", "address", "bytes32", "bytes32", "uint256"],
            [keccak(text=kind), ALICE.address, BOB.address, registration.label, registration.profile, 99],
        )
    )
    assert typed_data.digest(document) == digest_by_the_standard(domain, struct_hash)


def test_an_authorization_splits_into_the_parts_that_the_token_takes():
    domain = typed_data.token_domain(31337, CONTRACT)
    signed = typed_data.sign_authorization(
        ALICE, payee=CONTRACT, value=5, nonce=b"\x07" * 32, valid_before=2_000, domain=domain
    )
    document = typed_data.authorization_typed_data(
        payer=ALICE.address, payee=CONTRACT, value=5, nonce=b"\x07" * 32, valid_before=2_000, domain=domain
    )
    assert typed_data.recover_signer(document, signed.r + signed.s + bytes([signed.v])) == ALICE.address
    assert signed.as_tuple()[:2] == (0, 2_000)
    assert Authorization.from_json(json.loads(json.dumps(signed.to_json()))) == signed


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"v": "27"}, "authorization.v"),
        ({"validAfter": -1}, "authorization.validAfter"),
        ({"r": "0x12"}, "authorization.r"),
        ({"s": "zz"}, "authorization.s"),
        ({"s": None}, "authorization.s"),
        ({"v": True}, "authorization.v"),
        ({"v": 256}, "authorization.v"),
    ],
)
def test_an_authorization_that_is_malformed_is_refused_by_field(changes: dict[str, object], field: str):
    good = {"validAfter": 0, "validBefore": 1, "v": 27, "r": "0x" + "01" * 32, "s": "0x" + "02" * 32}
    with pytest.raises(InputError) as caught:
        Authorization.from_json(good | changes)
    assert caught.value.field == field


def test_a_deposit_nonce_is_apart_from_every_task_id():
    seed = b"\x05" * 32
    expected = keccak(encode(["bytes32", "bytes32"], [keccak(text="ParityDeposit"), seed]))
    assert typed_data.deposit_nonce(seed) == expected
    with pytest.raises(InputError):
        typed_data.deposit_nonce(b"short")


@pytest.mark.parametrize("signature", [b"", b"\x01" * 64, b"\xff" * 65, bytes(65)])
def test_a_malformed_signature_is_refused_and_not_recovered_to_somebody(
    make_order: Callable[..., Order], signature: bytes
):
    with pytest.raises(InputError) as caught:
        typed_data.recover_signer(typed_data.order_typed_data(make_order(), ESCROW), signature)
    assert caught.value.field == "signature"
