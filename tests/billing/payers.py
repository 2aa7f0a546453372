"""A browser that pays: it knows the portal's routes and the processor's pages."""

import asyncio
from typing import Any

import httpx
from sqlmodel import select
from starlette.applications import Starlette

from portal_app import db
from portal_app.auth.actor import Actor
from portal_app.billing import cards, orders, payment_routes, payments
from portal_app.billing.gateways import sandbox
from portal_app.models import Bill, Payment, PaymentAttempt, User
from portal_app.shell import http
from tests.cast import cookie_of

OWN = {"Sec-Fetch-Site": "same-origin"}
GOOD, DECLINED, NEEDS_OWNER, ANSWER_LOST = (
    "4242424242424242",
    "4000000000000002",
    "4000000000000341",
    "4000000000000259",
)


class Browser:
    """One person's browser; without a person nobody is signed in."""

    def __init__(self, of: User | None = None) -> None:
        self.cookie = {"Cookie": cookie_of(of)} if of else {}

    def ask(self, method: str, path: str, headers: dict[str, str] | None = None, **given: Any) -> httpx.Response:
        async def run() -> httpx.Response:
            app = http.outermost(Starlette(routes=payment_routes.routes))
            transport = httpx.ASGITransport(app, client=("192.0.2.7", 50_000))
            async with httpx.AsyncClient(transport=transport, base_url="http://portal.example") as client:
                return await client.request(method, path, headers=self.cookie | (headers or {}), **given)

        return asyncio.run(run())

    def use_page(self, url: str, number: str = GOOD, way: str = "card") -> httpx.Response:
        """Type a card on the hosted page, or choose PayPal."""
        return self.ask("POST", url, data={"number": number, "expiry": "12/40", "code": "123", "way": way})


def store_card(actor: Actor, number: str = GOOD) -> None:
    """Store a card as the actor does it in a browser."""
    Browser().use_page(cards.start_adding(actor), number)


def give_back(actor: Actor, payment_id: int | None, amount_minor: int) -> str:
    """Give back a part of a payment by the processor; the attempt's key."""
    key = db.write(orders.begin_refund, actor, payment_id or 0, amount_minor)
    payments.refund(key)
    return key


def bill_now(bill: Bill) -> Bill:
    return db.read(lambda session: session.get_one(Bill, bill.id))


def attempts(bill: Bill) -> list[PaymentAttempt]:
    mine = select(PaymentAttempt).where(PaymentAttempt.bill_id == bill.id).order_by(PaymentAttempt.id)
    return db.read(lambda session: list(session.exec(mine)))


def received(bill: Bill) -> list[tuple[str, int]]:
    mine = select(Payment).where(Payment.bill_id == bill.id).order_by(Payment.id)
    return db.read(lambda session: [(row.kind, row.amount_minor) for row in session.exec(mine)])


def taken() -> list[int]:
    """What the processor's own ledger says it took and gave back."""
    return sorted(row["amount"] for row in sandbox.books().taken())
