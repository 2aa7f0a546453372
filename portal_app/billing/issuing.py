"""Drafts become bills: their rows, each with its number, and what they were made with."""

from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from sqlalchemy import insert
from sqlmodel import Session

from portal_app import clock
from portal_app.billing import numbers, parties
from portal_app.billing.plan import Cover, Draft, Outcome
from portal_app.billing.pricing import Line
from portal_app.models import Bill, BilledPeriod, BillingMethod, BillLine, BillShare, Partner
from portal_app.webhooks.emitting import of_bills
from portal_app.webhooks.events import Event

Row = dict[str, Any]
_LINE = tuple(one.name for one in fields(Line))
_OF_DRAFT = tuple(one.name for one in fields(Draft) if one.name in Bill.model_fields)


def issue(session: Session, partner: Partner, outcome: Outcome, *, reverse_charge: bool) -> list[Bill]:
    """Write the drafts as the partner's bills, numbered in their order, and which days are done."""
    _insert(session, BilledPeriod, map(_days, outcome.free))
    drafts = outcome.drafts
    if not drafts:
        return []
    of = {
        "partner_id": partner.id,
        "currency": partner.currency,
        "reverse_charge": reverse_charge,
        "buyer": parties.buyer(session, partner.id or 0),
        "seller": parties.seller(),
        "created_at": clock.now(),
    }
    taken = numbers.take(session, len(drafts))
    bills = [Bill(number=number, **of | _head(draft)) for number, draft in zip(taken, drafts, strict=True)]
    session.add_all(bills)
    session.flush()
    pairs = [({"bill_id": bill.id}, draft) for bill, draft in zip(bills, drafts, strict=True)]
    _insert(session, BillLine, (of | row for of, draft in pairs for row in _lines(draft)))
    _insert(session, BillShare, (of | row for of, draft in pairs for row in _shares(draft)))
    _insert(session, BilledPeriod, (of | row for of, draft in pairs for row in map(_days, draft.covers)))
    of_bills(session, Event.BILL_ISSUED, bills)
    return bills


def _head(draft: Draft) -> Row:
    charged = draft.method == BillingMethod.CARD
    return {name: getattr(draft, name) for name in _OF_DRAFT} | {"next_charge_on": draft.issued_on if charged else None}


def _lines(draft: Draft) -> Iterable[Row]:
    for position, line in enumerate(draft.lines, 1):
        yield {name: getattr(line, name) for name in _LINE} | {"position": position}


def _shares(draft: Draft) -> Iterable[Row]:
    for one in draft.shares:
        account = {"account_id": one.account_id, "account_name": one.name, "account_email": one.email}
        yield account | {"amount_minor": one.amount_minor}


def _days(one: Cover) -> Row:
    return {"account_id": one.account_id, "starts_on": one.starts_on, "ends_on": one.ends_on}


def _insert(session: Session, model: Any, rows: Iterable[Row]) -> None:
    if listed := list(rows):
        session.execute(insert(model.__table__), listed)
