"""What every answer tells the browser: which scripts may run, who may frame it, what may be kept.

A page names the hashes of its very own inline scripts, which the build wrote; docs/adr says what else it needs and why.
"""

import base64
import hashlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from starlette.datastructures import Headers
from starlette.types import Message, Scope, Send

from portal_app import build
from portal_app.auth.cookies import mark_in, new_mark
from portal_app.shell.branding import page_text

Header = tuple[bytes, bytes]
_INLINE = re.compile(r"<(script|style)\b(?![^>]*\ssrc=)[^>]*>(.*?)</\1>", re.DOTALL)
_CSP = b"content-security-policy"
# For what is no page: when a browser shows it all the same, nothing in it does anything.
NOTHING = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; sandbox"
# Files of pages: only what loads them counts, so the shortest that says the same is enough.
FILE = "default-src 'none'; frame-ancestors 'none'"
_UNUSED = ("camera", "display-capture", "geolocation", "microphone", "midi", "payment", "serial", "usb")
_EVERY: tuple[Header, ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_PAGE: tuple[Header, ...] = (
    (b"x-frame-options", b"DENY"),
    (b"permissions-policy", ", ".join(f"{name}=()" for name in _UNUSED).encode()),
)
_HTTPS: tuple[Header, ...] = ((b"strict-transport-security", b"max-age=63072000; includeSubDomains"),)
_FRESH: Header = (b"cache-control", b"no-store")


def page_policy(html: str) -> str:
    """The Content-Security-Policy of a page: no script runs but the portal's files and this page's own inline ones."""
    scripts = _hashes(html, "script")
    return "; ".join(
        (
            "default-src 'none'",
            " ".join(("script-src 'self'", *scripts)),
            " ".join(("style-src 'self'", *_styles())),
            "style-src-attr 'unsafe-inline'",
            "img-src 'self' data:",
            "font-src 'self'",
            "media-src 'self'",
            # The socket too: 'self' covers ws and wss of the page's own host.
            "connect-src 'self'",
            "frame-src 'self'",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


def _hashes(html: str, tag: str) -> Iterator[str]:
    found = (text for name, text in _INLINE.findall(html) if name == tag)
    return (_hash(text) for text in dict.fromkeys(found))


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@cache
def _styles() -> tuple[str, ...]:
    """Style elements of all pages: who goes from page to page stays under the first one's policy.

    The empty one is where Reflex's emotion puts its rules, by script.
    """
    found = (one for page in sorted(build.CLIENT.rglob("*.html")) for one in _hashes(page_text(page), "style"))
    return tuple(dict.fromkeys((_hash(""), *found)))


@cache
def _any_page(shell: Path) -> bytes:
    """The policy of a page that Reflex itself answers with: the same file for every unknown and every dynamic one."""
    return page_policy(page_text(shell) if shell.exists() else "").encode()


def with_headers(scope: Scope, send: Send) -> Send:
    """Adds what an answer doesn't say itself."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            given = list(message.get("headers", ()))
            names = {name.lower() for name, _ in given}
            message["headers"] = [*given, *(one for one in _wanted(scope, given) if one[0] not in names)]
        await send(message)

    return sending


def _wanted(scope: Scope, given: list[Header]) -> Iterator[Header]:
    yield from _EVERY
    yield _FRESH
    if scope["scheme"] == "https":
        yield from _HTTPS
    if any(name.lower() == b"content-type" and value.startswith(b"text/html") for name, value in given):
        yield from _PAGE
        if not mark_in(Headers(scope=scope).get("cookie")):
            yield b"set-cookie", new_mark(secure=scope["scheme"] == "https").encode()
        yield _CSP, _any_page(build.CLIENT / "404.html")
    else:
        yield _CSP, NOTHING.encode()
