"""An account that is deleted: its last days are billed, and its bills stay where they were."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from sqlmodel import Session, col, delete, select

from portal_app import clock, db
from portal_app.accounts import trials
from portal_app.auth.actor import Actor
from portal_app.billing import account_bills, bills, closing, settling
from portal_app.billing.bill_query import BillList, BillQuery
from portal_app.errors import Conflict, NotFound
from portal_app.jobs import cycle
from portal_app.models import Account, Bill, BilledPeriod, Partner, PriceBook, Subscription
from tests import factories
from tests.billing.test_subscriptions import NOW, billed, bills_of, set_now


@pytest.fixture(autouse=True)
def _now(database: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    set_now(monkeypatch, NOW)


def _remove(actor: Actor, account_id: int) -> None:
    db.write(closing.remove, actor, account_id, trials.DELETED_BY_USER)


def _covered(account_id: int) -> list[tuple[date, date]]:
    with db.reading() as session:
        mine = select(BilledPeriod).where(BilledPeriod.account_id == account_id).order_by(col(BilledPeriod.starts_on))
        return [(one.starts_on, one.ends_on) for one in session.exec(mine)]


def _stranger(session: Session) -> Actor:
    return factories.actor(factories.user(session, factories.partner(session)))


def _limited(session: Session, account_id: int) -> Actor:
    """Who sees the one account only."""
    account = session.get_one(Account, account_id)
    person = factories.user(session, session.get_one(Partner, account.partner_id))
    factories.give_accounts(session, person, account)
    return factories.actor(person)


def test_the_days_up_to_the_deletion_are_billed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    actor, [account_id, other] = db.write(billed, "monthly", "monthly")
    cycle.run_cycle()
    set_now(monkeypatch, datetime(2026, 5, 5, 12, tzinfo=UTC))
    # The payment day of April has billed May.
    cycle.run_cycle()
    set_now(monkeypatch, datetime(2026, 6, 5, 12, tzinfo=UTC))
    _remove(actor, account_id)
    last = bills_of(account_id)[-1]
    assert (last.issued_on, last.effective_on, last.due_on) == (date(2026, 6, 5), date(2026, 6, 1), date(2026, 7, 5))
    # Three mailboxes of 3.00 a month for five of its thirty days.
    assert last.total_minor == 150
    covered = _covered(account_id)
    assert covered[0][0] == NOW.date() and covered[-1][1] == date(2026, 6, 6)
    assert all(one[1] == following[0] for one, following in pairwise(covered))
    set_now(monkeypatch, datetime(2026, 8, 1, tzinfo=UTC))
    cycle.run_cycle()
    assert _covered(account_id) == covered
    assert _covered(other)[-1][1] == date(2026, 9, 1)
    with db.reading() as session:
        assert session.get(Subscription, account_id) is None


def test_who_subscribed_today_pays_for_today() -> None:
    actor, [month, year] = db.write(billed, "monthly", "annual")
    for account_id, amount in ((month, 29), (year, 30)):
        _remove(actor, account_id)
        assert [(bill.total_minor, bill.plan) for bill in bills_of(account_id)] == [
            (amount, "monthly" if account_id == month else "annual")
        ]


def test_what_is_paid_ahead_is_neither_billed_nor_given_back() -> None:
    actor, [account_id] = db.write(billed, "annual")
    cycle.run_cycle()
    _remove(actor, account_id)
    assert len(bills_of(account_id)) == 1


def test_a_subscribed_account_is_not_deleted_past_its_bill() -> None:
    actor, [account_id] = db.write(billed, "monthly")
    with db.writing() as session, pytest.raises(Conflict, match="has to end"):
        trials.delete_account(session, actor, session.get_one(Account, account_id), trials.DELETED_BY_USER)
    db.write(lambda session: session.exec(delete(PriceBook)))
    with pytest.raises(NotFound, match="no prices"):
        _remove(actor, account_id)
    assert db.read(lambda session: session.get(Account, account_id))


def test_only_ones_own_account_is_removed() -> None:
    _, [account_id] = db.write(billed, "monthly")
    for other in (account_id, 999_999):
        with pytest.raises(NotFound, match="no such account"):
            _remove(db.write(_stranger), other)


def _pay(bill: Bill) -> None:
    db.write(lambda session: settling.credit(session, session.get_one(Bill, bill.id), bill.total_minor, clock.now()))


def test_the_bills_of_a_deleted_account_stay_reachable(monkeypatch: pytest.MonkeyPatch) -> None:
    actor, [account_id] = db.write(billed, "monthly")
    name = db.read(lambda session: session.get_one(Account, account_id).name)
    cycle.run_cycle()
    first = bills_of(account_id)[0]
    _pay(first)
    set_now(monkeypatch, NOW + timedelta(days=60))
    _remove(actor, account_id)
    page = db.read(account_bills.account_page, actor, account_id)
    assert (page.name, page.deleted_at, page.subscription) == (name, clock.now(), None)
    assert [bill.number for bill in page.bills] == [bill.number for bill in reversed(bills_of(account_id))]
    assert (page.billing_status, page.amount_minor) == ("due", page.bills[0].amount_minor)
    assert db.read(account_bills.expected, actor, account_id) is None
    line = page.lines[0]
    assert db.read(account_bills.line, actor, account_id, page.bill.id, line.position) == line
    for of, number in ((BillList.HISTORY, first.number), (BillList.UNPAID, page.bills[0].number)):
        found = db.read(bills.list_page, actor, BillQuery(of, search=name))
        assert [row.number for row in found.rows] == [number]


def test_a_deleted_accounts_bills_are_not_everybodys() -> None:
    actor, [account_id] = db.write(billed, "monthly")
    limited = db.write(_limited, account_id)
    cycle.run_cycle()
    assert db.read(account_bills.account_page, limited, account_id)
    _remove(actor, account_id)
    for other in (db.write(_stranger), limited):
        with pytest.raises(NotFound, match="no such account"):
            db.read(account_bills.account_page, other, account_id)
