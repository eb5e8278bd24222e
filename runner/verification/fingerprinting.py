"""Making the fingerprint of an answer from what the engine says of its tokens."""

from collections.abc import Sequence
from typing import Protocol

from protocol.documents import MAX_DOCUMENT_BYTES, canonical
from protocol.errors import ContentTooLarge
from protocol.fingerprint import TOP, Alternative, Fingerprint, TokenMark, milli
from runner.errors import ExecutionInvalid

_FEWER = (TOP, 4, 2, 1, 0)
"""Alternatives a token, until the fingerprint of a long answer fits in one block."""


class Likelihood(Protocol):
    """A token and its log probability in nats, as the `ollama` client gives them."""

    @property
    def token(self) -> str: ...
    @property
    def logprob(self) -> float: ...


class TokenLikelihood(Likelihood, Protocol):
    """A token of an answer, with the likeliest ones at its place."""

    @property
    def top_logprobs(self) -> Sequence[Likelihood] | None: ...


def fingerprint_of(
    task_id: bytes, model: str, *, input_tokens: int, tokens: Sequence[TokenLikelihood]
) -> Fingerprint:
    """Write down an answer's tokens; `ExecutionInvalid` when an engine gave no likelihoods or too many tokens."""
    if not tokens:
        raise ExecutionInvalid("the engine gives no log probabilities, which audited work needs")
    for kept in _FEWER:
        fingerprint = Fingerprint(
            task="0x" + task_id.hex(),
            model=model,
            input_tokens=input_tokens,
            tokens=tuple(token_mark(token, kept=kept) for token in tokens),
        )
        try:
            canonical(fingerprint)
        except ContentTooLarge:
            continue
        return fingerprint
    raise ExecutionInvalid(
        f"the fingerprint of {len(tokens):,} tokens is longer than {MAX_DOCUMENT_BYTES:,} bytes"
    )


def token_mark(token: TokenLikelihood, *, kept: int = TOP) -> TokenMark:
    """Round one token's likelihood and those of its `kept` likeliest alternatives."""
    others = [
        Alternative(token=_hex(other.token), logprob=milli(other.logprob))
        for other in token.top_logprobs or ()
    ]
    others.sort(key=lambda other: (-other.logprob, other.token))
    return TokenMark(token=_hex(token.token), logprob=milli(token.logprob), top=tuple(others[:kept]))


def _hex(token: str) -> str:
    return token.encode("utf-8", "replace").hex()
