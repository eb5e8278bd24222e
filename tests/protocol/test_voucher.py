import pytest
from eth_abi.abi import encode
from eth_account import Account
from eth_utils.crypto import keccak
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol import typed_data, voucher
from protocol.action import Action, action_typed_data, sign_action
from protocol.errors import InputError
from protocol.voucher import Channel, Voucher
from tests.protocol.test_typed_data import digest_by_the_standard

CONTRACT = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
WALLET = typed_data.wallet_domain(31337, CONTRACT)
ELSEWHERE = typed_data.wallet_domain(314159, CONTRACT)
ALICE = Account.from_key(b"\x01" * 32)
BOB = Account.from_key(b"\x02" * 32)
CHANNEL_TYPE = "Channel(address payer,address node,address owner,uint96 amount,uint40 closeDelay,uint40 openBy,bytes32 salt)"
TERMS = Channel(
    payer=ALICE.address,
    node=BOB.address,
    owner=BOB.address,
    amount=2**96 - 1,
    close_delay=720,
    open_by=2**40 - 1,
    salt=b"\x03" * 32,
)
ID = voucher.channel_id(TERMS, WALLET)


def test_a_channels_id_is_the_digest_that_eip_712_prescribes():
    kinds = ["bytes32", "address", "address", "address", "uint96", "uint40", "uint40", "bytes32"]
    struct_hash = keccak(encode(kinds, [keccak(text=CHANNEL_TYPE), *TERMS.as_tuple()]))
    assert digest_by_the_standard(WALLET, struct_hash) == ID


def test_an_actions_digest_hashes_its_call():
    action = Action(account=ALICE.address, call=b"\x01\x02\x03", nonce=7 << 64 | 5, deadline=99)
    kind = "Action(address account,bytes call,uint256 nonce,uint256 deadline)"
    values = [keccak(text=kind), action.account, keccak(action.call), action.nonce, action.deadline]
    struct_hash = keccak(encode(["bytes32", "address", "bytes32", "uint256", "uint256"], values))
    document = action_typed_data(action, WALLET)
    assert typed_data.digest(document) == digest_by_the_standard(WALLET, struct_hash)
    assert typed_data.recover_signer(document, sign_action(action, WALLET, ALICE)) == ALICE.address
    assert action.sequence == 7


@settings(max_examples=25)
@given(st.integers(0, 2**128 - 1), st.binary(min_size=32, max_size=32))
def test_a_voucher_is_recovered_to_its_signer_on_its_chain_alone(cumulative: int, channel: bytes):
    signed = voucher.sign_voucher(channel, cumulative, WALLET, account=ALICE)
    assert voucher.voucher_signer(signed, WALLET) == ALICE.address
    assert voucher.voucher_signer(signed, ELSEWHERE) != ALICE.address
    assert Voucher.from_json(signed.to_json()) == signed
    document = voucher.voucher_typed_data(channel, cumulative, WALLET)
    assert signed.signature == typed_data.sign(document, ALICE)


def test_a_changed_voucher_is_somebody_elses():
    signed = voucher.sign_voucher(ID, 5, WALLET, account=ALICE)
    raised = Voucher(channel_id=ID, cumulative=6, r=signed.r, vs=signed.vs)
    assert voucher.voucher_signer(raised, WALLET) != ALICE.address


@pytest.mark.parametrize(
    ("field", "value"),
    [("cumulative", -1), ("cumulative", 2**128), ("channelId", b"\x01"), ("r", b""), ("vs", b"\x01" * 33)],
)
def test_a_voucher_out_of_range_is_refused_by_its_field(field: str, value: object):
    fields: dict[str, object] = {"channelId": ID, "cumulative": 1, "r": bytes(32), "vs": bytes(32)}
    fields[field] = value
    fields["channel_id"] = fields.pop("channelId")
    with pytest.raises(InputError) as caught:
        Voucher(**fields)  # type: ignore[arg-type]
    assert caught.value.field == f"voucher.{field}"


@pytest.mark.parametrize(
    ("name", "value"),
    [("cumulative", 5), ("cumulative", "-5"), ("channelId", "0x12"), ("r", None), ("vs", "0xzz")],
)
def test_a_voucher_that_is_no_json_voucher_is_refused_by_its_field(name: str, value: object):
    document: dict[str, object] = {
        **voucher.sign_voucher(ID, 5, WALLET, account=ALICE).to_json(),
        name: value,
    }
    with pytest.raises(InputError) as caught:
        Voucher.from_json(document)
    assert caught.value.field == f"voucher.{name}"


@pytest.mark.parametrize(
    ("attribute", "name", "value"),
    [
        ("payer", "payer", "0x12"),
        ("amount", "amount", 2**96),
        ("close_delay", "closeDelay", 2**40),
        ("open_by", "openBy", -1),
        ("salt", "salt", b""),
    ],
)
def test_terms_out_of_range_are_refused_by_their_field(attribute: str, name: str, value: object):
    fields = {field: getattr(TERMS, field) for field in Channel.__dataclass_fields__}
    with pytest.raises(InputError) as caught:
        Channel(**(fields | {attribute: value}))
    assert caught.value.field == f"channel.{name}"
