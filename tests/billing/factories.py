"""Rows of billing for tests, complete and valid unless told otherwise."""

from datetime import timedelta
from itertools import count
from typing import Any

from sqlmodel import Session

from portal_app import clock
from portal_app.models import (
    Account,
    Bill,
    BillingMethod,
    BillKind,
    BillLine,
    BillShare,
    BillState,
    Partner,
    Plan,
)
from tests.factories import save

_numbers = count(50_001)


def bill(session: Session, of: Partner, parts: list[tuple[Account, int]], **given: Any) -> Bill:
    """An open monthly invoice issued today, with a line and a share of each account's amount; no tax.

    One account makes a bill of its own unless `kind` says otherwise; PAID ones are settled.
    """
    number, today = next(_numbers), clock.today()
    total = sum(amount for _, amount in parts)
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
        "due_on": today + timedelta(days=30),
        "currency": of.currency,
        "net_minor": total,
        "tax_minor": 0,
        "total_minor": total,
        "settled_minor": total if given.get("state") == BillState.PAID else 0,
        "created_at": clock.now(),
    }
    made = save(session, Bill(**values | given))
    for position, (account, amount) in enumerate(parts):
        save(session, _line(made, position, account, amount))
        save(session, _share(made, account, amount))
    return made


def _line(of: Bill, position: int, account: Account, amount: int) -> BillLine:
    return BillLine(
        bill_id=of.id or 0,
        position=position,
        account_id=account.id or 0,
        account_name=account.name,
        service="m365_exchange",
        description="Mailboxes",
        starts_on=of.effective_on,
        ends_on=of.effective_on + timedelta(days=30),
        amount_minor=amount,
    )


def _share(of: Bill, account: Account, amount: int) -> BillShare:
    return BillShare(
        bill_id=of.id or 0,
        account_id=account.id or 0,
        account_name=account.name,
        account_email=account.email,
        amount_minor=amount,
    )
