"""Whom connections trust."""

import ssl
from functools import cache

import httpx


@cache
def trusted_authorities() -> ssl.SSLContext:
    """Return what httpx trusts, read once: reading it takes longer than most calls that it is for."""
    return httpx.create_ssl_context()
