"""Logs as a process begins with them, after a test has run a command in this one."""

import logging
import sys

import structlog
from structlog._config import BoundLoggerLazyProxy


def forget_configuration() -> None:
    """Undo `configure_logging`: loggers keep what they were first used with, so later tests would hear nothing of them."""
    if not structlog.is_configured():
        return
    structlog.reset_defaults()
    for module in list(sys.modules.values()):
        for logger in list(getattr(module, "__dict__", {}).values()):
            if type(logger) is BoundLoggerLazyProxy:  # others answer `isinstance` with warnings of their own
                logger.__dict__.pop("bind", None)
    root = logging.getLogger()
    root.handlers[:] = [handler for handler in root.handlers if not _is_ours(handler)]
    root.setLevel(logging.WARNING)


def _is_ours(handler: logging.Handler) -> bool:
    return isinstance(handler.formatter, structlog.stdlib.ProcessorFormatter)
