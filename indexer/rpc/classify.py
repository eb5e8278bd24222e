"""Say what an error of a node means for us.

Whether asking again helps is decided here, once. Nodes agree on few codes, so known texts are matched as well; each
pattern has the node or provider above it that says so.
"""

import re
from enum import Enum

from protocol.answers import PASSING
from protocol.errors import ChainError

NULL_ROUND_CODE = 12


class Meaning(Enum):
    """What to do about an error."""

    RETRY = "ask again later, or another node"
    TOO_WIDE = "ask for fewer blocks"
    NULL_ROUND = "the height has no block"
    NO_HISTORY = "this node does not keep what was asked for"
    REFUSED = "the question is wrong; asking again never helps"


class RpcError(ChainError):
    """A JSON-RPC error object. `cap` is the widest block range that the node says it takes."""

    def __init__(self, code: int, text: str, *, method: str) -> None:
        self.meaning = meaning_of(code, text)
        self.code = code
        self.is_rate_limit = _RATE_LIMIT.search(text) is not None
        self.cap = cap_of(text) if self.meaning is Meaning.TOO_WIDE else None
        super().__init__(f"{method}: {text} (code {code})", hint=_HINTS.get(self.meaning))


_HINTS = {
    Meaning.NO_HISTORY: "Put an archive node first in FILECOIN_RPC for the backfill.",
    Meaning.REFUSED: "Check that FILECOIN_RPC points to an Ethereum JSON-RPC endpoint of the right chain.",
}

_NULL_ROUND = re.compile(r"null round", re.IGNORECASE)  # Lotus, Forest
_NO_HISTORY = re.compile(
    r"lookbacks? of more than"  # Lotus gateway
    r"|missing trie node|pruned|state .* not available",  # geth and its like
    re.IGNORECASE,
)
_TOO_WIDE = re.compile(
    r"block range exceeds"  # Lotus: block range exceeds maximum of 2880 (got 3000)
    r"|too many events|filter matches too many"  # Lotus
    r"|query returned more than|more than \d+ results"  # Infura, Alchemy
    r"|response (size )?(is )?(too large|exceed)"  # Alchemy
    r"|range (is )?too (large|wide)|(limited to|up to) (a )?[\d,]+ (blocks?|range)|block range limit"  # QuickNode, Ankr
    r"|max(imum)?( allowed)?( block)? range|maximum allowed is",
    re.IGNORECASE,
)
_RETRY = re.compile(
    PASSING + r"|timeout|timed out|temporar|overloaded|try again|internal error", re.IGNORECASE
)
_RATE_LIMIT = re.compile(r"rate limit|too many requests", re.IGNORECASE)
_CAP = re.compile(
    r"(?:maximum(?: allowed)?(?: is| of)?|max(?: block)? range:?|limited to|up to)(?: a)?\s+([\d,]+)",
    re.IGNORECASE,
)

_SERVER_ERRORS = range(-32099, -31999)
_INTERNAL = -32603
_LIMIT = -32005


def meaning_of(code: int, text: str) -> Meaning:
    """Decide by code and text."""
    if code == NULL_ROUND_CODE or _NULL_ROUND.search(text):
        return Meaning.NULL_ROUND
    if _NO_HISTORY.search(text):
        return Meaning.NO_HISTORY
    if _TOO_WIDE.search(text):
        return Meaning.TOO_WIDE
    if _RETRY.search(text) or code in (_INTERNAL, _LIMIT) or code in _SERVER_ERRORS:
        return Meaning.RETRY
    return Meaning.REFUSED


def cap_of(text: str) -> int | None:
    """Read the widest allowed range out of an error text."""
    match = _CAP.search(text)
    return int(match[1].replace(",", "")) if match else None
