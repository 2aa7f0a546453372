"""Bills and prices for tests, complete and valid unless told otherwise."""

from collections.abc import Mapping
from datetime import date
from itertools import count
from typing import Any

from sqlmodel import Session

from portal_app import clock
from portal_app.billing import standing
from portal_app.models import (
    Account,
    Bill,
    BillLine,
    BillShare,
    Partner,
    Price,
    PriceBook,
    PriceTier,
)
from tests import factories

_numbers = count(1)


def bill(session: Session, of: Partner, shares: list[tuple[Account, int]], **given: Any) -> Bill:
    """An open monthly bill of these accounts, issued today and due in the next month; the standings follow.

    Each account's share is also its one line: the bill is without tax unless told.
    """
    number, today = next(_numbers), clock.today()
    total = sum(amount for _, amount in shares)
    values: dict[str, Any] = {
        "number": number,
        "once": f"test:{number}",
        "partner_id": of.id,
        "kind": "consolidated" if len(shares) > 1 else "account",
        "account_id": shares[0][0].id if len(shares) == 1 else None,
        "plan": "monthly",
        "method": "invoice",
        "issued_on": today,
        "effective_on": first_of_next(today),
        "due_on": first_of_next(today),
        "currency": of.currency,
        "net_minor": total,
        "tax_minor": 0,
        "total_minor": total,
        "created_at": clock.now(),
    }
    made = factories.save(session, Bill(**values | given))
    for position, (account, amount) in enumerate(shares, 1):
        about = {"bill_id": made.id, "account_id": account.id, "account_name": account.name}
        session.add(BillShare(**about, account_email=account.email, amount_minor=amount))
        span = {"starts_on": made.effective_on, "ends_on": first_of_next(made.effective_on)}
        words = {"service": "exchange", "description": "Exchange", "unit": "mailbox"}
        session.add(BillLine(**about, **span, **words, position=position, unit_minor=amount, amount_minor=amount))
    session.flush()
    standing.refresh_bill(session, made.id)
    return made


def first_of_next(day: date) -> date:
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def book(session: Session, prices: Mapping[str, Any] | None = None, **given: Any) -> PriceBook:
    """A price book of USD since 2020: each service's units cost 200, or what `prices` says ((above, minor), …)."""
    values: dict[str, Any] = {
        "currency": "USD",
        "name": "Prices",
        "valid_from": date(2020, 1, 1),
        "created_at": clock.now(),
    }
    made = factories.save(session, PriceBook(**values | given))
    for service, tiers in (prices or {"exchange": 200, "onedrive": 200, "generic": 200}).items():
        price = factories.save(session, Price(book_id=made.id, service=service, basis="unit"))
        listed = [(0, tiers)] if isinstance(tiers, int) else tiers
        session.add_all(PriceTier(price_id=price.id, above=above, unit_minor=minor) for above, minor in listed)
    session.flush()
    return made
