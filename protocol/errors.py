"""Errors a person may see: each says what happened, what to do about it, and how a command exits.

::

    ParityError                     1
    ├── InputError                  2   a value from a person; names the field
    ├── ConfigError                 2   a setting; names the variable
    ├── KeystoreError               2
    ├── ChainError                  1
    │   ├── RpcUnavailable          1
    │   ├── WrongChain              2   another chain, or no contract at an address
    │   ├── InsufficientFunds       3   the sender cannot pay the network fee
    │   ├── TransactionReverted     3   a contract refused; carries the decoded error
    │   └── TransactionTimeout      4   sent, but not seen in a block in time
    ├── ContentError                1
    │   ├── ContentUnavailable      1
    │   ├── ContentMismatch         1   the store returned other bytes than asked for
    │   └── ContentTooLarge         1
    └── ApiError                    1   a server refused; carries status and code
"""

from collections.abc import Mapping
from typing import ClassVar


class ParityError(Exception):
    """Anything that Parity itself reports; `hint` is the remedy, `exit_code` a command's status."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return self.message


class InputError(ParityError):
    """A value that a person gave is not usable; `field` names it as the person wrote it."""

    exit_code = 2

    def __init__(self, message: str, *, field: str, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.field = field


class ConfigError(ParityError):
    """A setting is missing or wrong; the message names its environment variable."""

    exit_code = 2


class KeystoreError(ParityError):
    """A key file cannot be read, written or unlocked."""

    exit_code = 2


class ChainError(ParityError):
    """Something went wrong between this process and the chain."""


class RpcUnavailable(ChainError):
    """The node did not answer, in time or at all."""


class WrongChain(ChainError):
    """The node serves another chain than the settings say, or lacks the contracts."""

    exit_code = 2


class InsufficientFunds(ChainError):
    """The sender's native balance does not cover the network fee."""

    exit_code = 3


class TransactionReverted(ChainError):
    """A contract refused. `name` and `arguments` are its decoded custom error."""

    exit_code = 3

    def __init__(
        self, name: str, arguments: Mapping[str, object], message: str, *, hint: str | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.name = name
        self.arguments = dict(arguments)


class TransactionTimeout(ChainError):
    """A sent transaction was not seen in a block in time. It may still be mined: `transaction_hash` tells."""

    exit_code = 4

    def __init__(self, message: str, *, transaction_hash: str, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.transaction_hash = transaction_hash


class ContentError(ParityError):
    """Content could not be had, or not trusted."""


class ContentUnavailable(ContentError):
    """The content store did not answer, or nobody has the content."""


class ContentMismatch(ContentError):
    """The bytes received do not have the digest asked for."""


class ContentTooLarge(ContentError):
    """The content is longer than its place allows."""


class ApiError(ParityError):
    """A Parity server refused a request. `status` is HTTP's, `code` the problem's slug."""

    def __init__(self, status: int, code: str, detail: str, *, hint: str | None = None) -> None:
        super().__init__(detail, hint=hint)
        self.status = status
        self.code = code
