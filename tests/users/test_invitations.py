"""The link in the mail: for 24 hours, once, and not spent by looking at it."""

from datetime import timedelta

import pytest
from sqlmodel import Session

from portal_app import clock, db
from portal_app.auth import passwords
from portal_app.errors import Conflict, Denied, Invalid
from portal_app.models import OneTimeLink, Partner, SignInType, User, UserState
from portal_app.users import invitations, service
from portal_app.users.invitations import SPENT, accept, look
from portal_app.users.rules import Refused
from tests.cast import HERE, Cast
from tests.tables import stored
from tests.users.people import LENA, audit, by_email, link_of, mails, row

NEW = "a rather odd phrase 7"


@pytest.fixture
def lena(cast: Cast) -> User:
    return by_email(service.add(cast.actor("alice"), LENA))


def taken(token: str) -> invitations.Guest:
    return accept(token, NEW, NEW, HERE)


def test_looking_any_number_of_times_spends_nothing(lena: User) -> None:
    token = link_of(lena.email)
    for _ in range(3):
        assert db.read(look, token, HERE).sets_password
    taken(token)
    after = row(lena.id)
    assert (after.state, after.must_change_password) == (UserState.ACTIVE, False)
    assert passwords.verify(after.password_hash, NEW)
    assert after.password_set_at
    assert audit()[-1].description == f"{lena.email} confirmed the address and chose a password."


def test_the_letter_holds_the_link_and_nothing_of_the_database_does(lena: User) -> None:
    token = link_of(lena.email)
    assert [kind for kind, _ in mails(lena.email)] == ["invitation"]
    assert token.encode() not in stored()
    assert lena.email.encode() in stored()


def test_it_works_once(lena: User) -> None:
    token = link_of(lena.email)
    taken(token)
    for again in (lambda: taken(token), lambda: db.read(look, token, HERE)):
        with pytest.raises(Denied) as refused:
            again()
        assert refused.value.sentence == SPENT


def test_it_works_for_24_hours(lena: User) -> None:
    def age(session: Session, by: timedelta) -> None:
        link = session.query(OneTimeLink).one()
        assert link.ends_at > clock.now() + timedelta(hours=23, minutes=59)
        link.ends_at -= by

    db.write(age, timedelta(hours=24))
    with pytest.raises(Denied):
        taken(link_of(lena.email))
    assert row(lena.id).state == UserState.INVITED


def test_a_new_link_voids_the_one_before(lena: User, cast: Cast) -> None:
    first = link_of(lena.email)
    service.resend(cast.actor("alice"), lena.id or 0)
    second = link_of(lena.email)
    assert first != second
    with pytest.raises(Denied):
        taken(first)
    taken(second)
    with pytest.raises(Conflict, match="has confirmed the address already"):
        service.resend(cast.actor("alice"), lena.id or 0)


@pytest.mark.parametrize("token", ["", "x", "x" * 43, "\x00", "é" * 500])
def test_what_is_no_link_is_told_the_same(cast: Cast, token: str) -> None:
    with pytest.raises(Denied) as refused:
        taken(token)
    assert refused.value.sentence == SPENT


@pytest.mark.parametrize(
    ("password", "retype", "field"),
    [("short", "short", "password"), (LENA.email, LENA.email, "password"), (NEW, "other", "retype")],
)
def test_a_password_that_cant_be_taken_leaves_the_link_good(lena: User, password: str, retype: str, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        accept(link_of(lena.email), password, retype, HERE)
    assert list(refused.value.fields) == [field]
    taken(link_of(lena.email))


@pytest.mark.parametrize("kind", [SignInType.AZURE, SignInType.GOOGLE])
def test_who_signs_in_elsewhere_only_confirms_the_address(cast: Cast, kind: SignInType) -> None:
    user = by_email(service.add(cast.actor("alice"), LENA.__class__(email="a@b.example", name="A", type=kind)))
    guest = accept(link_of(user.email), "", "", HERE)
    assert (guest.type, guest.sets_password) == (kind, False)
    assert (row(user.id).state, row(user.id).password_hash) == (UserState.ACTIVE, None)


def test_the_link_of_a_deleted_or_changed_user_is_void(lena: User, cast: Cast) -> None:
    token = link_of(lena.email)
    service.remove(cast.actor("alice"), lena.id or 0, lena.version)
    with pytest.raises(Denied):
        taken(token)


def test_from_an_address_that_the_company_does_not_trust_it_is_refused_and_stays_good(lena: User, cast: Cast) -> None:
    def restrict(session: Session, on: bool) -> None:
        partner = session.get(Partner, cast.partner_a.id)
        assert partner
        partner.ip_restricted = on

    db.write(restrict, True)
    with pytest.raises(Denied, match="does not trust"):
        taken(link_of(lena.email))
    db.write(restrict, False)
    taken(link_of(lena.email))


def test_only_who_may_manage_sends_a_new_one(lena: User, cast: Cast) -> None:
    with pytest.raises(Refused):
        service.resend(cast.actor("bob"), lena.id or 0)
    assert len(mails(lena.email)) == 1
