"""Sends one message to an address that a stranger typed, and lets it reach nothing but the open internet.

The name is resolved once, each address is judged, and the connection goes to the very address that was judged: a second
answer of the DNS (rebinding) is never asked for. Redirects are not followed, and of the answer only the status is read.
"""

import asyncio
import re
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import anyio.to_thread
import httpx

from portal_app.accounts.storage_relay import is_public
from portal_app.errors import Invalid
from portal_app.settings import settings

SECONDS = 10.0
LONGEST = 500
_ALWAYS = {"Content-Type": "application/json", "User-Agent": "portal-webhooks/1"}
_NO_ADDRESS = f"Give an address that begins with https:// and has at most {LONGEST} characters."
_NO_NAME = "There is no such host."
_PRIVATE = "This address is in a private network: the portal sends only to the open internet."
_ODD = re.compile(r"[\s\x00-\x1f\x7f]")
look_up = socket.getaddrinfo  # tests put their own names here


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a message: the status of the answer, or why there is none; `fault` is empty when it was taken."""

    status: int | None
    fault: str
    took_ms: int


def checked(address: str) -> str:
    """The address as it is kept, if a webhook may go there. Blocks for as long as the DNS takes. Raises Invalid."""
    address = address.strip()
    url = _parsed(address)
    try:
        _judged(url)
    except _Refused as refusal:
        raise Invalid(url=str(refusal)) from None
    return address


async def post(address: str, headers: Mapping[str, str], body: bytes) -> Answer:
    """Send the message. Never raises for what the other side does, and takes at most SECONDS."""
    began, status = time.monotonic(), None
    try:
        async with asyncio.timeout(SECONDS):
            status = await _send(address, headers, body)
            fault = _fault(status)
    except Invalid as refusal:
        fault = refusal.fields["url"]
    except _Refused as refusal:
        fault = str(refusal)
    except (TimeoutError, httpx.TimeoutException):
        fault = f"There was no answer within {SECONDS:g} seconds."
    except (httpx.HTTPError, OSError, ssl.SSLError) as broken:
        fault = _broken(broken)
    return Answer(status, fault, round((time.monotonic() - began) * 1000))


class _Refused(Exception):
    """Nothing is sent there; the text says why."""


def _parsed(address: str) -> httpx.URL:
    private = settings().allow_private_webhooks
    try:
        url = httpx.URL(address)
    except (httpx.InvalidURL, UnicodeError):
        raise Invalid(url=_NO_ADDRESS) from None
    secure = url.scheme == "https" or (private and url.scheme == "http")
    if not secure or not url.host or len(address) > LONGEST or _ODD.search(address):
        raise Invalid(url=_NO_ADDRESS)
    if url.userinfo or url.fragment:
        raise Invalid(url="Leave out user name, password and what follows a #.")
    if not private and _port(url) != 443 and not 1024 <= _port(url) <= 65535:
        raise Invalid(url="Use port 443, or one from 1024 on.")
    return url


def _port(url: httpx.URL) -> int:
    return url.port or (443 if url.scheme == "https" else 80)


def _judged(url: httpx.URL) -> str:
    try:
        found = [str(row[4][0]) for row in look_up(url.raw_host.decode(), _port(url), type=socket.SOCK_STREAM)]
    except (OSError, UnicodeError):
        raise _Refused(_NO_NAME) from None
    # One private address among public ones is enough to refuse: that mixture is how guards are tricked.
    if not found or not (settings().allow_private_webhooks or all(map(is_public, found))):
        raise _Refused(_PRIVATE if found else _NO_NAME)
    return found[0]


async def _send(address: str, headers: Mapping[str, str], body: bytes) -> int:
    url = _parsed(address)
    # A name server that hangs keeps its thread a little longer, not us.
    peer = await anyio.to_thread.run_sync(_judged, url, abandon_on_cancel=True)
    given = {**headers, **_ALWAYS, "Host": url.netloc.decode()}
    named = {"sni_hostname": url.raw_host.decode()}
    async with (
        httpx.AsyncClient(verify=_tls(), trust_env=False, timeout=SECONDS) as client,
        client.stream("POST", url.copy_with(host=peer), content=body, headers=given, extensions=named) as response,
    ):
        return response.status_code


@cache
def _tls() -> ssl.SSLContext:
    return httpx.create_ssl_context()


def _fault(status: int) -> str:
    if 200 <= status < 300:
        return ""
    if 300 <= status < 400:
        return f"It answered {status}: redirects are not followed."
    return f"It answered {status}."


def _broken(fault: Exception) -> str:
    cause: BaseException | None = fault
    while cause is not None and not isinstance(cause, ssl.SSLCertVerificationError):
        cause = cause.__cause__ or cause.__context__
    if cause is not None:
        return "Its certificate is not valid."
    if isinstance(fault, httpx.ConnectError | OSError):
        return "It can't be reached."
    return "It broke off the connection."
