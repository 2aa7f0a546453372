"""How the sandbox signs what it tells: the instant and a keyed hash of both, as big processors do."""

import hashlib
import hmac
import time

HEADER = "sandbox-signature"
SKEW_SECONDS = 300


def sign(secret: bytes, body: bytes, at: int | None = None) -> str:
    """The header for the message."""
    at = int(time.time()) if at is None else at
    return f"t={at},v1={_mac(secret, body, str(at))}"


def is_signed(secret: bytes, body: bytes, header: str) -> bool:
    """Whether the header is the sandbox's own, and of these minutes."""
    parts = dict(part.partition("=")[::2] for part in header.split(","))
    at = parts.get("t", "")
    if not (at.isascii() and at.isdecimal() and len(at) < 12) or abs(time.time() - int(at)) > SKEW_SECONDS:
        return False
    return hmac.compare_digest(parts.get("v1", "").encode(), _mac(secret, body, at).encode())


def _mac(secret: bytes, body: bytes, at: str) -> str:
    return hmac.new(secret, at.encode() + b"." + body, hashlib.sha256).hexdigest()
