"""Problem documents (RFC 9457): what was refused, which field is wrong, and what to do. The only place where errors are worded."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

from api.database import DatabaseUnavailable, IndexBehind, IndexMissing, StatementTimeout
from api.rejections import BadOrder, Refusal, RelayerUnavailable
from protocol import errors


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One problem. `type` is a slug that does not change; `detail` is for people and may."""

    type: str
    title: str
    status: int
    detail: str
    field: str | None = None
    hint: str | None = None
    more: Mapping[str, object] = dataclasses.field(default_factory=dict)

    def document(self) -> dict[str, object]:
        """Return the document that is sent; members without a value are left out."""
        document = {
            "type": self.type,
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "field": self.field,
            "hint": self.hint,
            **self.more,
        }
        return {name: value for name, value in document.items() if value is not None}

    def extensions(self) -> dict[str, object]:
        """Return what GraphQL puts beside an error's message."""
        return {"code": self.type, "field": self.field, "hint": self.hint, "status": self.status, **self.more}


_KINDS: tuple[tuple[type[errors.ParityError], str, str, int], ...] = (
    (DatabaseUnavailable, "database-unavailable", "Database away", 503),
    (IndexMissing, "index-missing", "No index of the chain", 503),
    (IndexBehind, "index-behind", "Index behind the asked block", 503),
    (StatementTimeout, "statement-timeout", "Query too slow", 503),
    (errors.InputError, "bad-request", "Request not understood", 400),
    (errors.InsufficientFunds, RelayerUnavailable.slug, RelayerUnavailable.title, RelayerUnavailable.status),
    (errors.TransactionReverted, "simulated-revert", "The contract would refuse", 422),
    (errors.TransactionTimeout, "transaction-timeout", "Sent, but in no block yet", 504),
    (errors.ChainError, "chain-unavailable", "Chain away", 503),
    (errors.ContentTooLarge, "body-too-large", "Document too large", 413),
    (errors.ContentError, "content-unavailable", "IPFS node away", 503),
    (errors.ParityError, "internal", "Server error", 500),
)


def problem_of(error: errors.ParityError) -> Problem:
    """Return an error's problem."""
    if isinstance(error, Refusal):
        return Problem(
            type=error.slug,
            title=error.title,
            status=error.status,
            detail=error.message,
            field=error.field,
            hint=error.hint,
            more=error.more,
        )
    name = error.field if isinstance(error, errors.InputError) else None
    if name is not None and name.startswith("order."):
        return problem_of(BadOrder(error.message, field=name, hint=error.hint))
    slug, title, status = next(row[1:] for row in _KINDS if isinstance(error, row[0]))
    more = {"error": error.name} if isinstance(error, errors.TransactionReverted) else {}
    return Problem(
        type=slug, title=title, status=status, detail=error.message, field=name, hint=error.hint, more=more
    )
