"""Requests to addresses that strangers named: resolved once, checked, and sent to exactly the address that was checked."""

import asyncio
import ipaddress
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

from api.rejections import Refusal

TIMEOUT_S = 10.0
MAX_URL = 2000
_DEFAULT_PORTS = {"https": 443, "http": 80}


class BadTarget(Refusal):
    """The URL leads, or could lead, where this server must not send."""

    slug = "bad-url"
    title = "URL not allowed"
    status = 422


@dataclass(frozen=True, slots=True)
class Target:
    """A URL taken apart, and the one address that stands for its host."""

    scheme: str
    host: str
    port: int
    path: str
    address: str

    @property
    def host_header(self) -> str:
        """Return the Host header."""
        shown = f"[{self.host}]" if ":" in self.host else self.host
        return shown if self.port == _DEFAULT_PORTS[self.scheme] else f"{shown}:{self.port}"

    @property
    def pinned_url(self) -> str:
        """Return the URL with the address in the host's place."""
        shown = f"[{self.address}]" if ":" in self.address else self.address
        return f"{self.scheme}://{shown}:{self.port}{self.path}"


async def resolve(url: str, *, allow_private: bool) -> Target:
    """Look a URL's host up; `BadTarget` unless every address that it has is public, or private ones are allowed."""
    scheme, host, port, path = _taken_apart(url)
    try:
        async with asyncio.timeout(TIMEOUT_S):
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise BadTarget(
            f"url: the host {host!r:.80} is not found",
            field="url",
            hint="Check the name; it must resolve from where this server runs.",
        ) from error
    addresses = [str(entry[4][0]) for entry in found]
    if not allow_private and not all(_is_public(address) for address in addresses):
        raise BadTarget(
            f"url: {host!r:.80} leads to a private, loopback or reserved address",
            field="url",
            hint="Use a public address. An operator of a local network may set WEBHOOK_ALLOW_PRIVATE=true.",
        )
    return Target(scheme, host, port, path, addresses[0])


async def post(client: httpx.AsyncClient, target: Target, body: bytes, headers: Mapping[str, str]) -> int:
    """Post to a resolved target and give the status; redirects are not followed and the answer is not read.

    Raises `httpx.HTTPError`, or `TimeoutError` after `TIMEOUT_S` seconds.
    """
    async with (
        asyncio.timeout(TIMEOUT_S),
        client.stream(
            "POST",
            target.pinned_url,
            content=body,
            headers={**headers, "Host": target.host_header},
            # The certificate must be the host's, although the address is what is dialled.
            extensions={"sni_hostname": target.host},
        ) as answer,
    ):
        return answer.status_code


def outbound_client() -> httpx.AsyncClient:
    """Make a client that goes through no proxy of the environment's, which would resolve names anew."""
    return httpx.AsyncClient(follow_redirects=False, trust_env=False, timeout=TIMEOUT_S)


def _taken_apart(url: str) -> tuple[str, str, int, str]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _malformed() from None
    host = parts.hostname
    if (
        parts.scheme not in _DEFAULT_PORTS
        or not host
        or parts.username is not None
        or parts.fragment
        or len(url) > MAX_URL
        or not url.isascii()
        or not url.isprintable()
        or " " in url
    ):
        raise _malformed()
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return parts.scheme, host, port or _DEFAULT_PORTS[parts.scheme], path


def _is_public(text: str) -> bool:
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if inner is not None:
            return _is_public(str(inner))
        if address in _NAT64:
            return _is_public(str(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)))
    return address.is_global and not address.is_multicast


_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def _malformed() -> BadTarget:
    return BadTarget(
        "url: expected http:// or https://, a host and no credentials",
        field="url",
        hint="Use a URL such as https://runner.example/hints, in ASCII, without user, password and fragment.",
    )
