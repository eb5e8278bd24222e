"""Sign-In with Ethereum (EIP-4361): a wallet signs a text of this server and gets a short session."""

import asyncio
import ipaddress
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from eth_account.messages import encode_defunct
from eth_utils.address import to_canonical_address
from eth_utils.crypto import keccak

from api.chain_link import ChainLink
from api.rejections import BadSignature, Refusal, WrongChain
from api.shared import sessions
from api.shared.sessions import Opened
from api.shared.state import SharedState
from protocol.errors import TransactionReverted

STATEMENT = "Sign in to Parity. This costs nothing and moves nothing."
_MAX_MESSAGE = 4096
_HOST = re.compile(r"([A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?")
_ERC1271_ABI = [
    {
        "type": "function",
        "name": "isValidSignature",
        "stateMutability": "view",
        "inputs": [{"name": "hash", "type": "bytes32"}, {"name": "signature", "type": "bytes"}],
        "outputs": [{"name": "", "type": "bytes4"}],
    }
]
_ERC1271_MAGIC = bytes.fromhex("1626ba7e")


class SignInRefused(Refusal):
    """The message is not one that this server gave out, or no longer counts."""

    slug = "sign-in-refused"
    title = "Sign-in refused"
    status = 400


def require_own_domain(host: str, own: str) -> str:
    """Return the host that a request was sent to, if it is this server's; `SignInRefused` if it may be another site's.

    A message is for the site that it names. Who shows it on a site of his own, and sends what was signed there on to this
    server under that site's name, would be let in as the signer. `own` lists public names, separated by commas; names
    without a dot and private addresses are no public site's.
    """
    name = urlsplit(f"//{host}").hostname or "" if _HOST.fullmatch(host) else ""
    if not name or (_is_public(name) and name not in {one.strip().lower() for one in own.split(",")}):
        raise SignInRefused(
            f"this server does not go by the name {host!r:.80}",
            field="Host",
            hint="Use the server's own address. Its operator lists its public names in SERVER_DOMAINS.",
        )
    return host


def _is_public(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_global
    except ValueError:
        return "." in name


async def message_for(state: SharedState, address: str, *, domain: str, chain_id: int, scheme: str) -> str:
    """Write the text to sign, with a fresh nonce."""
    from siwe import SiweMessage  # noqa: PLC0415  # builds its grammar for half a second
    from siwe.siwe import ISO8601Datetime  # noqa: PLC0415  # as above

    now = datetime.now(UTC)
    message = SiweMessage.model_validate(
        {
            "domain": domain,
            "address": address,
            "uri": f"{scheme}://{domain}",
            "version": "1",
            "chain_id": chain_id,
            "nonce": await sessions.new_nonce(state),
            "issued_at": ISO8601Datetime.from_datetime(now),
            "expiration_time": ISO8601Datetime.from_datetime(now + timedelta(seconds=sessions.NONCE_S)),
            "statement": STATEMENT,
        }
    )
    return str(message.prepare_message())


async def sign_in(
    state: SharedState, link: ChainLink, *, text: str, signature: str, domain: str, lasts_s: float
) -> tuple[str, Opened]:
    """Check a signed text and open a session for its address; the text counts once.

    Raises `SignInRefused`, `WrongChain` or `BadSignature`.
    """
    message = await asyncio.to_thread(_parsed, text)
    if message.domain != domain:
        raise SignInRefused(
            f"the message is for {message.domain}, and this is {domain}",
            field="message",
            hint="Do not sign messages of one site for another. Take the text from this server.",
        )
    if message.chain_id != link.deployment.chain_id:
        raise WrongChain(
            f"the message is for chain {message.chain_id}, not {link.deployment.chain_id}",
            field="message",
            hint="Take the text from GET /api/v1/auth/message and sign it.",
        )
    await _check_signature(link, message, signature)
    if not await sessions.use_nonce(state, message.nonce):
        raise SignInRefused(
            "the message's nonce was used, is too old, or was never given out",
            field="message",
            hint="Take a new text from GET /api/v1/auth/message and sign it.",
        )
    opened = await sessions.open_session(state, to_canonical_address(message.address), lasts_s=lasts_s)
    return str(message.address), opened


def _parsed(text: str) -> Any:
    from siwe import SiweMessage  # noqa: PLC0415  # builds its grammar for half a second

    if len(text) > _MAX_MESSAGE:
        raise _not_a_message()
    try:
        # By regular expression: its grammar takes minutes over a few thousand characters of nonsense.
        return SiweMessage.from_message(text, abnf=False)
    except Exception as error:
        # A border: the parser, pydantic and datetime raise unrelated exceptions.
        raise _not_a_message() from error


async def _check_signature(link: ChainLink, message: Any, signature: str) -> None:
    from siwe import ExpiredMessage, InvalidSignature, NotYetValidMessage  # noqa: PLC0415  # as above

    try:
        message.verify(signature)
    except (ExpiredMessage, NotYetValidMessage) as error:
        raise SignInRefused(
            "the message does not count now: compare its times with the clock",
            field="message",
            hint="Take a new text from GET /api/v1/auth/message and sign it.",
        ) from error
    except InvalidSignature as error:
        if not await _accepted_by_contract(link, message, signature):
            raise BadSignature(
                f"signature is not {message.address}'s of this message",
                field="signature",
                hint="Sign the text unchanged with personal_sign, with the account that it names.",
            ) from error


async def _accepted_by_contract(link: ChainLink, message: Any, signature: str) -> bool:
    chain = await link.chain()
    address = chain.w3.to_checksum_address(message.address)
    if not await chain.w3.eth.get_code(address):
        return False
    signable = encode_defunct(text=message.prepare_message())
    digest = keccak(b"\x19" + signable.version + signable.header + signable.body)
    functions: Any = chain.w3.eth.contract(address=address, abi=_ERC1271_ABI).functions
    try:
        answer = await chain.call(functions.isValidSignature(digest, bytes.fromhex(signature[2:])))
    except (TransactionReverted, ValueError):
        return False
    return bytes(answer) == _ERC1271_MAGIC


def _not_a_message() -> SignInRefused:
    return SignInRefused(
        "message: not a Sign-In with Ethereum message (EIP-4361)",
        field="message",
        hint="Take the text from GET /api/v1/auth/message and send it unchanged.",
    )
