"""No price reaches a customer's user: no page, event or route that they may use tells of money, whoever owes it."""

import inspect
import re
from typing import Any, get_type_hints

import httpx
import pytest
from reflex_base.registry import RegistrationContext
from sqlalchemy import update
from sqlmodel import Session, col, select

from portal_app import db
from portal_app.audit.service import record
from portal_app.audit.tags import Activity
from portal_app.auth import guard
from portal_app.auth.actor import Actor, system
from portal_app.auth.permissions import CUSTOMER_GRANTS
from portal_app.errors import Denied
from portal_app.models import Account, Partner, User
from tests import factories
from tests.billing.factories import bill, book, subscription
from tests.cast import Cast, cookie_of
from tests.security import matrix
from tests.security.pipeline import HYDRATE, Pipeline, handlers, name_of, play
from tests.security.served import Raw, Served

OWED = 7_654_321
AMOUNT = re.compile(r"7\D?654\D?321|76\D?543\D?21")
# How many entities are billed is no price, and stands beside how many there are.
MONEY = re.compile(
    r"[€$£¥]|\b(?:EUR|USD|GBP|CHF|JPY|bills?|billing|invoices?|invoiced|prices?|priced|paid|pay|payments?|"
    r"owed|owes|overdue|amounts?|currency|tax|VAT|renewal|forecast|credit card)\b",
    re.IGNORECASE,
)
# What is the same for everybody, and tells nobody what anything costs.
NOT_MONEY = ("no price", "ever sees a price")
ROUTES = [str(given["route"]) for _, given in RegistrationContext.get().decorated_pages]
# A customer's user may open these; what a page of the partner's loads is refused, whatever its address.
PAGES = ["/", "/settings/security", *sorted(one for one in ROUTES if one.startswith("/accounts/[account_id]"))]


def indebted(session: Session, cast: Cast) -> int:
    """Dave may do all that a customer's user can; his account owes money, and the audit of it tells of that."""
    granted = sorted(permission.value for permission in CUSTOMER_GRANTS)
    session.execute(update(User).where(col(User.id) == cast.dave.id).values(permissions=granted))
    account = session.get_one(Account, cast.accounts_a[0].id)
    partner = session.get_one(Partner, account.partner_id)
    account.status, account.amount_minor, account.billing_status = "monthly", OWED, "overdue"
    account.subscribed_at, account.next_step_at = account.created_at, None
    session.add(account)
    session.flush()
    book(session)
    subscription(session, account)
    made = bill(session, partner, [(account, OWED)])
    about = {"account": (account.id, account.name), "partner_id": partner.id}
    told = f"Bill {made.number} of $76,543.21 was paid."
    record(session, system(partner.id), Activity.BILLING_DETAILS, told, **about)
    record(session, system(partner.id), Activity.SUBSCRIBED, "Monthly subscription at $76,543.21", **about)
    return account.id or 0


def open_to(actor: Actor) -> list[str]:
    """The handlers that the guard lets a customer's user call."""
    found = []
    for name in sorted(handlers()):
        policy = guard.policy_of(name)
        try:
            assert policy is not None
            policy.check(actor)
            found.append(name)
        except Denied:
            continue
    return found


def money_in(told: Any) -> list[str]:
    """Every piece of what was told that is about money."""
    return [text for text in _texts(told) if AMOUNT.search(text) or MONEY.search(_without(text))]


def _texts(told: Any) -> list[str]:
    """The values, however deep: the names of variables are in everybody's copy of the program."""
    if isinstance(told, dict):
        return [text for value in told.values() for text in _texts(value)]
    if isinstance(told, (list, tuple, set, frozenset)):
        return [text for value in told for text in _texts(value)]
    return [str(told)]


def _without(text: str) -> str:
    for words in NOT_MONEY:
        text = text.replace(words, "")
    return text


def dave_of(cast: Cast) -> Actor:
    dave = db.read(lambda session: session.scalars(select(User).where(col(User.id) == cast.dave.id)).one())
    return factories.actor(dave)


def sample(name: str, account_id: int) -> dict[str, Any]:
    given: dict[Any, Any] = {str: "x", int: account_id, float: 1.0, bool: True, dict: {}, list: [account_id]}
    hints = get_type_hints(handlers()[name])
    return {one: given[hints[one]] for one in inspect.signature(handlers()[name]).parameters if one != "self"}


def test_the_search_for_money_finds_it() -> None:
    assert {"/accounts/[account_id]", "/accounts/[account_id]/users", "/accounts/[account_id]/settings"} < set(PAGES)
    for text in ("76.543,21 €", "7654321", "USD", "Your invoice", "Price per seat", "Bills", "due: $3"):
        assert money_in([{"a": text}]), text
    assert not money_in({"billing": "Restored 3 of 4 mailboxes", "a": ["pages", "payload", 300]})


@pytest.mark.parametrize("page", PAGES)
def test_no_event_tells_of_money(cast: Cast, page: str) -> None:
    """Each handler that a customer's user may call, on each page of the account, in a tab where the page is open."""
    account_id = db.write(indebted, cast)
    mine, cookie = open_to(dave_of(cast)), cookie_of(cast.dave)
    path = page.replace("[account_id]", str(account_id))
    path = re.sub(r"\[\w+\]", "1", path)
    loads = [name for name in mine if name.endswith(".load")]
    assert name_of("account_state.load") in loads

    async def scene(made: Pipeline) -> list[str]:
        tab, found = made.tab(cookie, path=path), []
        for name in [HYDRATE, *loads, *mine]:
            answer = await tab.send(name, {} if name == HYDRATE else sample(name, account_id))
            told = [answer.deltas, [event.payload for event in answer.events]]
            found += [f"{name}: {text}" for text in money_in(told)]
        return found

    assert play(scene) == []


def test_no_message_of_the_socket_tells_of_money(served: Served) -> None:
    """The same on the wire of a running server, as the pages themselves load."""
    account_id = served.write(indebted, served.cast)
    with served.here():
        cookie = cookie_of(served.cast.dave)
    for page in PAGES:
        path = re.sub(r"\[\w+\]", "1", page.replace("[account_id]", str(account_id)))
        with Raw(served, cookie) as tab:
            tab.ask(HYDRATE, path=path)
            for name in open_to(served_dave(served)):
                if name.endswith(".load"):
                    tab.ask(name, path=path)
            assert "Alpha Ash" in tab.heard() or not page.startswith("/accounts/"), page
            assert money_in(tab.seen) == [], page


def served_dave(served: Served) -> Actor:
    with served.here():
        return dave_of(served.cast)


def test_no_route_tells_of_money(served: Served) -> None:
    """Each route with the customer's cookie and the account's number, by GET and POST."""
    with served.here():
        cookie = cookie_of(served.cast.dave)
    own = {"Cookie": cookie, "Sec-Fetch-Site": "same-origin"}
    account_id = served.cast.accounts_a[0].id
    for path in matrix.ROUTES:
        if path.startswith(("/sandbox-processor", "/auth/", "/webhooks", "/api/docs", "/api/openapi", "/metrics")):
            # The processor's own, the way in and out, and what describes the program: the same for everybody.
            continue
        at = re.sub(r"\{\w+\}", str(account_id), path)
        for method in ("GET", "POST"):
            answer = httpx.request(method, served.address + at, headers=own, json={})
            assert not AMOUNT.search(answer.text), at
            if "json" in answer.headers.get("content-type", "") or "csv" in answer.headers.get("content-type", ""):
                assert money_in([answer.text]) == [], at
