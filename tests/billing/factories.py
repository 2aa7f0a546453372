"""Bills, subscriptions and prices for tests, complete and adding up unless told otherwise."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from itertools import count
from typing import Any

from sqlmodel import Session

from portal_app import clock
from portal_app.billing.parties import buyer, seller
from portal_app.models import (
    Account,
    Basis,
    Bill,
    BillKind,
    BillLine,
    BillShare,
    Partner,
    Price,
    PriceBook,
    PriceTier,
    Subscription,
)
from tests.factories import save

_numbers = count(41_197)
FROM = date(2020, 1, 1)
# Service -> its basis and the price of one, in minor units.
PRICES: Mapping[str, tuple[Basis, int]] = {"exchange": (Basis.UNIT, 300), "sharepoint": (Basis.GB, 25)}


def book(
    session: Session,
    of: Partner | None = None,
    prices: Mapping[str, tuple[Basis, int]] = PRICES,
    tiers: Mapping[str, Sequence[tuple[int, int]]] | None = None,
    **given: Any,
) -> PriceBook:
    """A price book that holds from 2020 on; `tiers` are (above, price of one) of a service, instead of one price."""
    values = {"name": f"Prices {next(_numbers)}", "valid_from": FROM, "currency": of.currency if of else "EUR"}
    made = save(session, PriceBook(**values | {"partner_id": of.id if of else None, "created_at": clock.now()} | given))
    for service, (basis, unit) in prices.items():
        price = save(session, Price(book_id=made.id, service=service, basis=basis))
        for above, amount in (tiers or {}).get(service, [(0, unit)]):
            session.add(PriceTier(price_id=price.id, above=above, unit_minor=amount))
    session.flush()
    return made


def subscription(session: Session, of: Account, **given: Any) -> Subscription:
    """A monthly subscription that began today and that no bill covers."""
    day = given.get("started_on", clock.today())
    values = {"account_id": of.id, "partner_id": of.partner_id, "plan": "monthly", "started_on": day}
    return save(session, Subscription(**values | {"anchor_on": day, "covered_until": day} | given))


def bill(session: Session, of: Partner, accounts: Sequence[Account], *, net: int = 1_000, **given: Any) -> Bill:
    """An open invoice with one line of `net` for each of the accounts; consolidated for more than one.

    `tax_bp` is the tax; `net` is negative for a credit note (`credits_id`). Without `number`, the numbers go up.
    """
    day = given.get("issued_on", clock.today())
    number = given.pop("number", next(_numbers))
    tax_bp = given.get("tax_bp", 0)
    total_net = net * len(accounts)
    tax = (abs(total_net) * tax_bp + 5_000) // 10_000 * (1 if net > 0 else -1)
    values: dict[str, Any] = {
        "number": number,
        "once": f"test:{number}",
        "partner_id": of.id,
        "kind": BillKind.CONSOLIDATED if len(accounts) > 1 else BillKind.ACCOUNT,
        "account_id": accounts[0].id if len(accounts) == 1 else None,
        "plan": "monthly",
        "method": "invoice",
        "issued_on": day,
        "effective_on": day,
        "due_on": day + timedelta(days=30),
        "currency": of.currency,
        "net_minor": total_net,
        "tax_minor": tax,
        "total_minor": total_net + tax,
        "buyer": buyer(session, of.id or 0),
        "seller": seller(),
        "created_at": clock.now(),
    }
    if net < 0:
        values["kind"] = BillKind.CREDIT_NOTE
    made = save(session, Bill(**values | given))
    for position, one in enumerate(accounts):
        share = net + tax // len(accounts) + (tax % len(accounts) if position == 0 else 0)
        session.add(line(made, one, position=position, amount_minor=net))
        session.add(
            BillShare(
                bill_id=made.id, account_id=one.id, account_name=one.name, account_email=one.email, amount_minor=share
            )
        )
    session.flush()
    return made


def line(of: Bill, about: Account, **given: Any) -> BillLine:
    """One line of the bill, not yet saved: 2 mailboxes for a month."""
    amount = given.get("amount_minor", 600)
    values: dict[str, Any] = {
        "bill_id": of.id,
        "position": 0,
        "account_id": about.id,
        "account_name": about.name,
        "service": "exchange",
        "description": "Microsoft 365 Exchange",
        "starts_on": of.effective_on,
        "ends_on": of.effective_on + timedelta(days=30),
        "quantity_milli": 2_000,
        "unit": "mailboxes",
        "unit_minor": amount // 2 if amount % 2 == 0 else None,
        "amount_minor": amount,
    }
    return BillLine(**values | given)
