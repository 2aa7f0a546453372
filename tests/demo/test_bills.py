"""The demo's year of bills: made by the rules, agreeing to the cent, in the states that the accounts show."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import Session, col, func, select

from portal_app import clock, db
from portal_app.billing import cycle, ledger
from portal_app.demo import history, service
from portal_app.demo.accounts import states
from portal_app.jobs.cycle import sweep
from portal_app.models import (
    Account,
    Bill,
    BilledPeriod,
    BillingProfile,
    BillLine,
    BillShare,
    Partner,
    Payment,
    Subscription,
)
from tests.demo.conftest import NOW

ENDS_OF_MONTHS = (
    datetime(2026, 1, 29, 23, tzinfo=UTC),
    datetime(2026, 2, 27, 22, 30, tzinfo=UTC),
    datetime(2026, 5, 1, 12, tzinfo=UTC),
    datetime(2026, 12, 31, 23, 30, tzinfo=UTC),
    datetime(2028, 2, 29, 0, 5, tzinfo=UTC),
)


@pytest.mark.usefixtures("demo")
def test_bills_lines_shares_and_receipts_agree() -> None:
    with db.reading() as session:
        bills = session.exec(select(Bill).order_by(col(Bill.number))).all()
        lines, shares, received = (
            dict(session.exec(select(model.bill_id, func.sum(model.amount_minor)).group_by(model.bill_id)).all())
            for model in (BillLine, BillShare, Payment)
        )
    assert [bill.number for bill in bills] == list(range(1, len(bills) + 1))
    assert len(bills) > 200
    for bill in bills:
        assert lines[bill.id] == bill.net_minor
        assert shares[bill.id] == bill.total_minor
        assert received.get(bill.id, 0) == bill.settled_minor
        assert bill.due_on > bill.issued_on > NOW.date() - timedelta(days=367)
        assert bill.issued_on <= NOW.date()
    kinds = Counter((bill.kind, bill.plan, bill.state) for bill in bills)
    assert {("consolidated", "monthly", "open"), ("consolidated", "monthly", "paid")} <= set(kinds)
    assert {("account", "monthly", "open"), ("account", "annual", "open"), ("account", "annual", "paid")} <= set(kinds)


@pytest.mark.usefixtures("demo")
def test_what_accounts_owe_is_what_their_open_bills_say() -> None:
    with db.reading() as session:
        owed = dict(
            session.exec(
                select(BillShare.account_id, func.sum(BillShare.amount_minor))
                .join(Bill, col(Bill.id) == BillShare.bill_id)
                .where(Bill.state == "open")
                .group_by(col(BillShare.account_id))
            ).all()
        )
        for account in session.exec(select(Account)):
            assert account.amount_minor == owed.get(account.id, 0)


@pytest.mark.usefixtures("demo")
def test_each_covered_day_has_one_bill_and_the_days_work_goes_on_from_there() -> None:
    with db.reading() as session:
        assert cycle.due(session, NOW) == []
        until = dict(
            session.exec(
                select(BilledPeriod.account_id, func.max(BilledPeriod.ends_on)).group_by(col(BilledPeriod.account_id))
            ).all()
        )
        rows = {row.account_id: row for row in session.exec(select(Subscription))}
        assert all(rows[account_id].covered_until == day for account_id, day in until.items())
        before = len(session.exec(select(Bill.id)).all())
    assert not sweep(NOW).bills
    with db.writing() as session:
        for profile in session.exec(select(BillingProfile)).all():
            day = profile.billed_through
            while day < NOW.date() + timedelta(days=35):
                day = ledger.advance(session, profile.partner_id, NOW.date() + timedelta(days=35)).through
        assert len(session.exec(select(Bill.id)).all()) > before + 20


@pytest.mark.parametrize("now", ENDS_OF_MONTHS)
def test_every_state_is_there_whenever_the_demo_is_made(
    now: datetime, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    year = history.runs
    monkeypatch.setattr(history, "runs", lambda plan, chooser: year(plan, chooser)[-1:])
    monkeypatch.setattr(clock, "now", lambda: now)
    service.ensure_demo()
    with db.reading() as session:
        assert _states(session) == Counter(states())


def _states(session: Session) -> Counter:
    mine = select(Account).join(Partner, col(Partner.id) == Account.partner_id).where(Partner.code == "DDEVR001")
    return Counter((one.status, one.backup_status, one.billing_status) for one in session.exec(mine))
