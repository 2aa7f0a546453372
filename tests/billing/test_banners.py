"""The banners above every page, and the search for invoices."""

from datetime import date

import pytest
from sqlmodel import Session

from portal_app import db
from portal_app.auth.permissions import Permission
from portal_app.billing import banners, bills
from portal_app.billing.bill_rows import Owed
from portal_app.models import Partner
from portal_app.shell.state import _find
from tests.billing.factories import bill
from tests.cast import Cast
from tests.factories import actor

DAY = date(2026, 12, 24)


def shown(cast: Cast, owed: Owed, *less: Permission) -> list[tuple[str, str, str, str]]:
    found = actor(cast.alice, permissions=frozenset(Permission) - set(less))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bills, "owed", lambda *_: owed)
        made = db.read(banners.banners_for, found)
    return [(one.kind, one.text, one.action, one.href) for one in made]


def test_each_reminder_leads_to_what_mends_it(cast: Cast) -> None:
    owed = Owed(due_minor=700, overdue_minor=570, refused_minor=70, due=2, overdue=2, refused=1, next_due=DAY)
    assert shown(cast, owed) == [
        (
            "red",
            "The credit card was refused for 1 bill of $0.70.",
            "Update Credit Card Details",
            "/billing/payment-details",
        ),
        ("red", "1 bill of $5.00 is overdue.", "Pay now", "/billing/unpaid?status=overdue"),
        (
            "orange",
            "2 bills of $7.00 in all are due, the first on Dec 24, 2026.",
            "View unpaid bills",
            "/billing/unpaid?status=due",
        ),
    ]


def test_who_may_not_mend_it_is_led_to_the_bills(cast: Cast) -> None:
    owed = Owed(overdue_minor=570, refused_minor=70, overdue=3, refused=1)
    found = shown(cast, owed, Permission.PAYMENT_MANAGE, Permission.BILLS_PAY)
    assert [(action, href) for _, _, action, href in found] == [
        ("View unpaid bills", "/billing/unpaid?status=overdue")
    ] * 2
    assert found[1][1] == "2 bills of $5.00 in all are overdue."


def test_nothing_is_shown_where_nothing_is_owed_or_may_be_seen(cast: Cast) -> None:
    owed = Owed(due_minor=700, due=1, next_due=DAY)
    assert shown(cast, Owed()) == []
    assert shown(cast, owed, Permission.BILLING_VIEW) == []
    assert len(shown(cast, owed)) == 1
    for who in ("bob", "dave", "olga", "nina"):
        assert db.read(banners.banners_for, cast.actor(who)) == []


def test_the_search_finds_invoices_for_who_views_billing(cast: Cast) -> None:
    def make(session: Session) -> int:
        partner = session.get_one(Partner, cast.partner_a.id)
        return bill(session, partner, [(one, 1_000) for one in cast.accounts_a]).number

    number = str(db.write(make))
    (hit,) = db.read(_find, cast.actor("carol"), number)
    assert hit["label"] == f"{number} · Consolidated bill · $30.00"
    assert hit["href"] == f"/billing/unpaid?search={number}"
    for who in ("bob", "mallory"):
        assert db.read(_find, cast.actor(who), number) == []
    part = actor(cast.bob, permissions=frozenset({Permission.BILLING_VIEW}))
    assert [one["label"] for one in db.read(_find, part, number)] == [f"{number} · Consolidated bill · $10.00"]
