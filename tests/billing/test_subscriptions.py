"""A subscription's plan, end and cap: who may change them, when it takes effect, and that the forecast knows."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session, col, select

from portal_app import clock, db
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.billing import forecasts, subscriptions
from portal_app.errors import Conflict, Denied, Invalid, NotFound
from portal_app.jobs import cycle
from portal_app.models import Account, AuditEvent, BackupTask, Bill, BillingProfile, BillShare, OutboxMail, Subscription
from portal_app.settings import reset_settings
from tests import factories
from tests.billing.factories import book
from tests.cast import Cast

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _now(database: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    set_now(monkeypatch, NOW)


def set_now(monkeypatch: pytest.MonkeyPatch, now: datetime) -> None:
    monkeypatch.setattr(clock, "now", lambda: now)


def billed(session: Session, *plans: str, seats: int = 3) -> tuple[Actor, list[int]]:
    """Accounts that were subscribed today, at a partner that pays on the 10th, and its administrator."""
    book(session, prices={"m365_exchange": ("unit", 300)})
    of = factories.partner(session)
    factories.save(session, BillingProfile(partner_id=of.id, payment_day=10))
    accounts = [factories.account(session, of, status=plan) for plan in plans]
    for account in accounts:
        task = {"key": "k", "name": "Mail", "service": "m365_exchange", "billed_entities": seats, "created_at": NOW}
        factories.save(session, BackupTask(account_id=account.id, **task))
    return factories.actor(factories.user(session, of)), [account.id for account in accounts]


def row_of(account_id: int) -> Subscription:
    with db.reading() as session:
        return session.get_one(Subscription, account_id)


def bills_of(account_id: int) -> list[Bill]:
    with db.reading() as session:
        mine = select(Bill).join(BillShare, col(BillShare.bill_id) == Bill.id)
        return list(session.exec(mine.where(BillShare.account_id == account_id).order_by(col(Bill.id))))


CHANGES = [
    (subscriptions.change_plan, "annual"),
    (subscriptions.cancel,),
    (subscriptions.undo,),
    (subscriptions.set_seat_cap, 5),
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change[0].__name__)
def test_who_may_change(cast: Cast, change: tuple[Any, ...]) -> None:
    do, *given = change
    mine, foreign = cast.accounts_a[0].id, cast.accounts_b[0].id
    with pytest.raises(Denied):
        db.write(do, factories.actor(cast.bob), mine, *given)
    with pytest.raises(Denied):
        db.write(do, factories.actor(cast.olga, permissions=frozenset()), mine, *given)
    for account_id in (foreign, 999_999):
        with pytest.raises(NotFound, match="no such account"):
            db.write(do, factories.actor(cast.alice), account_id, *given)
    may = factories.actor(cast.bob, permissions=frozenset({Permission.SUBSCRIBE}))
    with pytest.raises(NotFound):
        db.write(do, may, cast.accounts_a[1].id, *given)


def test_monthly_becomes_annual_where_its_covered_days_end(monkeypatch: pytest.MonkeyPatch) -> None:
    actor, [account_id] = db.write(billed, "monthly")
    cycle.run_cycle()
    assert db.write(subscriptions.change_plan, actor, account_id, "annual") == date(2026, 5, 1)
    assert row_of(account_id).acts_on == date(2026, 5, 1)
    set_now(monkeypatch, datetime(2026, 5, 1, 12, tzinfo=UTC))
    cycle.run_cycle()
    found = [(bill.plan, bill.issued_on, bill.effective_on) for bill in bills_of(account_id)]
    assert found == [
        ("monthly", date(2026, 3, 10), date(2026, 4, 1)),
        ("annual", date(2026, 5, 1), date(2026, 5, 1)),
    ]
    with db.reading() as session:
        assert session.get_one(Account, account_id).status == "annual"
    assert row_of(account_id).next_plan is None


def test_annual_becomes_monthly_without_a_renewal_bill(monkeypatch: pytest.MonkeyPatch) -> None:
    actor, [account_id] = db.write(billed, "annual")
    cycle.run_cycle()
    assert db.write(subscriptions.change_plan, actor, account_id, "monthly") == date(2027, 3, 10)
    set_now(monkeypatch, datetime(2027, 3, 10, 12, tzinfo=UTC))
    cycle.run_cycle()
    assert [(bill.plan, bill.issued_on) for bill in bills_of(account_id)] == [
        ("annual", date(2026, 3, 10)),
        ("monthly", date(2027, 3, 10)),
    ]


def test_cancel_and_undo() -> None:
    actor, [account_id] = db.write(billed, "monthly")
    cycle.run_cycle()
    assert db.write(subscriptions.cancel, actor, account_id) == date(2026, 5, 1)
    with db.reading() as session:
        assert forecasts.forecast_of(session, actor) == {}
        shown = subscriptions.standing(session, actor, account_id)
    assert shown
    assert (shown.ends, shown.changes_on) == (True, date(2026, 5, 1))
    db.write(subscriptions.undo, actor, account_id)
    assert (row_of(account_id).ends, row_of(account_id).acts_on) == (False, None)
    with pytest.raises(Conflict, match="nothing to undo"):
        db.write(subscriptions.undo, actor, account_id)
    with db.reading() as session:
        said = session.exec(select(AuditEvent.description).where(AuditEvent.user_id == actor.user_id)).all()
    assert said == ["Ends on 2026-05-01", "Goes on as it is"]


def test_nobody_gets_days_for_nothing_by_cancelling_before_the_first_bill(monkeypatch: pytest.MonkeyPatch) -> None:
    actor, [account_id] = db.write(billed, "monthly")
    with db.writing() as session:
        session.exec(select(BillingProfile)).one().payment_day = 31
    set_now(monkeypatch, NOW + 5 * DAY)
    cycle.run_cycle()
    db.write(subscriptions.cancel, actor, account_id)
    set_now(monkeypatch, NOW + 60 * DAY)
    cycle.run_cycle()
    [bill] = bills_of(account_id)
    assert bill.total_minor > 0
    with db.reading() as session:
        assert session.get_one(Account, account_id).status == "trial_expired"


def test_what_cannot_be_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    actor, [account_id] = db.write(billed, "monthly")
    for plan, sentence in (
        ("weekly", "Choose Monthly or Annual."),
        ("monthly", "This subscription is monthly already"),
    ):
        with pytest.raises(Conflict, match=sentence):
            db.write(subscriptions.change_plan, actor, account_id, plan)
    for cap in (0, -1, 10**7):
        with pytest.raises(Invalid) as refused:
            db.write(subscriptions.set_seat_cap, actor, account_id, cap)
        assert "cap" in refused.value.fields
    with db.writing() as session:
        trial = factories.account(session, factories.partner(session))
    with pytest.raises(NotFound):
        db.write(subscriptions.cancel, actor, trial.id)
    monkeypatch.setenv("PORTAL_PLAN_CHANGES", "0")
    reset_settings()
    with pytest.raises(Denied, match="Ask your provider"):
        db.write(subscriptions.change_plan, actor, account_id, "annual")


def test_a_cap_that_is_exceeded_is_told_once_before_it_is_billed(monkeypatch: pytest.MonkeyPatch) -> None:
    def told() -> list[str]:
        with db.reading() as session:
            return list(session.exec(select(OutboxMail.subject).where(OutboxMail.kind == "seat cap")))

    actor, [account_id] = db.write(billed, "monthly")
    db.write(subscriptions.set_seat_cap, actor, account_id, 3)
    assert told() == []
    with db.writing() as session:
        session.exec(select(BackupTask)).one().billed_entities = 4
    cycle.sweep(NOW)
    assert len(told()) == 1
    set_now(monkeypatch, NOW + DAY)
    cycle.sweep(clock.now())
    assert len(told()) == 1
    with db.writing() as session:
        session.exec(select(BackupTask)).one().billed_entities = 5
    set_now(monkeypatch, NOW + 2 * DAY)
    cycle.sweep(clock.now())
    assert len(told()) == 2
    with db.reading() as session:
        shown = subscriptions.standing(session, actor, account_id)
    assert shown
    assert (shown.seat_cap, shown.seats) == (3, 5)


def test_the_forecast_of_a_day_is_the_bill_that_follows(monkeypatch: pytest.MonkeyPatch) -> None:
    actor, ids = db.write(billed, "monthly", "annual", "monthly", seats=7)
    with db.reading() as session:
        before = forecasts.forecast_of(session, actor)
    assert set(before) == set(ids)
    cycle.run_cycle()
    with db.reading() as session:
        shares = {one.account_id: one.amount_minor for one in session.exec(select(BillShare))}
        after = forecasts.forecast_of(session, actor)
    assert {key: one.amount_minor for key, one in before.items()} == shares
    assert after[ids[0]].on == date(2026, 4, 10)
    set_now(monkeypatch, NOW + 31 * DAY)
    cycle.run_cycle()
    assert bills_of(ids[0])[-1].issued_on == date(2026, 4, 10)
    with db.reading() as session:
        latest = session.get_one(BillShare, (bills_of(ids[0])[-1].id, ids[0]))
    assert latest.amount_minor == after[ids[0]].amount_minor


def test_one_with_chosen_accounts_sees_only_their_forecast() -> None:
    _, ids = db.write(billed, "monthly", "monthly")
    with db.writing() as session:
        of = session.get_one(Account, ids[0]).partner_id
        partner = session.get_one(factories.Partner, of)
        person = factories.user(session, partner)
        factories.give_accounts(session, person, session.get_one(Account, ids[0]))
        limited = factories.actor(person)
    with db.reading() as session:
        assert set(forecasts.forecast_of(session, limited)) == {ids[0]}
        with pytest.raises(Denied):
            forecasts.forecast_of(session, factories.actor(person, permissions=frozenset()))
