"""Structured logs: one event a line, ids bound, and nothing in them that looks like a private key."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

_SECRET_NAMES = ("private_key", "privatekey", "password", "passphrase", "secret", "mnemonic", "authorization")
_KEY_NAMES = {"key", "token", "api_key"}
_CREDENTIALS = re.compile(r"(?<=://)[^/@\s:]*:[^/@\s]+(?=@)")
_HIDDEN = "[redacted]"


def configure_logging(process: str, *, level: str = "info", json: bool | None = None) -> None:
    """Send structlog's and the standard library's logs to standard error.

    `json` defaults to whether standard error is not a terminal: people get colours, collectors get JSON.
    """
    as_json = not sys.stderr.isatty() if json is None else json
    threshold = logging.getLevelNamesMapping()[level.upper()]
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info if as_json else _keep,
        redact,
    ]
    # The console's own tracebacks show local variables, and one of them may be a key.
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(threshold)
    for chatty in ("httpx", "httpcore", "urllib3", "web3", "asyncio", "multipart"):
        logging.getLogger(chatty).setLevel(max(threshold, logging.WARNING))
    structlog.contextvars.bind_contextvars(process=process)


def redact(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Blank out values whose name says secret, and credentials inside URLs, at any depth."""
    for name, value in event.items():
        event[name] = _HIDDEN if _is_secret(name) else _without_secrets(value)
    return event


def _keep(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return event


def _is_secret(name: str) -> bool:
    lowered = name.lower()
    return lowered in _KEY_NAMES or any(word in lowered for word in _SECRET_NAMES)


def _without_secrets(value: Any) -> Any:
    if isinstance(value, str):
        return _CREDENTIALS.sub(_HIDDEN, value)
    if isinstance(value, dict):
        return {
            k: _HIDDEN if isinstance(k, str) and _is_secret(k) else _without_secrets(v)
            for k, v in value.items()
        }
    if isinstance(value, list | tuple):
        return [_without_secrets(item) for item in value]
    return value
