"""The sandbox processor as a gateway: in this process by default, else wherever PORTAL_SANDBOX_URL says."""

import asyncio
import hashlib
import json
import secrets
import ssl
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import httpx

from portal_app import crypto
from portal_app.billing.gateways.port import Answer, Forged, Notice, Order, Outcome, Page, Refused, Silent, StoredCard
from portal_app.mail.links import absolute
from portal_app.models import PaymentKind
from portal_app.sandbox_processor import signing
from portal_app.sandbox_processor.app import Processor
from portal_app.sandbox_processor.ledger import FILE, Ledger
from portal_app.settings import settings

# Where it is mounted when it runs in the portal's process.
PREFIX = "/sandbox-processor"
WEBHOOK = "/webhooks/sandbox"
SECONDS = 15.0
_ENDINGS = {"taken": Outcome.TAKEN, "declined": Outcome.DECLINED}
# Takes the messages of the processor in this process: (body, signature) -> whether it was taken.
hear: list[Callable[[bytes, str], bool]] = []


def secret() -> bytes:
    """What the portal and the processor both know."""
    chosen = settings().sandbox_secret.get_secret_value().encode()
    return hashlib.sha256(b"sandbox processor:" + (chosen or crypto.current_key())).digest()


def books() -> Ledger:
    """The books of the processor in this process."""
    return _books(settings().data_dir / FILE)


@cache
def _books(path: Path) -> Ledger:
    return Ledger(path)


def _tell(_url: str, body: bytes, signature: str) -> bool:
    return all(listener(body, signature) for listener in hear)


PROCESSOR = Processor(books, secret, _tell)


class Sandbox:
    """See `port.Gateway`."""

    name = "sandbox"

    def customer(self, partner_id: int, name: str, email: str, known: str) -> str:
        """It knows partners by their number."""
        return f"partner-{partner_id}"

    def checkout(self, order: Order) -> Page:
        page = {"mode": "payment", "return_url": _back(order.return_url), "cancel_url": _back(order.cancel_url)}
        return self._page(order.key, _money(order) | page)

    def charge(self, order: Order) -> Answer:
        return _answer(_do("POST", "/v1/charges", order.key, _money(order) | {"card": order.token}))

    def refund(self, order: Order) -> Answer:
        given = {"payment": order.reference, "amount": order.amount_minor}
        return _answer(_do("POST", "/v1/refunds", order.key, given))

    def find(self, order: Order) -> Answer | None:
        found = _ask("GET", f"/v1/orders/{order.key}")
        return _answer(found) if found else None

    def close(self, order: Order) -> Answer:
        found = _ask("GET", f"/v1/orders/{order.key}")
        closed = found and _ask("POST", f"/v1/pages/{found['id']}/close")
        return _answer(closed) if closed else Answer(Outcome.ENDED)

    def setup(self, customer: str, partner_id: int, return_url: str, cancel_url: str) -> Page:
        back = {"return_url": _back(return_url.replace("{setup}", "{page}")), "cancel_url": _back(cancel_url)}
        nothing = {"amount": 0, "currency": "", "description": str(partner_id), "notify_url": absolute(WEBHOOK)}
        return self._page(secrets.token_urlsafe(24), {"mode": "setup", "customer": customer} | nothing | back)

    def stored(self, setup: str) -> StoredCard | None:
        page = _ask("GET", f"/v1/pages/{setup}")
        if not page or not page["card"]:
            return None
        card, partner_id = page["card"], int(page["description"])
        return StoredCard(partner_id, card["token"], card["brand"], card["last4"], card["month"], card["year"])

    def forget(self, token: str) -> None:
        _ask("DELETE", f"/v1/cards/{token}")

    def notice(self, body: bytes, headers: Mapping[str, str]) -> Notice | None:
        if not signing.is_signed(secret(), body, headers.get(signing.HEADER, "")):
            raise Forged
        event = json.loads(body)
        return Notice(event["id"], event.get("key", ""), event.get("page", ""))

    def is_page(self, url: str) -> bool:
        return url.startswith(f"{_base()}/pay/")

    def _page(self, key: str, given: dict[str, Any]) -> Page:
        made = _do("POST", "/v1/pages", key, given)
        return Page(f"{_base()}/pay/{made['id']}", made["id"])


def _base() -> str:
    return settings().sandbox_url or PREFIX


def _back(path: str) -> str:
    """In one process the pages lead back by path: under whichever name the portal was opened, the session is there."""
    return absolute(path) if settings().sandbox_url else path


def _money(order: Order) -> dict[str, Any]:
    return {
        "amount": order.amount_minor,
        "currency": order.currency,
        "description": order.description,
        "customer": order.customer,
        "notify_url": absolute(WEBHOOK),
    }


def _answer(found: dict[str, Any]) -> Answer:
    if found["object"] == "refund":
        return Answer(Outcome.TAKEN, found["id"])
    payment = found["payment"] if found["object"] == "page" else found
    if payment is None:
        open_ = found["status"] == "open"
        return Answer(Outcome.OPEN if open_ else Outcome.ENDED, found["id"])
    kind = PaymentKind.PAYPAL if payment["method"] == "paypal" else PaymentKind.CARD
    return Answer(_ENDINGS[payment["status"]], payment["id"], payment["reason"], kind)


def _do(method: str, path: str, key: str = "", given: dict[str, Any] | None = None) -> dict[str, Any]:
    found = _ask(method, path, key, given)
    if found is None:
        raise Silent("the processor has no such address")
    return found


def _ask(method: str, path: str, key: str = "", given: dict[str, Any] | None = None) -> dict[str, Any] | None:
    headers = {"Authorization": f"Bearer {secret().hex()}"} | ({"Idempotency-Key": key} if key else {})
    try:
        answer = asyncio.run(_send(method, path, headers, given))
        found = answer.json() if answer.status_code < 500 else {}
    except (httpx.HTTPError, OSError, ValueError) as fault:
        raise Silent(type(fault).__name__) from None
    if answer.status_code == 404:
        return None
    if answer.status_code == 422:
        raise Refused(found.get("fault", ""))
    if answer.status_code != 200:
        raise Silent(f"status {answer.status_code}")
    return found


@cache
def _authorities() -> ssl.SSLContext:
    """Read once: to read them takes longer than to ask the processor."""
    return httpx.create_ssl_context()


async def _send(method: str, path: str, headers: dict[str, str], given: Any) -> httpx.Response:
    alone = settings().sandbox_url
    transport = None if alone else httpx.ASGITransport(PROCESSOR.app)
    given_url: Any = {"base_url": alone or "http://sandbox", "verify": _authorities()}
    async with httpx.AsyncClient(transport=transport, timeout=SECONDS, **given_url) as client:
        return await client.request(method, path, headers=headers, json=given)
