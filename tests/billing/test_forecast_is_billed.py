"""The forecast is the bill on a real database: what the pages are told is what the cycle then writes, to the cent."""

from datetime import date, timedelta
from random import Random

import pytest
from sqlmodel import Session, col, select, update

from portal_app import clock, db
from portal_app.billing import cycle, forecasts, ledger, subscriptions
from portal_app.billing.forecasts import Forecasts
from portal_app.billing.plan import Forecast
from portal_app.errors import Conflict
from portal_app.models import Account, BackupTask, Bill, BillingProfile, BillShare, Partner
from tests import factories
from tests.billing import lives
from tests.billing.factories import book
from tests.billing.plans import ROUNDS

Shares = dict[int, list[tuple[date, int]]]


@pytest.fixture(autouse=True)
def _now(store: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: lives.NOW)


def _portfolios(session: Session, partners: int) -> None:
    """As many partners with eight accounts each, some with prices of their own, in three time zones and currencies."""
    draw = Random(11)
    lives.fill(session, partners, partners * 8, days=60, seed=11)
    for currency in ("JPY", "KWD"):
        book(session, currency=currency, tax_bp=333, annual_discount_bp=1667, monthly_minimum_minor=500)
    book(session, name="Dearer", prices={"m365_exchange": ("unit", 411)}, valid_from=date(2026, 5, 2), tax_bp=2000)
    for partner in session.exec(select(Partner)):
        partner.currency = draw.choice(("USD", "USD", "JPY", "KWD"))
        partner.time_zone = draw.choice(("UTC", "Asia/Tokyo", "America/Los_Angeles"))
        if draw.random() < 0.3:
            tiers = {"m365_exchange": [(0, 299), (7, 251)]}
            book(session, of=partner, tiers=tiers, tax_bp=700, valid_from=date(2026, draw.randint(1, 9), 14))


def _forecasts(session: Session) -> dict[int, Forecast]:
    found: dict[int, Forecast] = {}
    for partner in session.exec(select(Partner)):
        found |= forecasts.of_partner(session, partner)
    return found


def _live(days: int) -> None:
    for written in cycle.run(lives.NOW + timedelta(days=days), lambda *given: db.write(ledger.advance, *given)):
        assert written, "bills were held back"


def _shares(session: Session) -> Shares:
    found: Shares = {}
    each = select(BillShare.account_id, Bill.issued_on, BillShare.amount_minor).join(
        Bill, col(Bill.id) == BillShare.bill_id
    )
    for account_id, on, amount in session.exec(each.order_by(col(Bill.id))):
        found.setdefault(account_id, []).append((on, amount))
    return found


@pytest.mark.parametrize("days", [0, 17])
def test_what_is_forecast_is_what_the_cycle_bills(days: int, monkeypatch: pytest.MonkeyPatch) -> None:
    db.write(_portfolios, ROUNDS or 5)
    _live(days)
    monkeypatch.setattr(clock, "now", lambda: lives.NOW + timedelta(days=days))
    expected, before = db.read(_forecasts), db.read(_shares)
    _live(days + 460)
    billed = db.read(_shares)
    found = {one: shares[len(before.get(one, [])) :][:1] for one, shares in billed.items()}
    wanted = {one: [(each.on, each.amount_minor)] for one, each in expected.items() if each.amount_minor}
    assert len(wanted) > 25
    assert {one: shares for one, shares in found.items() if shares} == wanted


def _partner(session: Session) -> Partner:
    return session.exec(select(Partner)).one()


def _of(session: Session) -> Forecasts:
    return forecasts.of_partner(session, _partner(session))


def _change_a_plan(session: Session) -> None:
    actor = factories.actor(factories.user(session, _partner(session)))
    account = session.exec(select(Account).order_by(col(Account.id))).first()
    try:
        subscriptions.change_plan(session, actor, account.id, "annual")
    except Conflict:
        subscriptions.change_plan(session, actor, account.id, "monthly")


def _report_a_backup(session: Session) -> None:
    session.execute(update(BackupTask).values(billed_entities=99))
    session.execute(update(Account).values(last_backup_at=lives.NOW))


def _move_the_payment_day(session: Session) -> None:
    session.execute(update(BillingProfile).values(payment_day=14))


def _raise_the_prices(session: Session) -> None:
    book(session, of=_partner(session), tax_bp=4000)


@pytest.mark.parametrize("change", [_change_a_plan, _report_a_backup, _move_the_payment_day, _raise_the_prices])
def test_a_kept_forecast_ends_with_what_it_was_made_of(change, monkeypatch: pytest.MonkeyPatch) -> None:
    db.write(lives.fill, 1, 12)
    _live(0)
    before = db.read(_of)
    assert db.read(_of) is before, "it was made twice"
    db.write(change)
    after = db.read(_of)
    assert after != before
    monkeypatch.setattr(forecasts, "_stores", {})
    assert db.read(_of) == after


def test_what_is_not_committed_is_forecast_but_not_kept() -> None:
    db.write(lives.fill, 1, 12)
    before = db.read(_of)
    with db.writing() as session:
        _move_the_payment_day(session)
        assert _of(session) != before
        session.rollback()
    db.write(_report_a_backup)
    after = db.read(_of)
    assert {one.on for one in after.values()} == {one.on for one in before.values()}
