"""Signs what is sent, as Standard Webhooks has it: who knows the secret knows that it is from here, and is new."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable

PREFIX = "whsec_"


def new_secret() -> str:
    """A secret for the program that is told, such as whsec_MfKQ9r8…"""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def headers(event_id: str, seconds: int, body: bytes, by: Iterable[str]) -> dict[str, str]:
    """The headers of a message sent at an instant (seconds since 1970), signed with each of the secrets."""
    content = f"{event_id}.{seconds}.".encode() + body
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": " ".join(_signature(secret, content) for secret in by),
    }


def _signature(secret: str, content: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX))
    return "v1," + base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
