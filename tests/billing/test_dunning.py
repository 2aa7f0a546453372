"""Letters about money: each on its day in the partner's zone, and only once."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import col, select

from portal_app import db
from portal_app.billing import collecting, dunning
from portal_app.models import BillingProfile, Card, OutboxMail
from tests import factories as people
from tests.billing import factories
from tests.cast import Cast

DUE = date(2026, 6, 15)


def _bill(session: Any, cast: Cast, **given: Any) -> Any:
    values = {"issued_on": date(2026, 5, 15), "due_on": DUE} | given
    return factories.bill(session, cast.partner_a, [(cast.accounts_a[1], 1_000)], **values)


def _mails() -> list[tuple[str, str]]:
    query = (
        select(OutboxMail).where(col(OutboxMail.kind).in_(["reminder", "card expires"])).order_by(col(OutboxMail.id))
    )
    return db.read(lambda session: [(row.recipient, row.subject) for row in session.exec(query)])


def _at(day: date, hour: int = 12) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


def test_an_open_invoice_is_reminded_of_on_its_days_once_each(cast: Cast) -> None:
    bill = db.write(_bill, cast)
    written = []
    for shift in range(-31, 60):
        before = len(_mails())
        for _ in range(2):
            collecting.run(_at(DUE + timedelta(days=shift)))
        if len(_mails()) > before:
            written.append(shift)
            assert len(_mails()) == before + 1
    assert written == [-7, 1, 7, 14, 28]
    assert [subject for _, subject in _mails()] == [
        f"Invoice {bill.number} is {words}" for words in ("due soon", *["overdue"] * 4)
    ]


def test_what_is_written_is_not_made_again(cast: Cast) -> None:
    db.write(_bill, cast)
    on = _at(DUE + timedelta(days=1))
    assert len(db.read(dunning.letters_of, on)) == 1
    collecting.run(on)
    assert db.read(dunning.letters_of, on) == []


def test_the_day_is_the_partner_s_own(cast: Cast) -> None:
    def move(session: Any) -> None:
        session.merge(cast.partner_a).time_zone = "Pacific/Auckland"

    db.write(move)
    db.write(_bill, cast)
    collecting.run(_at(DUE, hour=11))
    assert _mails() == []
    collecting.run(_at(DUE, hour=13))
    assert len(_mails()) == 1


@pytest.mark.parametrize("given", [{"state": "paid"}, {"method": "card"}, {"issued_on": DUE - timedelta(days=7)}])
def test_what_is_settled_charged_or_new_needs_no_reminder(given: dict[str, Any], cast: Cast) -> None:
    db.write(_bill, cast, **given)
    collecting.run(_at(DUE - timedelta(days=7)))
    assert _mails() == []


def test_letters_go_to_the_billing_address_or_to_the_administrators(cast: Cast) -> None:
    db.write(_bill, cast)
    collecting.run(_at(DUE + timedelta(days=1)))
    db.write(people.save, BillingProfile(partner_id=cast.partner_a.id or 0, email="accounting@alpha.example"))
    collecting.run(_at(DUE + timedelta(days=7)))
    assert [to for to, _ in _mails()] == ["alice@people.example", "accounting@alpha.example"]


def test_a_card_that_expires_next_month_is_written_about(cast: Cast) -> None:
    def give(session: Any) -> None:
        shown = {"brand": "Visa", "last4": "4242", "expiry_month": 1, "expiry_year": 2027}
        for token, active in (("used", True), ("unused", False)):
            row = {"partner_id": cast.partner_a.id, "gateway": "sandbox", "token": token, "active": active}
            people.save(session, Card(**row, **shown, created_at=_at(DUE)))

    db.write(give)
    # Nobody was there on December 1.
    for day in (date(2026, 11, 1), date(2026, 12, 2), date(2026, 12, 2), date(2026, 12, 3), date(2027, 1, 1)):
        collecting.run(_at(day))
    assert [subject for _, subject in _mails()] == ["Your card expires next month"]
