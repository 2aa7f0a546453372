"""Settings > Account: who may, what is taken, what follows."""

from dataclasses import replace
from typing import Any

import pytest
from sqlmodel import col, select

from portal_app import db
from portal_app.accounts import adding, plans
from portal_app.auth.actor import NOBODY, Actor, ActorKind
from portal_app.auth.permissions import Permission
from portal_app.errors import Denied, Invalid
from portal_app.models import AuditEvent, OutboxMail, Partner, SubscriptionType, Ticket
from portal_app.partner_settings import service
from portal_app.partner_settings.rows import AccountForm
from portal_app.tickets import service as tickets
from portal_app.times import moment, time_zones
from tests.cast import Cast
from tests.factories import actor

FORM = AccountForm(
    "Office@Alpha.example", " Alpha  IT ", "1 High Street\nLondon", "+44 20 7946 0000", "Europe/London", "annual"
)


def rows(model: Any) -> list[Any]:
    return db.read(lambda session: list(session.exec(select(model).order_by(col(model.id)))))


def alpha(cast: Cast) -> Partner:
    return db.read(lambda session: session.get(Partner, cast.partner_a.id))


@pytest.mark.parametrize("who", ["nobody", "bob", "carol", "dave", "olga", "without", "token"])
def test_only_who_manages_account_settings_sees_or_changes_them(cast: Cast, who: str) -> None:
    less = frozenset(Permission) - {Permission.ACCOUNT_MANAGE}
    others = {"nobody": NOBODY, "without": actor(cast.alice, permissions=less), "token": Actor(kind=ActorKind.TOKEN)}
    found = others.get(who) or cast.actor(who)
    for act in (
        lambda: db.read(service.show, found),
        lambda: db.write(service.save, found, FORM),
        lambda: db.write(service.request_location, found, service.OWN_STORAGE, "Because"),
    ):
        with pytest.raises(Denied):
            act()
    assert alpha(cast).name == "Alpha"
    assert rows(AuditEvent) == rows(OutboxMail) == []


def test_what_is_saved_is_cleaned_shown_and_audited_once(cast: Cast) -> None:
    alice = cast.actor("alice")
    assert db.write(service.save, alice, FORM) is True
    saved = db.read(service.show, alice).form
    assert saved == replace(FORM, name="Alpha IT")
    assert db.write(service.save, alice, saved) is False
    (event,) = rows(AuditEvent)
    assert (event.activity, event.partner_id) == ("Settings changed", cast.partner_a.id)
    assert event.description == (
        "Account settings: portal email, name, address, phone, time zone, default subscription type changed"
    )
    assert db.read(service.show, cast.actor("mallory")).form.name == "Beta"


def test_a_new_account_begins_with_the_default(cast: Cast) -> None:
    db.write(service.save, cast.actor("alice"), FORM)
    assert db.read(adding.start, cast.actor("alice")).subscription == "annual"
    assert plans.split("annual") == ("auto", "annual")


def test_only_what_changed_is_named(cast: Cast) -> None:
    alice = cast.actor("alice")
    db.write(service.save, alice, replace(db.read(service.show, alice).form, time_zone="Asia/Tokyo"))
    assert [event.description for event in rows(AuditEvent)] == ["Account settings: time zone changed"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "nobody"),
        ("email", "a" * 300 + "@x.example"),
        ("name", ""),
        ("name", "x" * 121),
        ("name", "Bell\x07"),
        ("address", "x" * 501),
        ("address", "1 High\x00 Street"),
        ("phone", "1" * 41),
        ("phone", "\x1b[1m"),
        ("phone", "ask Bob"),
        ("phone", "+49"),
        ("time_zone", ""),
        ("time_zone", "Mars/Olympus"),
        ("time_zone", "europe/london"),
        ("time_zone", "../../etc/passwd"),
        ("subscription", "weekly"),
    ],
)
def test_what_cannot_be_taken_is_said_beside_its_field_and_nothing_is_saved(cast: Cast, field: str, value: str) -> None:
    with pytest.raises(Invalid) as refusal:
        db.write(service.save, cast.actor("alice"), replace(FORM, **{field: value}))
    assert list(refusal.value.fields) == [field]
    assert alpha(cast).name == "Alpha"
    assert rows(AuditEvent) == []


def test_contact_data_may_be_left_empty(cast: Cast) -> None:
    db.write(service.save, cast.actor("alice"), replace(FORM, email="", address=" \n ", phone=""))
    assert (alpha(cast).email, alpha(cast).address, alpha(cast).phone) == ("", "", "")


def test_every_time_zone_of_the_list_can_show_an_instant(cast: Cast) -> None:
    assert len(time_zones()) > 300
    assert {"UTC", "Europe/Paris", "America/New_York", "Asia/Kolkata"} <= set(time_zones())
    for name in time_zones():
        assert moment(cast.partner_a.created_at, name)["text"]


@pytest.mark.parametrize("subscription", SubscriptionType)
def test_each_subscription_type_comes_back_from_its_two_choices(subscription: str) -> None:
    assert plans.joined(*plans.split(subscription)) == subscription


def test_a_wish_for_another_location_opens_a_ticket(cast: Cast) -> None:
    alice = cast.actor("alice")
    shown = db.read(service.show, alice)
    assert shown.other_locations[-1] == service.OWN_STORAGE
    assert shown.location not in shown.other_locations
    number = db.write(service.request_location, alice, service.OWN_STORAGE, "Our bucket\nis nearer.")
    found = db.read(tickets.show, alice, number)
    assert (found.topic, found.subject) == ("change", "Another default storage location: Our own storage")
    (message,) = found.messages
    for part in (shown.location, service.OWN_STORAGE, "Our bucket\nis nearer."):
        assert part in message.text
    (mail,) = rows(OutboxMail)
    assert mail.recipient == "support@portal.example"


def test_the_wish_is_for_who_may_open_tickets(cast: Cast) -> None:
    less = actor(cast.alice, permissions=frozenset(Permission) - {Permission.TICKETS_OPEN})
    with pytest.raises(Denied, match="may not open support tickets"):
        db.write(service.request_location, less, service.OWN_STORAGE, "Because")
    assert rows(Ticket) == rows(OutboxMail) == []


@pytest.mark.parametrize(
    ("wanted", "why", "field"),
    [
        ("", "Because", "location"),
        ("Atlantis", "Because", "location"),
        (service.OWN_STORAGE, " \n", "why"),
        (service.OWN_STORAGE, "x" * 2_001, "why"),
        (service.OWN_STORAGE, "a\x00b", "why"),
    ],
)
def test_a_wish_that_says_nothing_is_not_sent(cast: Cast, wanted: str, why: str, field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        db.write(service.request_location, cast.actor("alice"), wanted, why)
    assert list(refusal.value.fields) == [field]
    assert rows(OutboxMail) == []
