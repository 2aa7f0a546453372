"""A new account whose customer sets the password by mail."""

import pytest

from portal_app import db
from portal_app.accounts import adding
from portal_app.accounts.adding import NewAccount
from portal_app.auth import passwords
from portal_app.errors import Invalid
from portal_app.models import User, UserKind, UserState
from portal_app.users import invitations
from tests.cast import HERE, Cast
from tests.users.people import audit, by_email, link_of, mails, row

NEW = "a rather odd phrase 7"


def form(cast: Cast, **given: object) -> NewAccount:
    place = str(cast.accounts_a[0].data_center_id)
    return NewAccount(name="Nine", email="nine@customers.example", place=place, subscription="trial", **given)


def customer(cast: Cast, **given: object) -> User:
    adding.add(cast.actor("alice"), form(cast, **given))
    return by_email("nine@customers.example")


def test_the_customer_gets_a_link_and_chooses_the_password(cast: Cast) -> None:
    made = customer(cast, by_mail=True)
    assert (made.kind, made.state, made.password_hash) == (UserKind.CUSTOMER, UserState.INVITED, None)
    assert "Alpha has given you access" in str(mails(made.email)[-1][1]["paragraphs"])
    invitations.accept(link_of(made.email), NEW, NEW, HERE)
    assert row(made.id).state == UserState.ACTIVE
    assert passwords.verify(row(made.id).password_hash, NEW)
    assert (audit()[-1].partner_id, audit()[-1].performed_by) == (cast.partner_a.id, made.email)


def test_with_a_password_typed_nothing_is_mailed(cast: Cast) -> None:
    made = customer(cast, password=NEW, retype=NEW)
    assert made.state == UserState.ACTIVE
    assert mails(made.email) == []


def test_without_either_the_form_says_so(cast: Cast) -> None:
    with pytest.raises(Invalid) as refused:
        customer(cast)
    assert "password" in refused.value.fields
    assert db.read(lambda session: session.query(User).filter_by(email="nine@customers.example").count()) == 0
