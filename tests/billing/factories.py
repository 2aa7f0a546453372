"""Rows of billing for tests, complete, valid and adding up unless told otherwise."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from itertools import count
from typing import Any

from sqlmodel import Session

from portal_app import clock
from portal_app.billing import parties
from portal_app.models import (
    Account,
    Basis,
    Bill,
    BillingMethod,
    BillKind,
    BillLine,
    BillShare,
    BillState,
    Partner,
    Plan,
    Price,
    PriceBook,
    PriceTier,
    Subscription,
)
from tests.factories import save

_numbers = count(50_001)
# Service -> its basis and the price of one, in minor units.
PRICES: Mapping[str, tuple[Basis, int]] = {"m365_exchange": (Basis.UNIT, 300), "m365_sharepoint": (Basis.GB, 25)}


def book(
    session: Session,
    of: Partner | None = None,
    prices: Mapping[str, tuple[Basis, int]] = PRICES,
    tiers: Mapping[str, Sequence[tuple[int, int]]] | None = None,
    **given: Any,
) -> PriceBook:
    """Prices for everybody, or the partner's own, from 2020 on. `tiers`: (above, price of one), where it isn't one."""
    values: dict[str, Any] = {
        "name": f"Prices {next(_numbers)}",
        "partner_id": of.id if of else None,
        "currency": of.currency if of else "USD",
        "valid_from": date(2020, 1, 1),
        "created_at": clock.now(),
    }
    made = save(session, PriceBook(**values | given))
    for service, (basis, unit) in prices.items():
        price = save(session, Price(book_id=made.id, service=service, basis=basis))
        for above, amount in (tiers or {}).get(service, [(0, unit)]):
            save(session, PriceTier(price_id=price.id, above=above, unit_minor=amount))
    return made


def subscription(session: Session, of: Account, **given: Any) -> Subscription:
    """A monthly one that began today and that no bill covers yet."""
    day = given.get("started_on", clock.today())
    values = {"account_id": of.id, "partner_id": of.partner_id, "plan": Plan.MONTHLY, "started_on": day}
    return save(session, Subscription(**values | {"anchor_on": day, "covered_until": day} | given))


def bill(session: Session, of: Partner, parts: list[tuple[Account, int]], **given: Any) -> Bill:
    """An open monthly invoice issued today, with a line and a share of each account's net amount.

    One account makes a bill of its own unless `kind` says otherwise; PAID ones are settled. The amounts of a credit
    note are negative. `tax_bp` adds tax.
    """
    number, today = next(_numbers), clock.today()
    nets = [amount for _, amount in parts]
    taxes = _taxes(nets, given.get("tax_bp", 0))
    total = sum(nets) + sum(taxes)
    own = len(parts) == 1 and given.get("kind", BillKind.ACCOUNT) == BillKind.ACCOUNT
    values: dict[str, Any] = {
        "number": number,
        "once": f"test:{number}",
        "partner_id": of.id,
        "kind": BillKind.ACCOUNT if own else BillKind.CONSOLIDATED,
        "account_id": parts[0][0].id if own else None,
        "plan": Plan.MONTHLY,
        "method": BillingMethod.INVOICE,
        "issued_on": today,
        "effective_on": today,
        "due_on": given.get("issued_on", today) + timedelta(days=30),
        "currency": of.currency,
        "net_minor": sum(nets),
        "tax_minor": sum(taxes),
        "total_minor": total,
        "settled_minor": total if given.get("state") == BillState.PAID else 0,
        "buyer": parties.buyer(session, of.id or 0),
        "seller": parties.seller(),
        "created_at": clock.now(),
    }
    made = save(session, Bill(**values | given))
    for position, (account, amount) in enumerate(parts):
        save(session, line(made, position, account, amount))
        save(session, _share(made, account, amount + taxes[position]))
    return made


def line(of: Bill, position: int, account: Account, amount: int, **given: Any) -> BillLine:
    """A month of one account's mailboxes, not yet saved."""
    values: dict[str, Any] = {
        "bill_id": of.id or 0,
        "position": position,
        "account_id": account.id or 0,
        "account_name": account.name,
        "service": "m365_exchange",
        "description": "Mailboxes",
        "starts_on": of.effective_on,
        "ends_on": of.effective_on + timedelta(days=30),
        "amount_minor": amount,
    }
    return BillLine(**values | given)


def _taxes(nets: list[int], tax_bp: int) -> list[int]:
    """Each one's part of the tax on the sum; the last takes what rounding leaves."""
    net = sum(nets)
    tax = (abs(net) * tax_bp + 5_000) // 10_000 * (1 if net > 0 else -1)
    each = [amount * tax_bp // 10_000 for amount in nets]
    return [*each[:-1], tax - sum(each[:-1])]


def _share(of: Bill, account: Account, amount: int) -> BillShare:
    return BillShare(
        bill_id=of.id or 0,
        account_id=account.id or 0,
        account_name=account.name,
        account_email=account.email,
        amount_minor=amount,
    )
