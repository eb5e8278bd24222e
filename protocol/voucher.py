"""Payment channels of the StakeWallet: their terms and vouchers, signed off chain and redeemed on it.

Amounts are USDFC base units, heights and delays blocks. A payer signs the terms once (their digest is the channel's id),
then one voucher after another, each for all that the channel has earned so far; only the highest is worth keeping.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from eth_account.signers.base import BaseAccount

from protocol.address import parse_address
from protocol.errors import InputError
from protocol.money import is_whole_number
from protocol.typed_data import Domain, TypedData, digest, document_of, recover_signer, sign

MAX_VOUCHERS = 64
"""Vouchers that one `redeem` takes."""

_CHANNEL_FIELDS = (
    ("payer", "payer", "address"),
    ("node", "node", "address"),
    ("owner", "owner", "address"),
    ("amount", "amount", "uint96"),
    ("close_delay", "closeDelay", "uint40"),
    ("open_by", "openBy", "uint40"),
    ("salt", "salt", "bytes32"),
)
_CHANNEL_TYPE = [{"name": name, "type": kind} for _, name, kind in _CHANNEL_FIELDS]
_VOUCHER_TYPE = [{"name": "channelId", "type": "bytes32"}, {"name": "cumulative", "type": "uint128"}]
_V_BIT = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A channel's terms, as `IChannels.Channel`; `InputError` names a field out of its type's range.

    A runner serves a channel only if `node` and `owner` are its own: either may close it at once.
    """

    payer: str
    node: str
    owner: str
    amount: int
    close_delay: int
    open_by: int
    salt: bytes

    def __post_init__(self) -> None:
        for attribute, name, kind in _CHANNEL_FIELDS:
            value = _checked(getattr(self, attribute), field=f"channel.{name}", kind=kind)
            object.__setattr__(self, attribute, value)

    def as_tuple(self) -> tuple[object, ...]:
        """Return the fields in ABI order, as web3 takes a struct."""
        return tuple(getattr(self, field.name) for field in fields(self))


@dataclass(frozen=True, slots=True, kw_only=True)
class Voucher:
    """A signed promise that the channel has earned `cumulative` in all; `r` and `vs` as EIP-2098 has them."""

    channel_id: bytes
    cumulative: int
    r: bytes
    vs: bytes

    def __post_init__(self) -> None:
        for value, name, kind in (
            (self.channel_id, "channelId", "bytes32"),
            (self.cumulative, "cumulative", "uint128"),
            (self.r, "r", "bytes32"),
            (self.vs, "vs", "bytes32"),
        ):
            _checked(value, field=f"voucher.{name}", kind=kind)

    def as_tuple(self) -> tuple[bytes, int, bytes, bytes]:
        """Return the fields in ABI order, as web3 takes a struct."""
        return (self.channel_id, self.cumulative, self.r, self.vs)

    @property
    def signature(self) -> bytes:
        """The signature in 65 bytes r, s, v, as `redeemSigned` takes it."""
        word = int.from_bytes(self.vs, "big")
        s = word & ((1 << _V_BIT) - 1)
        return self.r + s.to_bytes(32, "big") + bytes([27 + (word >> _V_BIT)])

    def to_json(self) -> dict[str, str]:
        """Return the fields as JSON takes them: the amount as a decimal string, bytes as 0x hex."""
        return {
            "channelId": "0x" + self.channel_id.hex(),
            "cumulative": str(self.cumulative),
            "r": "0x" + self.r.hex(),
            "vs": "0x" + self.vs.hex(),
        }

    @classmethod
    def from_json(cls, document: Mapping[str, object]) -> Self:
        """Read what `to_json` writes; `InputError` names the field that is wrong."""
        cumulative = document.get("cumulative")
        if not isinstance(cumulative, str) or not is_whole_number(cumulative):
            raise _wrong("voucher.cumulative", expected="a decimal string of base units")
        return cls(
            channel_id=_word(document, "channelId"),
            cumulative=int(cumulative),
            r=_word(document, "r"),
            vs=_word(document, "vs"),
        )


def channel_typed_data(channel: Channel, domain: Domain) -> TypedData:
    """Build the document that a payer signs to have anybody open its channel."""
    message = {name: getattr(channel, attribute) for attribute, name, _ in _CHANNEL_FIELDS}
    return document_of("Channel", _CHANNEL_TYPE, message=message, domain=domain)


def channel_id(channel: Channel, domain: Domain) -> bytes:
    """Hash terms to their channel's id, the EIP-712 digest: 32 bytes."""
    return digest(channel_typed_data(channel, domain))


def sign_channel(channel: Channel, domain: Domain, account: BaseAccount) -> bytes:
    """Sign the terms as their payer; 65 bytes r, s, v."""
    return sign(channel_typed_data(channel, domain), account)


def voucher_typed_data(channel: bytes, cumulative: int, domain: Domain) -> TypedData:
    """Build the document of a voucher over `cumulative` base units in the channel of this id."""
    _checked(channel, field="voucher.channelId", kind="bytes32")
    _checked(cumulative, field="voucher.cumulative", kind="uint128")
    message = {"channelId": channel, "cumulative": cumulative}
    return document_of("Voucher", _VOUCHER_TYPE, message=message, domain=domain)


def sign_voucher(channel: bytes, cumulative: int, domain: Domain, *, account: BaseAccount) -> Voucher:
    """Promise `cumulative` base units in all to the channel's runner."""
    signature = sign(voucher_typed_data(channel, cumulative, domain), account)
    s, v = int.from_bytes(signature[32:64], "big"), signature[64]
    vs = ((v - 27) << _V_BIT | s).to_bytes(32, "big")
    return Voucher(channel_id=channel, cumulative=cumulative, r=signature[:32], vs=vs)


def voucher_signer(voucher: Voucher, domain: Domain) -> str:
    """Return the address whose key signed, which must be the payer's; `InputError` if the signature is malformed."""
    document = voucher_typed_data(voucher.channel_id, voucher.cumulative, domain)
    return recover_signer(document, voucher.signature)


def _checked(value: Any, *, field: str, kind: str) -> Any:
    if kind == "address":
        return parse_address(value, field=field)
    if kind == "bytes32":
        if not isinstance(value, bytes) or len(value) != 32:
            raise _wrong(field, expected="32 bytes (0x and 64 hex digits)")
        return value
    limit = 2 ** int(kind.removeprefix("uint"))
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < limit:
        raise _wrong(field, expected=f"a whole number from 0 to {limit - 1}")
    return value


def _word(document: Mapping[str, object], name: str) -> bytes:
    value = document.get(name)
    try:
        word = bytes.fromhex(value.removeprefix("0x")) if isinstance(value, str) else b""
    except ValueError:
        word = b""
    return bytes(_checked(word, field=f"voucher.{name}", kind="bytes32"))


def _wrong(field: str, *, expected: str) -> InputError:
    return InputError(f"{field}: expected {expected}", field=field, hint=f"Use {expected}.")
