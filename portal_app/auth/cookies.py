"""Cookies: reading them, and the mark that every browser gets with its first page."""

import secrets

MARK = "portal_browser"
SECURE_MARK = "__Host-portal_browser"


def value_in(header: str | None, *names: str) -> str:
    """The value of the first of the names that a Cookie header holds; empty without one."""
    # Not http.cookies: one odd cookie of another program on this host would hide ours from it.
    pairs = (part.strip().partition("=") for part in (header or "").split(";"))
    found = {name: value for name, _, value in pairs}
    return next((found[name] for name in names if found.get(name)), "")


def mark_in(header: str | None) -> str:
    """The browser's mark. A sign-in's ticket is good only with the mark that the sign-in's own socket had."""
    return value_in(header, SECURE_MARK, MARK)[:64]


def new_mark(*, secure: bool) -> str:
    """A Set-Cookie header with a new mark, kept until the browser is closed."""
    name, also = (SECURE_MARK, "; Secure") if secure else (MARK, "")
    return f"{name}={secrets.token_urlsafe(16)}; HttpOnly; Path=/; SameSite=Lax{also}"
