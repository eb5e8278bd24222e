"""The streaming path between a client and a runner: what is paid when, and what both sides write to each other.

An answer is paid while it is given. The prompt is paid before it is read, the answer every `PAY_EVERY` tokens, and neither
side is ever ahead of the other by more than one chunk: the prompt, or `CHUNK_TOKENS` tokens. Amounts are USDFC base units.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Self

from eth_account.signers.base import BaseAccount

from protocol.errors import InputError
from protocol.money import is_whole_number
from protocol.typed_data import Domain, TypedData, digest, document_of, recover_signer, sign
from protocol.voucher import Channel, Voucher

CHUNK_TOKENS = 32
PAY_EVERY = 16
PAYMENT_HEADER = "parity-payment"
DUE, RECEIPT = "parity-due", "parity-receipt"
"""Names of the comments in the event stream that tell a client what is due, and what it has paid for."""

_BYTES_A_TOKEN = 4
_TOKENS_A_TURN = 16
_TOKENS_PER_PRICE = 1_000
_CHANNEL_JSON = ("payer", "node", "owner", "amount", "closeDelay", "openBy", "salt")
_RECEIPT_TYPE = [
    {"name": "channelId", "type": "bytes32"},
    {"name": "prompt", "type": "bytes32"},
    {"name": "answer", "type": "bytes32"},
    {"name": "model", "type": "bytes32"},
    {"name": "fingerprint", "type": "bytes32"},
    {"name": "inputTokens", "type": "uint32"},
    {"name": "outputTokens", "type": "uint32"},
    {"name": "cumulative", "type": "uint128"},
]


@dataclass(frozen=True, slots=True)
class Tariff:
    """Prices in base units per 1,000 tokens, as a runner's offer states them."""

    input_price: int
    output_price: int

    def cost(self, input_tokens: int, output_tokens: int) -> int:
        """Price so many tokens, rounded up."""
        return -(-(input_tokens * self.input_price + output_tokens * self.output_price) // _TOKENS_PER_PRICE)


def prompt_tokens(messages: Sequence[Mapping[str, Any]]) -> int:
    """Reckon a prompt's tokens before any model has counted them: what is paid for reading it.

    The count at the end corrects it; what was paid too much is credit for the next prompt on the channel.
    """
    size = sum(len(str(message.get("content") or "").encode()) for message in messages)
    return _TOKENS_A_TURN * (len(messages) + 1) + -(-size // _BYTES_A_TOKEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """What comes with a prompt: the channel's terms, and a voucher that covers what is owed and the prompt."""

    channel: Channel
    voucher: Voucher

    def to_header(self) -> str:
        """Write the payment as the value of `PAYMENT_HEADER`."""
        document = {"channel": channel_to_json(self.channel), "voucher": self.voucher.to_json()}
        return json.dumps(document, separators=(",", ":"))

    @classmethod
    def from_header(cls, value: str) -> Self:
        """Read what `to_header` writes; `InputError` names the field that is wrong."""
        try:
            document = json.loads(value)
            return cls(
                channel=channel_from_json(document["channel"]), voucher=Voucher.from_json(document["voucher"])
            )
        except (ValueError, RecursionError, KeyError, TypeError, AttributeError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(
                f"{PAYMENT_HEADER}: not a payment ({error})",
                field=PAYMENT_HEADER,
                hint="Send JSON with `channel` (its terms) and `voucher`; parity-client gateway does.",
            ) from error


def channel_to_json(channel: Channel) -> dict[str, str]:
    """Write terms as JSON takes them: amounts and heights as decimal strings, bytes as 0x hex."""
    values = (
        str(value) if not isinstance(value, bytes) else "0x" + value.hex() for value in channel.as_tuple()
    )
    return dict(zip(_CHANNEL_JSON, values, strict=True))


def channel_from_json(document: Mapping[str, Any]) -> Channel:
    """Read what `channel_to_json` writes; `InputError` names the field that is wrong, `KeyError` one that is missing."""
    whole = {name: str(document[name]) for name in ("amount", "closeDelay", "openBy")}
    for name, text in whole.items():
        if not is_whole_number(text):
            raise InputError(
                f"channel.{name}: {text:.40} is no whole number of at most 78 digits",
                field=f"channel.{name}",
                hint="Use digits only.",
            )
    return Channel(
        payer=document["payer"],
        node=document["node"],
        owner=document["owner"],
        amount=int(whole["amount"]),
        close_delay=int(whole["closeDelay"]),
        open_by=int(whole["openBy"]),
        salt=bytes.fromhex(str(document["salt"]).removeprefix("0x")),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What a runner signs at the end: evidence of what it answered, by which model, for how much.

    `prompt` and `answer` are SHA-256 of the canonical messages and of the text, `model` is the model's digest,
    `fingerprint` the Merkle root over the answer's tokens, `cumulative` what the channel has earned with it.
    """

    channel_id: bytes
    prompt: bytes
    answer: bytes
    model: bytes
    fingerprint: bytes
    input_tokens: int
    output_tokens: int
    cumulative: int
    signature: bytes = b""

    def typed_data(self, domain: Domain) -> TypedData:
        """Build the document that the node signs, in the wallet's domain."""
        message = {
            "channelId": self.channel_id,
            "prompt": self.prompt,
            "answer": self.answer,
            "model": self.model,
            "fingerprint": self.fingerprint,
            "inputTokens": self.input_tokens,
            "outputTokens": self.output_tokens,
            "cumulative": self.cumulative,
        }
        return document_of("Receipt", _RECEIPT_TYPE, message=message, domain=domain)

    def signed(self, domain: Domain, account: BaseAccount) -> "Receipt":
        """Return the receipt with the node's signature."""
        signature = sign(self.typed_data(domain), account)
        return Receipt(**{**self._fields(), "signature": signature})

    def signer(self, domain: Domain) -> str:
        """Return the address whose key signed; `InputError` if the signature is malformed."""
        return recover_signer(self.typed_data(domain), self.signature)

    def digest(self, domain: Domain) -> bytes:
        """Return the EIP-712 digest, 32 bytes."""
        return digest(self.typed_data(domain))

    def to_json(self) -> str:
        """Write the receipt on one line."""
        plain = {
            name: "0x" + value.hex() if isinstance(value, bytes) else value
            for name, value in self._fields().items()
        }
        return json.dumps({**plain, "cumulative": str(self.cumulative)}, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` writes; `ValueError` or `KeyError` if it is something else."""
        document = json.loads(text)
        words = ("channel_id", "prompt", "answer", "model", "fingerprint", "signature")
        return cls(
            **{name: bytes.fromhex(str(document[name]).removeprefix("0x")) for name in words},
            input_tokens=int(document["input_tokens"]),
            output_tokens=int(document["output_tokens"]),
            cumulative=int(document["cumulative"]),
        )

    def _fields(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


def prompt_hash(messages: Sequence[Mapping[str, Any]]) -> bytes:
    """Hash a conversation as a receipt names it: SHA-256 of its turns as JSON with sorted keys."""
    turns = [{"role": message.get("role"), "content": message.get("content")} for message in messages]
    return sha256(
        json.dumps(turns, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    ).digest()


def answer_hash(text: str) -> bytes:
    """Hash an answer's text as a receipt names it."""
    return sha256(text.encode("utf-8", "surrogatepass")).digest()
