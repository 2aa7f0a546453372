"""Partners with accounts of every kind, and all that billing has made of them."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from sqlmodel import Session, SQLModel, col, select

from portal_app import db
from portal_app.models import (
    Account,
    BackupTask,
    Bill,
    BilledPeriod,
    BillingProfile,
    BillLine,
    BillShare,
    CycleRun,
    OutboxMail,
    Payment,
    PaymentAttempt,
    Subscription,
)
from tests import factories
from tests.billing.factories import book

_OF_BILLS = col(OutboxMail.kind).in_(("bill", "receipt", "card refused", "reminder"))
# Early in the day: runs that follow each other for hours stay in it.
NOW = datetime(2026, 3, 31, 0, 10, tzinfo=UTC)


def fill(session: Session, partners: int, accounts: int, days: int = 70, seed: int = 7) -> None:
    """So many partners with as many accounts in all, subscribed in the last days; some plans change, some end."""
    draw = Random(seed)
    book(session, tax_bp=1900, monthly_minimum_minor=700, annual_discount_bp=1000)
    place = factories.data_center(session)
    companies = [
        factories.partner(session, code=f"LIVES{n:03}", name=f"Partner {n}", email=f"bills{n}@example.com")
        for n in range(partners)
    ]
    for company in companies:
        method, together = draw.choice(("card", "invoice")), draw.random() < 0.5
        terms = {"payment_day": draw.randint(1, 31), "method": method, "annual_together": together}
        factories.save(session, BillingProfile(partner_id=company.id, **terms))
    for n in range(accounts):
        at = NOW - timedelta(days=draw.randint(0, days))
        plan = draw.choice(("monthly", "monthly", "annual"))
        about = {"name": f"Customer {n}", "email": f"life{n}@example.com", "data_center_id": place.id}
        account = factories.account(session, companies[n % partners], status=plan, created_at=at, **about)
        _tasks(session, account, draw)
        if draw.random() < 0.3:
            _known(session, account, draw)


def _tasks(session: Session, account: Account, draw: Random) -> None:
    for service in ("m365_exchange", "m365_sharepoint")[: draw.randint(1, 2)]:
        used = {"billed_entities": draw.randint(0, 40), "size_bytes": draw.randint(0, 10**12)}
        row = BackupTask(account_id=account.id, key=service, name=service, service=service, **used)
        row.created_at = account.created_at
        session.add(row)
    session.flush()


def _known(session: Session, account: Account, draw: Random) -> None:
    """A subscription that is on a bill of its own, ends, or changes its plan."""
    on = account.created_at.date()
    kind = draw.choice(("excluded", "ends", "changes"))
    other = "annual" if account.status == "monthly" else "monthly"
    session.add(
        Subscription(
            account_id=account.id,
            partner_id=account.partner_id,
            plan=account.status,
            started_on=on,
            anchor_on=on,
            covered_until=on,
            acts_on=on,
            excluded=kind == "excluded",
            ends=kind == "ends",
            next_plan=other if kind == "changes" else None,
        )
    )
    session.flush()


def outcome() -> dict[str, list[Any]]:
    """All that billing has made: bills under their numbers, whatever the ids of their rows."""
    with db.reading() as session:
        bills = list(session.exec(select(Bill).order_by(col(Bill.number))))
        # Days that came to nothing are on no bill.
        number = {bill.id: bill.number for bill in bills} | {None: None}

        def of_bills(model: type[SQLModel]) -> list[Any]:
            rows = (row.model_dump() for row in session.exec(select(model)))
            return sorted(((number[row.pop("bill_id")], row) for row in rows), key=repr)

        return {
            "bills": [bill.model_dump(exclude={"id", "created_at", "paid_at"}) for bill in bills],
            "attempts": sorted(
                (number[row.bill_id], row.kind, row.state, row.amount_minor)
                for row in session.exec(select(PaymentAttempt))
            ),
            "payments": sorted(
                (number[row.bill_id], row.kind, row.amount_minor, row.received_on)
                for row in session.exec(select(Payment))
            ),
            "lines": of_bills(BillLine),
            "shares": of_bills(BillShare),
            "covers": of_bills(BilledPeriod),
            "subscriptions": [
                row.model_dump() for row in session.exec(select(Subscription).order_by(Subscription.account_id))
            ],
            "accounts": [
                (row.id, row.status, row.billing_status, row.amount_minor)
                for row in session.exec(select(Account).order_by(Account.id))
            ],
            "through": sorted((row.partner_id, row.billed_through) for row in session.exec(select(BillingProfile))),
            "mails": sorted(
                (mail.kind, mail.recipient, mail.subject) for mail in session.exec(select(OutboxMail).where(_OF_BILLS))
            ),
            "counted": [(run.counts["bills"], run.counts["billed"]) for run in session.exec(select(CycleRun))],
        }
