"""Payment Details: who may, what is taken, what follows."""

import threading
from dataclasses import replace
from typing import Any

import pytest
from sqlmodel import select

from portal_app import db
from portal_app.auth.actor import NOBODY, Actor, ActorKind
from portal_app.auth.permissions import Permission
from portal_app.billing import details
from portal_app.billing.detail_rows import DetailsForm
from portal_app.errors import Denied, Invalid
from portal_app.models import AuditEvent, BillingProfile
from tests.cast import Cast, make_cast
from tests.factories import actor

FORM = DetailsForm(
    title="Ms",
    first_name="Ana",
    last_name="Berg",
    company="Alpha  IT",
    tax_id="136 695 976",
    address="1 High Street\n\n Floor  2",
    zip="10115",
    city="Berlin",
    country="DE",
    email="bills@alpha.example",
    phone="+49 30 901820",
    payment_day="31",
    delivery="attachment",
)


def rows(model: Any) -> list[Any]:
    return db.read(lambda session: list(session.exec(select(model))))


@pytest.mark.parametrize("who", ["nobody", "bob", "nina", "dave", "olga", "without", "token"])
def test_only_who_manages_payment_details_sees_or_changes_them(cast: Cast, who: str) -> None:
    less = frozenset(Permission) - {Permission.PAYMENT_MANAGE}
    others = {"nobody": NOBODY, "without": actor(cast.alice, permissions=less), "token": Actor(kind=ActorKind.TOKEN)}
    found = others.get(who) or cast.actor(who)
    for act in (lambda: db.read(details.show, found), lambda: db.write(details.save, found, FORM)):
        with pytest.raises(Denied):
            act()
    assert rows(AuditEvent) == rows(BillingProfile) == []


def test_what_is_saved_is_cleaned_shown_and_audited_once(cast: Cast) -> None:
    carol = cast.actor("carol")
    assert db.write(details.save, carol, FORM) is True
    found = db.read(details.show, carol)
    assert found.form == replace(FORM, company="Alpha IT", tax_id="DE136695976", address="1 High Street\nFloor 2")
    assert (found.currency, found.method) == ("USD", "")
    assert db.write(details.save, carol, found.form) is False
    assert db.write(details.save, carol, replace(found.form, payment_day="5")) is True
    first, second = rows(AuditEvent)
    assert (first.activity, first.partner_id) == ("Billing details update", cast.partner_a.id)
    assert second.description == "Billing details: payment day changed"
    assert db.read(details.show, cast.actor("mallory")).form.company == "Beta"


def test_what_was_never_said_is_suggested_from_the_partners_settings(cast: Cast) -> None:
    form = db.read(details.show, cast.actor("alice")).form
    assert (form.company, form.payment_day, form.delivery, form.country) == ("Alpha", "1", "link", "")
    assert rows(BillingProfile) == []


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("title", "Lord", "list"),
        ("first_name", "x" * 81, "at most 80"),
        ("company", "", "on the bill"),
        ("company", "a\x00b", "invisible"),
        ("tax_id", "DE136695977", "Germany"),
        ("address", "x" * 501, "at most 500"),
        ("country", "ZZ", "country"),
        ("country", "", "country"),
        ("email", "nowhere", "name@company.com"),
        ("phone", "ask Bob", "phone number"),
        ("payment_day", "0", "1 to 31"),
        ("payment_day", "32", "1 to 31"),
        ("payment_day", "01", "1 to 31"),
        ("payment_day", "", "1 to 31"),
        ("delivery", "pigeon", "Link"),
    ],
)
def test_a_fault_stands_by_its_field_and_nothing_is_saved(cast: Cast, field: str, value: str, words: str) -> None:
    with pytest.raises(Invalid) as refusal:
        db.write(details.save, cast.actor("alice"), replace(FORM, **{field: value}))
    assert list(refusal.value.fields) == [field]
    assert words in refusal.value.fields[field]
    assert rows(BillingProfile) == rows(AuditEvent) == []


def test_two_first_savings_at_once_make_one_profile(store: dict[str, str]) -> None:
    cast = db.write(make_cast)
    forms = [replace(FORM, city=city) for city in ("Berlin", "Bonn", "Ulm", "Jena")]
    threads = [threading.Thread(target=db.write, args=(details.save, cast.actor("alice"), one)) for one in forms]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    (profile,) = rows(BillingProfile)
    assert profile.city in {form.city for form in forms}
    assert len(rows(AuditEvent)) == 4
