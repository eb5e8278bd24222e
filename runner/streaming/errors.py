"""What the streaming path refuses, in the shape that clients of OpenAI's API expect errors in."""

from protocol.errors import ParityError


class StreamRefused(ParityError):
    """A request that is not served. `status` is HTTP's, `code` a word for programs."""

    def __init__(self, message: str, *, code: str, status: int = 400, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.code = code
        self.status = status

    def to_json(self) -> dict[str, object]:
        """Write the error as OpenAI's API does, with a hint beside it."""
        kind = "payment_required" if self.status == 402 else "invalid_request_error"
        if self.status >= 500:
            kind = "server_error"
        return {
            "error": {"message": str(self), "type": kind, "code": self.code, "param": None, "hint": self.hint}
        }


class PaymentRefused(StreamRefused):
    """A channel or voucher that does not pay for what is asked. `due` is what a voucher would have to promise."""

    def __init__(self, message: str, *, code: str, hint: str | None = None, due: int | None = None) -> None:
        super().__init__(message, code=code, status=402, hint=hint)
        self.due = due

    def to_json(self) -> dict[str, object]:
        """Write the error with what is due, in base units as a decimal string."""
        document = super().to_json()
        return document if self.due is None else {**document, "due": str(self.due)}
