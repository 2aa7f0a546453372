"""A partner's days become bills: once, whole, in order, whoever runs when."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from portal_app import clock, db
from portal_app.accounts import trials
from portal_app.billing import ledger, reconcile
from portal_app.jobs import cycle
from portal_app.models import (
    Account,
    AuditEvent,
    BackupTask,
    Bill,
    BilledPeriod,
    BillingProfile,
    BillLine,
    BillShare,
    CycleRun,
    OutboxMail,
    Partner,
    Subscription,
    TrialNotice,
)
from tests import factories
from tests.billing.factories import book

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
TODAY = NOW.date()
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _now(store: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    set_now(monkeypatch, NOW)


def set_now(monkeypatch: pytest.MonkeyPatch, now: datetime) -> None:
    monkeypatch.setattr(clock, "now", lambda: now)


def subscribed(session: Session, of: Partner, at: datetime, status: str = "monthly", seats: int = 3) -> Account:
    account = factories.account(session, of, status=status, subscribed_at=at, created_at=at)
    task = {"key": "mail", "name": "Mail", "service": "m365_exchange", "billed_entities": seats, "created_at": at}
    factories.save(session, BackupTask(account_id=account.id, **task))
    return account


def partner(session: Session, *plans: tuple[datetime, str], **profile: Any) -> tuple[Partner, list[Account]]:
    """A partner with prices and accounts that were subscribed then."""
    of = factories.partner(session, email="bills@example.com")
    factories.save(session, BillingProfile(partner_id=of.id, **profile))
    return of, [subscribed(session, of, at, plan) for at, plan in plans]


def bills() -> list[Bill]:
    with db.reading() as session:
        return list(session.exec(select(Bill).order_by(col(Bill.number))))


def every(model: Any) -> Sequence[Any]:
    with db.reading() as session:
        return session.exec(select(model)).all()


def test_a_month_is_billed_on_the_payment_day_with_the_days_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with db.writing() as session:
        book(session, currency="USD", tax_bp=1900)
        _, accounts = partner(session, (NOW, "monthly"), (NOW + 2 * DAY, "monthly"), payment_day=20)
    set_now(monkeypatch, NOW + 30 * DAY)
    done = cycle.run_cycle()
    assert (done.counts.bills, done.counts.billed) == (1, 2)
    [made] = bills()
    assert (made.issued_on, made.effective_on, made.due_on) == (date(2026, 3, 20), date(2026, 4, 1), date(2026, 4, 20))
    assert (made.kind, made.method, made.number, made.next_charge_on) == ("consolidated", "invoice", 1, None)
    lines, shares, covers = every(BillLine), every(BillShare), every(BilledPeriod)
    assert sum(line.amount_minor for line in lines) == made.net_minor
    assert sum(share.amount_minor for share in shares) == made.total_minor == made.net_minor + made.tax_minor
    assert {(one.account_id, one.starts_on, one.ends_on) for one in covers} == {
        (accounts[0].id, date(2026, 3, 10), date(2026, 5, 1)),
        (accounts[1].id, date(2026, 3, 12), date(2026, 5, 1)),
    }
    assert all(row.covered_until == date(2026, 5, 1) for row in every(Subscription))
    owed = {one.id: (one.billing_status, one.amount_minor) for one in every(Account)}
    assert owed == {share.account_id: ("due", share.amount_minor) for share in shares}
    assert [mail.recipient for mail in every(OutboxMail)] == ["bills@example.com"]
    assert made.buyer["email"] == "bills@example.com"


def test_days_that_come_to_nothing_are_done_without_a_bill(monkeypatch: pytest.MonkeyPatch) -> None:
    with db.writing() as session:
        book(session)
        of, [account] = partner(session, (NOW, "monthly"), payment_day=20)
        olga = factories.actor(factories.user(session, kind="operator"))
    for number, seats in enumerate((0, 3, 0)):
        with db.writing() as session:
            session.execute(update(BackupTask).values(billed_entities=seats))
        set_now(monkeypatch, NOW + (12 + 31 * number) * DAY)
        cycle.run_cycle()
    [made] = bills()
    done = sorted((one.starts_on, one.ends_on, one.bill_id) for one in every(BilledPeriod))
    assert done == [
        (date(2026, 3, 10), date(2026, 5, 1), None),
        (date(2026, 5, 1), date(2026, 6, 1), made.id),
        (date(2026, 6, 1), date(2026, 7, 1), None),
    ]
    assert db.read(reconcile.faults, olga, of.id) == []
    with pytest.raises(IntegrityError), db.writing() as session:
        factories.save(session, BilledPeriod(account_id=account.id, starts_on=done[2][0], ends_on=done[2][1]))


def test_a_due_date_that_passes_makes_overdue(monkeypatch: pytest.MonkeyPatch) -> None:
    with db.writing() as session:
        book(session)
        partner(session, (NOW, "monthly"), payment_day=10)
    cycle.run_cycle()
    set_now(monkeypatch, NOW + 31 * DAY)
    cycle.sweep(clock.now())
    assert every(Account)[0].billing_status == "due"
    set_now(monkeypatch, NOW + 32 * DAY)
    cycle.sweep(clock.now())
    assert every(Account)[0].billing_status == "overdue"


def test_a_card_is_charged_on_the_day_of_issue() -> None:
    with db.writing() as session:
        book(session)
        of, _ = partner(session, (NOW, "monthly"), (NOW, "annual"), payment_day=10, method="card")
    while db.write(ledger.advance, of.id, TODAY).bills:
        pass
    found = {made.plan: (made.method, made.next_charge_on) for made in bills()}
    assert found == {"monthly": ("card", TODAY), "annual": ("invoice", None)}
    # The day's work asks for the money at once; without a card it is refused, and tried again tomorrow.
    cycle.run_cycle()
    found = {made.plan: (made.charge_refused, made.next_charge_on) for made in bills()}
    assert found == {"monthly": (True, TODAY + DAY), "annual": (False, None)}


def test_an_annual_subscription_is_billed_at_once_and_a_month_before_it_renews(monkeypatch: pytest.MonkeyPatch) -> None:
    with db.writing() as session:
        book(session)
        of, _ = partner(session, payment_day=1)
        subscribed(session, of, NOW - 5 * DAY)
    cycle.run_cycle()
    with db.writing() as session:
        account = subscribed(session, of, NOW, "annual")
    cycle.sweep(NOW)
    assert [(one.account_id, one.issued_on) for one in bills()] == [(account.id, TODAY)]
    cycle.sweep(NOW)
    assert len(bills()) == 1
    set_now(monkeypatch, NOW + 337 * DAY)
    cycle.run_cycle()
    annual = [one for one in bills() if one.plan == "annual"]
    assert [(one.issued_on, one.effective_on) for one in annual] == [
        (TODAY, TODAY),
        (date(2027, 2, 10), date(2027, 3, 10)),
    ]


def test_asleep_for_forty_days_every_bill_has_its_own_day(monkeypatch: pytest.MonkeyPatch) -> None:
    with db.writing() as session:
        book(session)
        partner(session, (NOW, "monthly"), payment_day=31)
    cycle.run_cycle()
    set_now(monkeypatch, NOW + 60 * DAY)
    cycle.run_cycle()
    assert [one.issued_on for one in bills()] == [date(2026, 3, 31), date(2026, 4, 30)]
    set_now(monkeypatch, NOW + 59 * DAY)
    cycle.sweep(clock.now())
    assert len(bills()) == 2


def test_without_prices_the_day_waits_and_nobody_else(caplog: pytest.LogCaptureFixture) -> None:
    with db.writing() as session:
        book(session, currency="EUR")
        unpriced, _ = partner(session, (NOW, "annual"))
        priced = factories.partner(session, currency="EUR")
        subscribed(session, priced, NOW, "annual")
    done = cycle.run_cycle()
    assert (done.counts.bills, done.counts.held) == (1, 1)
    assert [one.partner_id for one in bills()] == [priced.id]
    assert every(CycleRun)[0].counts["held"] == 1
    assert "no prices in USD" in caplog.text
    with db.writing() as session:
        book(session)
    cycle.sweep(NOW)
    assert [one.partner_id for one in bills()] == [priced.id, unpriced.id]


def test_what_ended_is_an_expired_trial_that_is_told_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    with db.writing() as session:
        book(session)
        of, [account] = partner(session, (NOW, "monthly"), payment_day=10)
        of.time_zone = "Europe/Paris"
        session.add(of)
        factories.user(session, of)
        old = {"kind": "trial_ended", "account_name": account.name, "made_at": NOW}
        factories.save(session, TrialNotice(account_id=account.id, partner_id=of.id, **old))
    cycle.run_cycle()
    with db.writing() as session:
        row = session.get_one(Subscription, account.id)
        row.ends, row.acts_on = True, row.covered_until
        session.add(row)
    set_now(monkeypatch, datetime(2026, 5, 1, 6, tzinfo=UTC))
    cycle.run_cycle()
    cycle.sweep(clock.now())
    [found] = every(Account)
    assert (found.status, found.billing_status, found.amount_minor) == ("trial_expired", "none", 0)
    assert found.trial_ends_at == datetime(2026, 4, 30, 22, tzinfo=UTC)
    assert every(Subscription) == []
    assert "The subscription has ended" in {event.description for event in every(AuditEvent)}
    assert [(one.kind, one.made_at) for one in every(TrialNotice)] == [("trial_ended", clock.now())]


def test_who_subscribes_again_still_owes_for_before_and_nothing_for_between(monkeypatch: pytest.MonkeyPatch) -> None:
    with db.writing() as session:
        book(session)
        of, (account,) = partner(session, (NOW - 40 * DAY, "monthly"), payment_day=8)
        operator = factories.actor(factories.user(session, kind="operator"))
    cycle.run_cycle()
    db.write(lambda s: _end_now(s, account))
    set_now(monkeypatch, NOW + 70 * DAY)
    cycle.run_cycle()
    assert every(Subscription) == []

    def again(session: Session) -> None:
        values = trials.subscribe_values("monthly", clock.now())
        session.get_one(Account, account.id).sqlmodel_update(values)

    db.write(again)
    set_now(monkeypatch, NOW + 71 * DAY)
    cycle.run_cycle()
    with db.reading() as session:
        found = session.get_one(Account, account.id)
        owed = sum(bill.total_minor for bill in session.exec(select(Bill)))
        assert (found.billing_status, found.amount_minor) == ("overdue", owed)
    set_now(monkeypatch, NOW + 120 * DAY)
    cycle.run_cycle()
    assert db.read(reconcile.faults, operator, of.id) == []


def _end_now(session: Session, account: Account) -> None:
    row = session.get_one(Subscription, account.id)
    row.ends, row.acts_on = True, row.covered_until


def test_a_day_is_written_once_by_two_at_a_time() -> None:
    with db.writing() as session:
        book(session)
        of, _ = partner(session, *[(NOW - 20 * DAY, "monthly")] * 5, payment_day=5)
    start, written = Barrier(2), []

    def advance() -> None:
        start.wait(20)
        for _ in range(3):
            written.append(db.write(ledger.advance, of.id, TODAY))

    threads = [Thread(target=advance) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sum(one.bills for one in written) == len(bills()) == 1
    assert max(one.through for one in written) == TODAY


def test_a_failure_after_the_number_leaves_no_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    with db.writing() as session:
        book(session)
        of, _ = partner(session, (NOW, "annual"), (NOW, "annual"))
    with monkeypatch.context() as patch, pytest.raises(ZeroDivisionError):
        patch.setattr(ledger.mailing, "announce", lambda *_: 1 / 0)
        db.write(ledger.advance, of.id, TODAY)
    assert bills() == []
    db.write(ledger.advance, of.id, TODAY)
    assert [one.number for one in bills()] == [1, 2]
